"""What a callout teaches about domains and hosts, beyond the one address. Pure.

Not here: what is remembered of the address itself (rules/freshness.py).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ..values.evidence import About, Exchange, Meaning, Stage
from ..values.facts import DomainFact, Fact, HostFact
from ..values.settings import Ages, Method, Settings
from ..values.verdict import Conclusion, Reason, Verdict
from .freshness import window_s
from .outcomes import Remember, by_connection, judge
from .plan import declines_vrfy

# A host that refused us is not called for an hour; for a day, its weak words are not believed
# (evidence.md section 3), so the fact lives longer than the pause.
REFUSAL_PAUSE_S = 3_600.0
REFUSAL_KEPT_S = 86_400.0
WINDOW_KEPT_S = 30 * 86_400.0
BROKEN_TLS_KEPT_S = 7 * 86_400.0


@dataclass(frozen=True, slots=True)
class Lessons:
    """Facts to remember, and facts that are over, by their subject and kind."""

    learned: tuple[Fact, ...] = ()
    unlearned: tuple[tuple[str, DomainFact | HostFact], ...] = ()


def pair(ip: str, domain: str) -> str:
    """The subject of what one host said when it was asked for one domain."""
    return f"{ip} {domain}"


def learn(
    domain: str, evidence: Sequence[Exchange], conclusion: Conclusion, now: float, ages: Ages
) -> Lessons:
    """Draw the lessons of one callout for `domain`."""
    learned: list[Fact] = []
    unlearned: list[tuple[str, DomainFact | HostFact]] = []
    kind = _domain_fact(conclusion)
    shown_by = _shown_by(kind, evidence, conclusion) if kind else None
    if kind and shown_by:
        learned.append(Fact(domain, kind, now, now + ages.expire_s, (remembered(shown_by),)))
        unlearned += [(domain, _OPPOSITE[kind])] if kind in _OPPOSITE else []
    if _refuses_some(conclusion):
        unlearned.append((domain, DomainFact.ACCEPTS_ANY))
    for exchange in evidence:
        if exchange.connection and declines_vrfy(exchange):
            kept = (remembered(exchange),)
            learned.append(Fact(domain, DomainFact.REFUSES_VRFY, now, now + ages.expire_s, kept))
    for said in by_connection(evidence):
        learned += _host_facts(domain, said, now)
        unlearned += _ended(said)
    return Lessons(tuple(learned), tuple(unlearned))


def decides(fact: Fact, settings: Settings) -> bool:
    """True if `fact` answers for every address of its domain, as we ask today."""
    smtp = settings.smtp
    match fact.kind:
        case DomainFact.ACCEPTS_ANY:
            return True
        case DomainFact.REFUSES_NULL_SENDER:
            return not settings.identity.probe_sender
        case DomainFact.REFUSES_VRFY:
            return smtp.method is Method.VRFY and not smtp.vrfy_fallback
    return False


def _refuses_some(conclusion: Conclusion) -> bool:
    """True where a host said today that a mailbox does not exist: it does not accept any (scenario 78)."""
    said = conclusion.because is not None and conclusion.because.connection > 0
    return said and conclusion.verdict is Verdict.UNDELIVERABLE


def remembered(exchange: Exchange) -> Exchange:
    """The exchange as a fact brings it along: of no connection of today."""
    return replace(exchange, connection=0)


_OPPOSITE = {
    DomainFact.ACCEPTS_ANY: DomainFact.SELECTIVE,
    DomainFact.SELECTIVE: DomainFact.ACCEPTS_ANY,
}
_BY_REASON = {
    Reason.ACCEPTED: DomainFact.SELECTIVE,
    Reason.ACCEPTS_ANY: DomainFact.ACCEPTS_ANY,
    Reason.REFUSES_NULL_SENDER: DomainFact.REFUSES_NULL_SENDER,
}


def _domain_fact(conclusion: Conclusion) -> DomainFact | None:
    return _BY_REASON.get(conclusion.reason)


def _shown_by(
    kind: DomainFact, evidence: Sequence[Exchange], conclusion: Conclusion
) -> Exchange | None:
    """The exchange of today that shows the fact: an old fact does not renew itself."""
    if kind is DomainFact.REFUSES_NULL_SENDER:
        shown = [conclusion.because] if conclusion.because else []
    else:
        shown = [
            exchange
            for exchange in evidence
            if exchange.about is About.CONTROL and exchange.stage in (Stage.RCPT, Stage.VRFY)
        ]
    today = [exchange for exchange in shown if exchange.connection and exchange.meaning]
    return today[-1] if today else None


def _ended(said: Sequence[Exchange]) -> Iterable[tuple[str, HostFact]]:
    """A host that answers a RCPT, and not with a delay, has let us pass its greylisting."""
    finding = judge(said, About.ADDRESS)
    answered = finding and finding.because.stage is Stage.RCPT and finding.because.fault is None
    if finding and answered and finding.remember is not Remember.WINDOW:
        yield finding.because.ip, HostFact.GREYLISTS


def _wants_no_second(exchange: Exchange) -> bool:
    """True for a 452 to a further recipient: a limit of its session, no refusal of us (scenario 98).

    RFC 5321 section 4.5.3.1.10.
    """
    return exchange.code == 452 and exchange.about is not About.ADDRESS


def _host_facts(domain: str, said: Sequence[Exchange], now: float) -> Iterable[Fact]:
    for about in About:
        finding = judge(said, about)
        if finding is None:
            continue
        because = finding.because
        kept = (remembered(because),)
        if _wants_no_second(because):
            continue
        if finding.remember is Remember.REFUSAL:
            # At RCPT it may be one restricted mailbox or domain of a large host; being too much is not.
            named = because.stage in (Stage.RCPT, Stage.VRFY)
            narrow = named and because.meaning is not Meaning.RATE_LIMITED
            subject = pair(because.ip, domain) if narrow else because.ip
            yield Fact(subject, HostFact.REFUSES_US, now, now + REFUSAL_KEPT_S, kept)
            if narrow:
                yield Fact(because.ip, HostFact.REFUSES_SOME, now, now + REFUSAL_KEPT_S, kept)
        elif finding.remember is Remember.WINDOW:
            window = window_s(because.text)
            yield Fact(because.ip, HostFact.GREYLISTS, now, now + WINDOW_KEPT_S, kept, window)
    for exchange in said:
        if exchange.fault and exchange.stage is Stage.TLS:
            kept = (remembered(exchange),)
            yield Fact(exchange.ip, HostFact.BREAKS_TLS, now, now + BROKEN_TLS_KEPT_S, kept)
