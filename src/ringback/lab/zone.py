"""What the lab's DNS says: names with their records and their bad habits. No sockets (dns.py has them).

A zone is a plain dictionary of Nodes, keyed by lower-case names without a final dot, and may be
changed while the server runs.
"""

from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from ..errors import ConfigError

# Longer than any chain that a resolver follows; a loop of CNAMEs ends here, as SERVFAIL.
MAX_CNAMES = 16
# RFC 1035 section 3.3: one character-string of a TXT record.
MAX_STRING_BYTES = 255
NEGATIVE_TTL_S = 60


class Behaviour(StrEnum):
    """How the server answers for a name."""

    ANSWER = "answer"
    NXDOMAIN = "nxdomain"
    NODATA = "nodata"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"  # no answer at all
    TRUNCATED = "truncated"  # over UDP only the TC bit; over TCP the answer
    GARBLED = "garbled"  # bytes that are no DNS message


@dataclass(frozen=True, slots=True)
class Node:
    """One name. `records` are texts by type ("MX": ("10 mx.shop.example",)).

    `by_kind` gives single types another behaviour than the rest; `ttl_s` is in seconds.
    """

    records: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    behaviour: Behaviour = Behaviour.ANSWER
    by_kind: Mapping[str, Behaviour] = field(default_factory=dict)
    cname: str = ""
    ttl_s: int = 300

    def behaves(self, kind: str) -> Behaviour:
        return self.by_kind.get(kind, self.behaviour)


Zone = MutableMapping[str, Node]

_RCODES = {
    Behaviour.NXDOMAIN: dns.rcode.NXDOMAIN,
    Behaviour.NODATA: dns.rcode.NOERROR,
    Behaviour.SERVFAIL: dns.rcode.SERVFAIL,
    Behaviour.REFUSED: dns.rcode.REFUSED,
}
_NEGATIVE = frozenset({Behaviour.NXDOMAIN, Behaviour.NODATA})
_ABSENT = Node(behaviour=Behaviour.NXDOMAIN)
_EMPTY = Node(behaviour=Behaviour.NODATA)


def respond(
    zone: Mapping[str, Node], query: dns.message.Message, *, lie: Behaviour | None
) -> tuple[dns.message.Message, Behaviour]:
    """Return the response to `query` and the habit that its sender must follow.

    `lie` is said of every name, whatever the zone holds.
    """
    response = dns.message.make_response(query, recursion_available=True)
    question = query.question[0]
    kind = dns.rdatatype.to_text(question.rdtype)
    owner = question.name
    for _ in range(MAX_CNAMES):
        node = _ABSENT if lie else _find(zone, owner)
        behaviour = lie or node.behaves(kind)
        if not (node.cname and behaviour is Behaviour.ANSWER):
            return _end(response, owner, kind, node, behaviour), behaviour
        response.answer.append(_rrset(owner, node.ttl_s, "CNAME", (node.cname,)))
        owner = dns.name.from_text(node.cname)
    return _end(response, owner, kind, _ABSENT, Behaviour.SERVFAIL), Behaviour.SERVFAIL


def _find(zone: Mapping[str, Node], owner: dns.name.Name) -> Node:
    name = owner.to_text(omit_final_dot=True).lower()
    if name in zone:
        return zone[name]
    # RFC 8020: a name above an existing one exists.
    above = any(other.endswith("." + name) for other in zone)
    return _EMPTY if above else _ABSENT


def _end(
    response: dns.message.Message,
    owner: dns.name.Name,
    kind: str,
    node: Node,
    behaviour: Behaviour,
) -> dns.message.Message:
    records = node.records.get(kind, ())
    said = behaviour if records or behaviour in _RCODES else Behaviour.NODATA
    if said in _RCODES:
        response.set_rcode(_RCODES[said])
    else:
        response.answer.append(_rrset(owner, node.ttl_s, kind, records))
    if said in _NEGATIVE:
        response.authority.append(_start_of_authority(owner))
    return response


def _start_of_authority(owner: dns.name.Name) -> dns.rrset.RRset:
    """RFC 2308 section 3: what bounds how long a "no" may be believed."""
    apex = owner.parent() if len(owner.labels) > 1 else owner
    numbers = f"1 3600 600 86400 {NEGATIVE_TTL_S}"
    return _rrset(apex, NEGATIVE_TTL_S, "SOA", (f"ns.lab.example. lab.lab.example. {numbers}",))


def _rrset(owner: dns.name.Name, ttl_s: int, kind: str, texts: tuple[str, ...]) -> dns.rrset.RRset:
    absolute = [_absolute(kind, text) for text in texts]
    return dns.rrset.from_text_list(owner, ttl_s, "IN", kind, absolute)


def _absolute(kind: str, text: str) -> str:
    """Return the record in zone file form: strings quoted, names ended by a dot."""
    if kind == "TXT":
        return text if text.startswith('"') else _quoted(text)
    if kind in ("MX", "CNAME", "PTR", "NS"):
        return text if text.endswith(".") else text + "."
    return text


def _quoted(text: str) -> str:
    pieces = [text[at : at + MAX_STRING_BYTES] for at in range(0, len(text), MAX_STRING_BYTES)]
    escaped = (piece.replace("\\", "\\\\").replace('"', '\\"') for piece in pieces or [""])
    return " ".join(f'"{piece}"' for piece in escaped)


def judge_node(name: str, node: Node, source: str) -> None:
    """Raise ConfigError for a record that DNS cannot say."""
    owner = dns.name.from_text(name)
    records = {**node.records, **({"CNAME": (node.cname,)} if node.cname else {})}
    for kind, texts in records.items():
        try:
            _rrset(owner, node.ttl_s, kind, texts)
        except dns.exception.DNSException as error:
            problem, remedy = f"no such record: {error}", "write it as in a zone file"
            raise ConfigError(source, f"names.{name}.{kind}", problem, remedy) from error
