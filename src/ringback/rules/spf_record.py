"""An SPF record: its text taken apart by the grammar of RFC 7208 section 12. Pure.

All of it is read before any of it counts (section 4.6). Not here: what its terms say (rules/spf.py), and
the macros in them (rules/spf_macros.py).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from .spf_macros import Template, parse_domain_spec, parse_macro_string

# Section 3.4 advises 450 octets; whoever lists his networks one by one comes to a few thousand. These two
# bound the work on a record, of which one evaluation reads eleven.
MAX_RECORD_CHARS = 8_192
MAX_TERMS = 400

_VERSION = re.compile(r"v=spf1(?: |\Z)", re.IGNORECASE | re.ASCII)
_MODIFIER = re.compile(r"([a-z][a-z0-9._-]*)=(.*)", re.IGNORECASE | re.ASCII | re.DOTALL)
_DIRECTIVE = re.compile(r"([-+?~]?)([a-z0-9]+)((?:[:/].*)?)", re.IGNORECASE | re.ASCII | re.DOTALL)
# Lengths without leading zeros, as in addresses.
_IPV4_LENGTH, _IPV6_LENGTH = r"(?:/(?P<ipv4>0|[1-9][0-9]?))?", r"/(?P<ipv6>0|[1-9][0-9]{0,2})"
_DUAL = re.compile(rf"(?::(?P<spec>.+?))?{_IPV4_LENGTH}(?:/{_IPV6_LENGTH})?", re.DOTALL)
_IP4 = re.compile(rf":(?P<address>[0-9.]{{7,15}}){_IPV4_LENGTH}")
_IP6 = re.compile(rf":(?P<address>[0-9a-f:.]{{2,45}})(?:{_IPV6_LENGTH})?", re.IGNORECASE | re.ASCII)

IPV4_BITS, IPV6_BITS = 32, 128


class Mechanism(StrEnum):
    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"


_MECHANISMS: frozenset[str] = frozenset(Mechanism)
_NEEDS_SPEC = frozenset({Mechanism.INCLUDE, Mechanism.EXISTS})
_TAKES_LENGTHS = frozenset({Mechanism.A, Mechanism.MX})


@dataclass(frozen=True, slots=True)
class Directive:
    """One mechanism with its qualifier ("+", "-", "~" or "?"), and both as written.

    `spec` is the name to look at, None for the record's own domain; `network` is that of ip4 and ip6. The
    prefixes are those around the addresses that a and mx find.
    """

    text: str
    qualifier: str
    mechanism: Mechanism
    spec: Template | None = None
    network: IPv4Network | IPv6Network | None = None
    ipv4_prefix: int = IPV4_BITS
    ipv6_prefix: int = IPV6_BITS


@dataclass(frozen=True, slots=True)
class Record:
    directives: tuple[Directive, ...] = ()
    redirect: Template | None = None
    explanation: Template | None = None  # of the name where it stands


def choose_record(texts: Sequence[str]) -> str | None:
    """The one TXT record that is of this version (section 4.5), None without any.

    Raises ValueError if there are two.
    """
    records = [text for text in texts if _VERSION.match(text)]
    if len(records) > 1:
        raise ValueError("more than one SPF record")
    return records[0] if records else None


def parse_record(text: str) -> Record:
    """Read what `choose_record` chose. Raises ValueError, which says what is wrong."""
    if len(text) > MAX_RECORD_CHARS:
        raise ValueError(f"a record of more than {MAX_RECORD_CHARS} characters")
    terms = [term for term in text.split(" ")[1:] if term]
    if len(terms) > MAX_TERMS:
        raise ValueError(f"more than {MAX_TERMS} terms")
    directives: list[Directive] = []
    modifiers: dict[str, Template] = {}
    for term in terms:
        if modifier := _MODIFIER.fullmatch(term):
            _read_modifier(modifier[1].lower(), modifier[2], modifiers)
        else:
            directives.append(_read_directive(term))
    return Record(tuple(directives), modifiers.get("redirect"), modifiers.get("exp"))


def _read_modifier(name: str, argument: str, modifiers: dict[str, Template]) -> None:
    if name not in {"redirect", "exp"}:
        parse_macro_string(argument)  # unknown modifiers are ignored, but must be well-formed
        return
    if name in modifiers:  # section 6
        raise ValueError(f"{name}= twice")
    modifiers[name] = parse_domain_spec(argument)


def _read_directive(term: str) -> Directive:
    found = _DIRECTIVE.fullmatch(term)
    name = found[2].lower() if found else ""
    if found is None or name not in _MECHANISMS:
        raise ValueError(f"not a mechanism: {term}")
    qualifier, mechanism, argument = found[1] or "+", Mechanism(name), found[3]
    if mechanism in {Mechanism.IP4, Mechanism.IP6}:
        network = _read_network(mechanism, argument, term)
        return Directive(term, qualifier, mechanism, network=network)
    if mechanism in _TAKES_LENGTHS:
        return _read_dual(term, qualifier, mechanism, argument)
    return Directive(term, qualifier, mechanism, _read_spec(mechanism, argument, term))


def _read_spec(mechanism: Mechanism, argument: str, term: str) -> Template | None:
    if not argument and mechanism not in _NEEDS_SPEC:
        return None
    if mechanism is Mechanism.ALL or not argument.startswith(":"):
        raise ValueError(f"not what {mechanism} takes: {term}")
    return parse_domain_spec(argument[1:])


def _read_dual(term: str, qualifier: str, mechanism: Mechanism, argument: str) -> Directive:
    found = _DUAL.fullmatch(argument)
    if found is None:
        raise ValueError(f"not what {mechanism} takes: {term}")
    return Directive(
        term,
        qualifier,
        mechanism,
        spec=parse_domain_spec(found["spec"]) if found["spec"] else None,
        ipv4_prefix=_prefix(found["ipv4"], IPV4_BITS, term),
        ipv6_prefix=_prefix(found["ipv6"], IPV6_BITS, term),
    )


def _read_network(mechanism: Mechanism, argument: str, term: str) -> IPv4Network | IPv6Network:
    found = (_IP4 if mechanism is Mechanism.IP4 else _IP6).fullmatch(argument)
    if found is None:
        raise ValueError(f"not a network: {term}")
    # Bits beyond the prefix do not count.
    if mechanism is Mechanism.IP4:
        ipv4 = IPv4Address(found["address"])
        return IPv4Network((ipv4, _prefix(found["ipv4"], IPV4_BITS, term)), strict=False)
    ipv6 = IPv6Address(found["address"])
    return IPv6Network((ipv6, _prefix(found["ipv6"], IPV6_BITS, term)), strict=False)


def _prefix(digits: str | None, bits: int, term: str) -> int:
    length = bits if digits is None else int(digits)
    if length > bits:
        raise ValueError(f"a prefix of more than {bits} bits: {term}")
    return length
