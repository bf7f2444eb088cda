"""What a callout teaches about domains and hosts, beyond the one address. Pure.

Not here: what is remembered of the address itself (rules/freshness.py), and how long a host that refused us
is left alone (rules/breakers.py).
"""

import re
from collections.abc import Iterable, Mapping, Sequence

from ..values.evidence import About, Exchange, Meaning, Stage
from ..values.facts import DomainFact, Fact, FactKind, HostFact
from ..values.record import Record
from ..values.settings import Ages, Method, Settings
from ..values.verdict import Conclusion, Reason, Verdict
from . import contrast
from .breakers import REFUSAL_COUNTS_S, State, close, state_of, strike
from .freshness import window_s
from .outcomes import Finding, Remember, broken_tls, judge_each
from .plan import declines_vrfy

# An MX record that names somebody else's host: its owner mends it, or meant it (a spammer's revenge).
NOT_SERVED_KEPT_S = 86_400.0
WINDOW_KEPT_S = 30 * 86_400.0
BROKEN_TLS_KEPT_S = 7 * 86_400.0
# etiquette.md, Opt-out: a reply that refuses callouts in words.
OPT_OUT_KEPT_S = 90 * 86_400.0
OPT_OUT_RULE = "phrase no-verifiers"  # and those of other languages, whose names begin so
# So many domains of a host refused us within a day: then it is the host, and no restricted mailbox.
DOMAINS_OF_A_HOST = 3


class Lessons(Record, frozen=True):
    """Facts to remember, and facts that are over, by their subject and kind."""

    learned: tuple[Fact, ...] = ()
    unlearned: tuple[tuple[str, FactKind], ...] = ()


NOTHING = Lessons()


def pair(ip: str, domain: str) -> str:
    """The subject of what one host said when it was asked for one domain."""
    return f"{ip} {domain}"


def learn(
    domain: str, evidence: Sequence[Exchange], conclusion: Conclusion, now: float, ages: Ages
) -> Lessons:
    """Draw the lessons of one callout about `domain`."""
    learned: list[Fact] = []
    unlearned: list[tuple[str, FactKind]] = []
    kind = _BY_REASON.get(conclusion.reason)
    shown_by = _shown_by(kind, evidence, conclusion) if kind else None
    if kind and shown_by:
        kept_s = NOT_SERVED_KEPT_S if kind is DomainFact.NOT_SERVED else ages.expire_s
        learned.append(Fact(domain, kind, now, now + kept_s, (remembered(shown_by),)))
        unlearned += [(domain, _OPPOSITE[kind])] if kind in _OPPOSITE else []
    if _refuses_some(conclusion):
        unlearned.append((domain, DomainFact.ACCEPTS_ANY))
    for exchange in evidence:
        if exchange.connection and declines_vrfy(exchange):
            kept = (remembered(exchange),)
            learned.append(Fact(domain, DomainFact.REFUSES_VRFY, now, now + ages.expire_s, kept))
    return Lessons(tuple(learned), tuple(unlearned))


def learn_of_host(
    domain: str, said: Sequence[Exchange], known: Iterable[Fact], now: float
) -> Lessons:
    """Draw the lessons of one conversation about its host; `known` is what was remembered of it."""
    facts = {(fact.subject, fact.kind): fact for fact in known}
    shown = judge_each(said)
    telling = [it for it in shown.values() if it.remember is not Remember.NOTHING]
    findings = [it for it in telling if not is_limit_of_session(it.because)]
    learned = [_breaks_tls(it, now) for it in broken_tls(said)]
    if findings:
        learned = [*_refusals(domain, findings, facts, now), *_delays(findings, now), *learned]
    lessons = Lessons(tuple(learned)) if learned else NOTHING
    if control := shown.get(About.CONTROL):
        lessons = _joined(lessons, _of_control(domain, control, facts, now))
    address = shown.get(About.ADDRESS)
    if facts and address and _is_answer(address):
        lessons = _joined(lessons, _ended(domain, address, findings, facts, now))
    return lessons


def decides(fact: Fact, settings: Settings) -> bool:
    """True if `fact` answers for every address of its domain, as we ask today."""
    smtp = settings.smtp
    match fact.kind:
        case DomainFact.ACCEPTS_ANY | DomainFact.NOT_SERVED:
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
    return exchange.but(connection=0)


_OPPOSITE = {
    DomainFact.ACCEPTS_ANY: DomainFact.SELECTIVE,
    DomainFact.SELECTIVE: DomainFact.ACCEPTS_ANY,
}
_BY_REASON = {
    Reason.ACCEPTED: DomainFact.SELECTIVE,
    Reason.ACCEPTS_ANY: DomainFact.ACCEPTS_ANY,
    Reason.REFUSES_NULL_SENDER: DomainFact.REFUSES_NULL_SENDER,
    Reason.DOMAIN_NOT_SERVED: DomainFact.NOT_SERVED,
}


def _shown_by(
    kind: DomainFact, evidence: Sequence[Exchange], conclusion: Conclusion
) -> Exchange | None:
    """The exchange of today that shows the fact: an old fact does not renew itself."""
    if kind in (DomainFact.REFUSES_NULL_SENDER, DomainFact.NOT_SERVED):
        shown = [conclusion.because] if conclusion.because else []
    else:
        shown = [
            exchange
            for exchange in evidence
            if exchange.about is About.CONTROL and exchange.stage in (Stage.RCPT, Stage.VRFY)
        ]
    today = [exchange for exchange in shown if exchange.connection and exchange.meaning]
    return today[-1] if today else None


