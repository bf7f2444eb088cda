"""Whether a domain lets a client send its mail: SPF (RFC 7208). A machine without I/O.

Whatever a record says, the outcome is a value: errors in it end the evaluation in one place.
Not here: the grammar (rules/spf_record.py), macros (rules/spf_macros.py), the limits on what is asked
(rules/spf_lookups.py), what follows (rules/gates.py).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, StrEnum, auto

from ..values.dns import DnsStatus, RecordType
from ..values.text import printable
from .asking import Asking
from .spf_identity import (
    UNKNOWN,
    Identity,
    belongs_to_owner,
    choose_name,
    identify,
    is_domain,
    is_near,
    is_within,
)
from .spf_lookups import Lookups, SpfError
from .spf_macros import Template, expand, expand_name, letters_in, parse_explanation
from .spf_record import Directive, Mechanism, Record, choose_record, parse_record

MAX_HOSTS = 10  # of one mx, section 4.6.4
# The bits that a network must have to name somebody (etiquette.md row 1), by version.
NARROW_PREFIX = {4: 16, 6: 32}
# Longer than any honest term; a record's words stand in our logs.
_MAX_SHOWN_CHARS = 200


class SpfResult(StrEnum):
    """Section 2.6; in its words, which are the names in lower case."""

    NONE = auto()
    NEUTRAL = auto()
    PASS = auto()
    FAIL = auto()
    SOFTFAIL = auto()
    TEMPERROR = auto()
    PERMERROR = auto()


_RESULTS = {
    "+": SpfResult.PASS,
    "-": SpfResult.FAIL,
    "~": SpfResult.SOFTFAIL,
    "?": SpfResult.NEUTRAL,
}


@dataclass(frozen=True, slots=True)
class Spf:
    """What SPF says. `mechanism` matched, as written in the record of `domain`; both are safe to show.

    `narrow` is True if the client passed through something that names somebody: not `all`, not a network
    shorter than NARROW_PREFIX, not a name that the client chose. An include counts by what matched inside.
    """

    result: SpfResult
    mechanism: str = ""
    domain: str = ""
    narrow: bool = False
    explanation: str = ""  # in the words of the domain's owner; where it was asked for
    problem: str = ""  # in ours: what made an error, or none, of it


def evaluate(
    client_ip: str,
    sender: str,
    helo: str,
    *,
    explain: bool = False,
    receiver: str = UNKNOWN,
    now: float = 0.0,
) -> Asking[Spf]:
    """Evaluate the sender; the null sender stands for postmaster at the client's greeting (section 2.4).

    Only where the caller wants to `explain` a fail is its text asked for; `receiver` (our name) and `now`
    are for that text. Raises ValueError if `client_ip` is no address.
    """
    identity = identify(client_ip, sender, helo)
    evaluation = _Evaluation(identity)
    try:
        spf, explanation = yield from evaluation.judge(identity.domain)
    except SpfError as error:
        domain = printable(identity.domain.lower())
        result = SpfResult.PERMERROR if error.lasts else SpfResult.TEMPERROR
        return Spf(result, domain=domain, problem=_shown(str(error)))
    if explain and explanation and spf.result is SpfResult.FAIL:
        extra = {"c": str(identity.client), "r": receiver, "t": str(int(now))}
        text = yield from evaluation.explain(explanation, spf.domain, extra)
        return replace(spf, explanation=printable(text))
    return spf


def _shown(text: str) -> str:
    return printable(text, limit=_MAX_SHOWN_CHARS)


class _Match(Enum):
    NONE = auto()
    WIDE = auto()
    NARROW = auto()  # and names somebody


def _match(found: bool, narrow: bool) -> _Match:
    if not found:
        return _Match.NONE
    return _Match.NARROW if narrow else _Match.WIDE


class _Evaluation:
    """One evaluation."""

    def __init__(self, identity: Identity) -> None:
        self._identity, self._client = identity, identity.client
        self._lookups = Lookups(identity.client)

    def judge(self, domain: str) -> Asking[tuple[Spf, Template | None]]:
        """Evaluate the record of `domain`; with the result comes where its explanation stands."""
        record = yield from self._fetch(domain)
        domain_shown = printable(domain.lower())
        if record is None:
            return Spf(SpfResult.NONE, domain=domain_shown, problem="no SPF record"), None
        for directive in record.directives:
            match = yield from self._try(directive, domain)
            if match is not _Match.NONE:
                result = _RESULTS[directive.qualifier]
                narrow = match is _Match.NARROW and result is SpfResult.PASS
                return Spf(result, _shown(directive.text), domain_shown, narrow), record.explanation
        if record.redirect:
            return (yield from self._redirect(record.redirect, domain))
        return Spf(SpfResult.NEUTRAL, domain=domain_shown), None

    def _fetch(self, domain: str) -> Asking[Record | None]:
        if not is_domain(domain):
            return None
        answer = yield from self._lookups.ask(domain, RecordType.TXT)
        try:
            text = choose_record(answer.texts)
            return None if text is None else parse_record(text)
        except ValueError as error:
            raise SpfError(str(error)) from None

    def _redirect(self, spec: Template, domain: str) -> Asking[tuple[Spf, Template | None]]:
        self._lookups.count_term()
        target = yield from self._target(spec, domain)
        spf, explanation = yield from self.judge(target)
        if spf.result is SpfResult.NONE:  # section 6.1
            raise SpfError(f"redirect to {target}, which has no SPF record")
        return replace(spf, narrow=spf.narrow and belongs_to_owner(spec)), explanation

    def _try(self, directive: Directive, domain: str) -> Asking[_Match]:
        if directive.mechanism is Mechanism.ALL:
            return _Match.WIDE
        if directive.network:
            narrow = directive.network.prefixlen >= NARROW_PREFIX[directive.network.version]
            return _match(self._client in directive.network, narrow)
        self._lookups.count_term()
        target = yield from self._target(directive.spec, domain)
        match = yield from _ASKING[directive.mechanism](self, directive, target)
        if match is _Match.NARROW and not belongs_to_owner(directive.spec):
            return _Match.WIDE
        return match

    def include(self, _: Directive, target: str) -> Asking[_Match]:
        """Section 5.2."""
        spf, _explanation = yield from self.judge(target)
        if spf.result is SpfResult.NONE:
            raise SpfError(f"include of {target}, which has no SPF record")
        return _match(spf.result is SpfResult.PASS, spf.narrow)

    def a(self, directive: Directive, target: str) -> Asking[_Match]:
        """Section 5.3."""
        answer = yield from self._lookups.ask_term(target, self._lookups.family)
        return self._near(answer.texts, directive)

    def mx(self, directive: Directive, target: str) -> Asking[_Match]:
        """Section 5.4. A host without addresses is no void term: only the term's own question counts."""
        answer = yield from self._lookups.ask_term(target, RecordType.MX)
        if len(answer.mx) > MAX_HOSTS:
            raise SpfError(f"{target} has more than {MAX_HOSTS} MX records")
        for record in answer.mx:
            addresses = yield from self._lookups.ask(record.host, self._lookups.family)
            match = self._near(addresses.texts, directive)
            if match is not _Match.NONE:
                return match
        return _Match.NONE

    def ptr(self, _: Directive, target: str) -> Asking[_Match]:
        """Section 5.5. All the names below a top-level domain are nobody's."""
        names = yield from self._lookups.confirmed_names()
        found = any(is_within(name, target) for name in names)
        return _match(found, narrow="." in target)

    def exists(self, directive: Directive, target: str) -> Asking[_Match]:
        """Section 5.7: addresses of IPv4, whatever the client has. It may ask for nothing of the client's."""
        answer = yield from self._lookups.ask_term(target, RecordType.A)
        narrow = bool(letters_in(directive.spec or ()) & {"i", "p"})
        return _match(answer.status is DnsStatus.OK, narrow)

    def explain(self, spec: Template, domain: str, extra: Mapping[str, str]) -> Asking[str]:
        """Section 6.2: whatever goes wrong, there is no explanation. It counts for no limit."""
        try:
            name = expand_name(spec, (yield from self._values_for(spec, domain)))
            answer = yield from self._lookups.ask(name, RecordType.TXT)
            template = parse_explanation(answer.texts[0] if len(answer.texts) == 1 else "")
        except (SpfError, ValueError):
            return ""
        values = yield from self._values_for(template, domain)
        return expand(template, {**values, **extra})

    def _near(self, texts: Sequence[str], directive: Directive) -> _Match:
        """Whether the client is in the network around one of the addresses."""
        version = self._client.version
        prefix = directive.ipv4_prefix if version == 4 else directive.ipv6_prefix
        return _match(is_near(self._client, texts, prefix), prefix >= NARROW_PREFIX[version])

    def _target(self, spec: Template | None, domain: str) -> Asking[str]:
        if spec is None:
            return domain
        if "p" in letters_in(spec) and self._lookups.names is None:
            self._lookups.count_term()
        return expand_name(spec, (yield from self._values_for(spec, domain)))

    def _values_for(self, template: Template, domain: str) -> Asking[Mapping[str, str]]:
        values = {**self._identity.values, "d": domain}
        if "p" in letters_in(template):
            names = yield from self._lookups.confirmed_names()
            values["p"] = choose_name(names, domain)
        return values


_ASKING: Mapping[Mechanism, Callable[[_Evaluation, Directive, str], Asking[_Match]]] = {
    Mechanism.INCLUDE: _Evaluation.include,
    Mechanism.A: _Evaluation.a,
    Mechanism.MX: _Evaluation.mx,
    Mechanism.PTR: _Evaluation.ptr,
    Mechanism.EXISTS: _Evaluation.exists,
}