def is_limit_of_session(exchange: Exchange) -> bool:
    """True for a 452 to a further recipient: a limit of its session, no refusal of us (scenario 98).

    RFC 5321 section 4.5.3.1.10.
    """
    return exchange.code == 452 and exchange.about is not About.ADDRESS


_Facts = Mapping[tuple[str, FactKind], Fact]


def _refusals(
    domain: str, findings: Iterable[Finding], facts: _Facts, now: float
) -> Iterable[Fact]:
    for because in [it.because for it in findings if it.remember is Remember.REFUSAL]:
        ip, kept = because.ip, (remembered(because),)
        if because.rule.startswith(OPT_OUT_RULE):
            yield Fact(ip, HostFact.REFUSES_CALLOUTS, now, now + OPT_OUT_KEPT_S, kept)
        opened = []
        # At RCPT it may be one restricted mailbox or domain of a large host; being too much is not.
        named = because.stage in (Stage.RCPT, Stage.VRFY)
        if named and because.meaning is not Meaning.RATE_LIMITED:
            some = _refused_domains(facts.get((ip, HostFact.REFUSES_SOME)), domain, because, now)
            yield Fact(ip, HostFact.REFUSES_SOME, now, now + REFUSAL_COUNTS_S, some)
            opened = [pair(ip, domain)] + ([ip] if len(some) >= DOMAINS_OF_A_HOST else [])
        for subject in opened or [ip]:
            struck = strike(subject, facts.get((subject, HostFact.REFUSES_US)), kept, now)
            yield from [struck] if struck else []


# "RCPT TO:<ann@shop.example>", "VRFY ann@shop.example"; the domain is the last part.
_ASKED_FOR = re.compile(r"@([^@\s>]+)>?[^@>]*\Z")


def _refused_domains(
    known: Fact | None, domain: str, because: Exchange, now: float
) -> tuple[Exchange, ...]:
    """The last refusal of us for each domain of a host, the latest domains of the last day."""
    before = {
        _domain_in(shown.command): shown
        for shown in (known.evidence if known else ())
        if now - shown.at < REFUSAL_COUNTS_S
    }
    before.pop(domain, None)
    return (*before.values(), remembered(because))[-DOMAINS_OF_A_HOST:]


def _domain_in(command: str) -> str:
    found = _ASKED_FOR.search(command)
    return found[1] if found else ""


def _delays(findings: Iterable[Finding], now: float) -> Iterable[Fact]:
    for because in [it.because for it in findings if it.remember is Remember.WINDOW]:
        expires_at, window = now + WINDOW_KEPT_S, window_s(because.text)
        kept = (remembered(because),)
        yield Fact(because.ip, HostFact.GREYLISTS, now, expires_at, kept, window)


def _breaks_tls(shown: Exchange, now: float) -> Fact:
    kept = (remembered(shown),)
    return Fact(shown.ip, HostFact.BREAKS_TLS, now, now + BROKEN_TLS_KEPT_S, kept)


def _of_control(domain: str, control: Finding, facts: _Facts, now: float) -> Lessons:
    """What came of the control: settled, or to be left to rest."""
    answer = control.because
    subject, kind = pair(answer.ip, domain), HostFact.NO_CONTRAST
    known = facts.get((subject, kind))
    if contrast.is_settling(answer):
        return Lessons(unlearned=((subject, kind),)) if known else NOTHING
    return Lessons((contrast.note(subject, known, remembered(answer), now),))


def _is_answer(finding: Finding) -> bool:
    because = finding.because
    return because.fault is None and because.stage in (Stage.RCPT, Stage.VRFY)


def _ended(
    domain: str, address: Finding, findings: Iterable[Finding], facts: _Facts, now: float
) -> Lessons:
    """What is over now that the host has answered: it let us pass, and has not refused us."""
    ip = address.because.ip
    lessons = NOTHING
    by_rcpt = address.because.stage is Stage.RCPT
    if by_rcpt and address.remember is not Remember.WINDOW and (ip, HostFact.GREYLISTS) in facts:
        lessons = Lessons(unlearned=((ip, HostFact.GREYLISTS),))
    if any(finding.remember is Remember.REFUSAL for finding in findings):
        return lessons
    for subject in (ip, pair(ip, domain)):
        breaker = facts.get((subject, HostFact.REFUSES_US))
        if breaker and state_of(breaker, now) is State.HALF_OPEN:
            lessons = _joined(lessons, _closed(breaker, facts, now))
    return lessons


def _closed(breaker: Fact, facts: _Facts, now: float) -> Lessons:
    """A trial succeeded. The host's closes with a clean slate, or the next refusal would open it again."""
    kept = close(breaker, now)
    some = facts.get((breaker.subject, HostFact.REFUSES_SOME))
    learned = [kept] if kept else []
    learned += [some.but(evidence=some.evidence[-1:])] if some else []
    over: tuple[tuple[str, HostFact], ...] = ((breaker.subject, HostFact.REFUSES_US),)
    return Lessons(tuple(learned), () if kept else over)


def _joined(first: Lessons, second: Lessons) -> Lessons:
    return Lessons(first.learned + second.learned, first.unlearned + second.unlearned)
