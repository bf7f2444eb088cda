"""Evidence → Conclusion: what the words of several hosts say of one address. Pure.

Everything a verdict rests on is in the evidence, remembered facts included (they bring the exchanges that
showed them), so that a verdict can be derived again after a rule has changed.

The order of trust: what DNS says before any host; then the host that accepted; then a refusal of the
mailbox, unless a more preferred host answered without settling it; then whatever tells most.
Contrast comes last: before `accepted` a control, before a weakly worded refusal postmaster
(evidence.md section 3). Not here: how long it holds (rules/freshness.py), what the MTA is told
(rules/actions.py).
"""

from collections.abc import Sequence
from types import MappingProxyType

from ..values.evidence import About, Exchange, Fault, Meaning, Stage
from ..values.record import Record
from ..values.verdict import Conclusion, Outcome, Reason
from .contrast import shows_contrast
from .outcomes import (
    TABLE,
    Finding,
    Phase,
    Remember,
    Then,
    by_connection,
    cell_of,
    is_permanent,
    is_refusal_of_us,
    judge,
)
from .plan import declines_vrfy, needs_postmaster

# A refusal of us at a host stands in the way of reading weak words there for this long (seconds).
REFUSAL_OF_US_COUNTS_S = 86_400

_MAILBOX = MappingProxyType(
    {
        Meaning.UNKNOWN_USER: Reason.NO_SUCH_MAILBOX,
        Meaning.DISABLED_USER: Reason.MAILBOX_DISABLED,
        Meaning.MOVED: Reason.MAILBOX_MOVED,
    }
)

_NOT_CALLED = MappingProxyType(
    {
        Fault.NO_SUCH_DOMAIN: (Reason.NO_SUCH_DOMAIN, True, "DNS says the domain does not exist"),
        Fault.NO_MAIL_HOST: (Reason.NO_MAIL_HOST, True, "the domain has no MX and no address"),
        Fault.NULL_MX: (Reason.NULL_MX, True, "the domain publishes a null MX: it takes no mail"),
        Fault.UNUSABLE_MX: (Reason.UNREACHABLE, False, "none of its MX names leads to an address"),
        Fault.DNS_FAILURE: (Reason.DNS_FAILURE, False, "DNS gave no answer that can be believed"),
        Fault.OPTED_OUT: (Reason.OPTED_OUT, True, "who runs the host does not want callouts"),
        Fault.OPT_OUT_UNKNOWN: (
            Reason.NOT_ASKED,
            True,
            "the DNS did not say whether who runs the host wants callouts",
        ),
        Fault.OVER_BUDGET: (Reason.OVER_BUDGET, True, "our budget for this host is used up"),
    }
)

# Without an acceptance or a refusal of the mailbox: which outcome tells most, first to last.
_TELLING = (
    Outcome.FULL,
    Outcome.DEFERRED,
    Outcome.UNSURE,
    Outcome.NO_BOUNCES,
    Outcome.REFUSED,
    Outcome.GARBLED,
    Outcome.UNREACHABLE,
)

# What answers the question, the milder first.
_SETTLED = (Outcome.ACCEPTED, Outcome.REJECTED)

# A more preferred host that answered so outweighs a refusal by a backup (scenario 63).
_ANSWERED = frozenset({Outcome.DEFERRED, Outcome.UNSURE, Outcome.FULL})


class _Heard(Record, frozen=True):
    """One conversation, and what it showed of the address."""

    said: Sequence[Exchange]
    finding: Finding


def conclude(evidence: Sequence[Exchange]) -> Conclusion:
    """Draw the conclusion. Total: strange evidence concludes in an unknown."""
    heard = [
        _Heard(said, finding)
        for said in by_connection(evidence)
        if (finding := judge(said, About.ADDRESS)) is not None
    ]
    if not heard:
        return _without_hosts(evidence)
    deciding = _most_telling(heard)
    match deciding.finding.outcome:
        case Outcome.ACCEPTED:
            return _accepted(deciding.finding.because, evidence)
        case Outcome.REJECTED | Outcome.UNSURE if needs_postmaster(deciding.finding.because):
            return _weakly_refused(deciding, evidence)
        case Outcome.REJECTED:
            because = deciding.finding.because
            reason = _MAILBOX[because.meaning or Meaning.UNKNOWN_USER]
            return Conclusion(reason, True, "the host permanently refuses this mailbox", because)
    return _unsettled(deciding.finding)


def _without_hosts(evidence: Sequence[Exchange]) -> Conclusion:
    """No host spoke today: what DNS said, or what is remembered from before."""
    control = _contrast(evidence, About.CONTROL)
    for exchange in reversed(evidence):
        if exchange is control and exchange.meaning is Meaning.ACCEPTED:
            return _accepts_any(exchange)
        if exchange.fault is not None and exchange.fault in _NOT_CALLED:
            reason, final, rule = _NOT_CALLED[exchange.fault]
            return Conclusion(reason, final, rule, exchange)
        cell = cell_of(exchange)
        telling = cell and (cell.remember is not Remember.NOTHING or declines_vrfy(exchange))
        if cell and cell.outcome and telling:
            return _unsettled(Finding(cell.outcome, cell.then, cell.remember, exchange))
    return Conclusion(Reason.UNREACHABLE, False, "no host was reached")


def _most_telling(heard: Sequence[_Heard]) -> _Heard:
    if len(heard) == 1:
        return heard[0]
    settled = [one for one in heard if one.finding.outcome in _SETTLED]
    if settled:
        first = min(settled, key=_rank)
        outweighing = [other for other in heard if _outweighs(other.finding, first.finding)]
        return outweighing[0] if outweighing else first
    return min(heard, key=lambda one: _TELLING.index(one.finding.outcome))


def _rank(one: _Heard) -> tuple[int, int]:
    """The most preferred host first; among equals, the one that accepted (scenario 64)."""
    return one.finding.because.preference, _SETTLED.index(one.finding.outcome)


def _outweighs(other: Finding, settled: Finding) -> bool:
    preferred = other.because.preference < settled.because.preference
    refused = settled.outcome is Outcome.REJECTED
    return refused and preferred and other.outcome in _ANSWERED


def _accepted(because: Exchange, evidence: Sequence[Exchange]) -> Conclusion:
    asked = [said for said in evidence if said.about is About.CONTROL]
    # Another host's refusal of the control is no contrast; a remembered one speaks for the domain.
    here = [said for said in asked if not said.connection or said.host == because.host]
    control = _contrast(here, About.CONTROL)
    if control is None:
        rule = (
            "accepted, but the control got no answer"
            if asked
            else "accepted, but no control was asked: the host may accept any address"
        )
        return Conclusion(Reason.AMBIGUOUS_REPLY, not asked, rule, because, settled=True)
    if control.meaning is Meaning.ACCEPTED:
        return _accepts_any(control)
    if shows_contrast(control):
        rule = "accepted, where an address that nobody has is refused"
        return Conclusion(Reason.ACCEPTED, True, rule, because, settled=True)
    final = is_permanent(control) or control.meaning is Meaning.AMBIGUOUS_ACCEPT
    rule = "accepted, but the control's answer gives no contrast"
    return Conclusion(Reason.AMBIGUOUS_REPLY, final, rule, control, settled=True)


def _accepts_any(control: Exchange) -> Conclusion:
    rule = "the host accepts addresses that nobody has"
    return Conclusion(Reason.ACCEPTS_ANY, True, rule, control, settled=True)


def _contrast(evidence: Sequence[Exchange], about: About) -> Exchange | None:
    """The last answer about the control or postmaster, if there is one."""
    answers = [
        exchange
        for exchange in evidence
        if exchange.about is about
        and exchange.stage in (Stage.RCPT, Stage.VRFY)
        and exchange.meaning is not None
    ]
    return answers[-1] if answers else None


def _weakly_refused(deciding: _Heard, evidence: Sequence[Exchange]) -> Conclusion:
    refusal = deciding.finding.because
    postmaster = _contrast(deciding.said, About.POSTMASTER)
    if postmaster is None:
        rule = "refused in words that say little, and no contrast could be had"
        return Conclusion(Reason.AMBIGUOUS_REPLY, True, rule, refusal)
    if is_permanent(postmaster) and _is_about_us(postmaster):
        return _unsettled(Finding(Outcome.REFUSED, Then.STOP, Remember.REFUSAL, postmaster))
    if is_permanent(postmaster):
        rule = "postmaster is refused in the same way: the host refuses everybody"
        return Conclusion(Reason.REFUSES_ANY, True, rule, postmaster)
    if postmaster.meaning is not Meaning.ACCEPTED:
        rule = "refused in words that say little, and postmaster's answer gives no contrast"
        return Conclusion(Reason.AMBIGUOUS_REPLY, True, rule, refusal)
    if any(_refused_us(exchange, refusal) for exchange in evidence):
        # Hosts exempt postmaster from their block lists: there, its acceptance is no contrast.
        rule = "refused in words that say little, by a host that refused us within a day"
        return Conclusion(Reason.AMBIGUOUS_REPLY, True, rule, refusal)
    reason = _MAILBOX.get(refusal.meaning or Meaning.UNCLEAR, Reason.NO_SUCH_MAILBOX)
    rule = "refused, where the same host accepts its postmaster in the same session"
    return Conclusion(reason, True, rule, refusal)


def _refused_us(exchange: Exchange, refusal: Exchange) -> bool:
    if exchange.ip != refusal.ip:
        return False
    recent = exchange.at > refusal.at - REFUSAL_OF_US_COUNTS_S
    # Of today, EHLO may have been refused before HELO was taken; what is remembered was the last word.
    remembered = not exchange.connection and is_refusal_of_us(exchange)
    return recent and (remembered or _is_about_us(exchange))


def _is_about_us(exchange: Exchange) -> bool:
    meaning = exchange.meaning
    return meaning is not None and TABLE[Phase.RCPT, meaning].remember is Remember.REFUSAL


_TRANSIENT = (Reason.PEER_TROUBLE, False, "the host says: not now")
# What decides where the mailbox was not settled: reason, final, and why.
_BY_MEANING = MappingProxyType(
    {
        Meaning.AMBIGUOUS_ACCEPT: (Reason.AMBIGUOUS_REPLY, True, "the host will not say"),
        Meaning.FULL: (Reason.MAILBOX_FULL, True, "the mailbox exists and is full"),
        Meaning.UNKNOWN_DOMAIN: (Reason.DOMAIN_NOT_SERVED, True, "its own MX does not serve it"),
        Meaning.NULL_SENDER_REFUSED: (
            Reason.REFUSES_NULL_SENDER,
            True,
            "the host refuses the null sender, whatever the mailbox",
        ),
        Meaning.SENDER_REJECTED: (Reason.REFUSES_US, True, "the host refuses our sender"),
        Meaning.CLIENT_BLOCKED: (Reason.REFUSES_US, True, "the host refuses us, not the mailbox"),
        Meaning.RATE_LIMITED: (Reason.RATE_LIMITED, True, "the host had too much of us"),
        Meaning.GREYLISTED: (Reason.GREYLISTED, False, "the host makes newcomers wait"),
        Meaning.VERIFYING: (Reason.PEER_IS_VERIFYING, False, "the host is verifying us meanwhile"),
        Meaning.SERVER_TROUBLE: _TRANSIENT,
        Meaning.TLS_REQUIRED: (Reason.TLS_REQUIRED, True, "the host wants TLS and none came about"),
        Meaning.AUTH_REQUIRED: (Reason.POLICY_REFUSAL, True, "the host wants authentication"),
        Meaning.CONTENT_OR_POLICY: (Reason.POLICY_REFUSAL, True, "the host names a policy"),
        Meaning.SYNTAX: (Reason.AMBIGUOUS_REPLY, True, "the host objects to the form"),
        Meaning.UNCLEAR: (Reason.AMBIGUOUS_REPLY, True, "the reply does not say"),
    }
)
# The mailbox's own meanings, in a 4xx: the first digit rules (scenario 41).
_REFUSED_FOR_NOW = (Reason.AMBIGUOUS_REPLY, True, "a refusal for now: the first digit rules")
_BY_FAULT = MappingProxyType(
    {
        Fault.NOT_SMTP: (Reason.PROTOCOL_ERROR, True, "the host does not speak SMTP"),
        Fault.OUT_OF_STEP: (Reason.PROTOCOL_ERROR, True, "the host's replies are out of step"),
        Fault.TLS_FAILED: (Reason.TLS_REQUIRED, True, "the TLS handshake failed"),
        Fault.NO_LOGIN: (Reason.POLICY_REFUSAL, True, "the host takes no login that we know"),
        Fault.NO_SMTPUTF8: (Reason.NEEDS_SMTPUTF8, True, "the host takes only ASCII addresses"),
        Fault.SOURCE_UNUSABLE: (Reason.IDENTITY_UNFIT, True, "our source address can't be used"),
        Fault.FORBIDDEN_NETWORK: (Reason.UNREACHABLE, True, "its network may not be called"),
    }
)


def _unsettled(finding: Finding) -> Conclusion:
    because = finding.because
    if because.fault is not None:
        unreachable = (Reason.UNREACHABLE, False, "the host gave no answer")
        reason, final, rule = _BY_FAULT.get(because.fault, unreachable)
        return Conclusion(reason, final, rule, because)
    meaning = because.meaning or Meaning.UNCLEAR
    reason, final, rule = _BY_MEANING.get(meaning, _REFUSED_FOR_NOW)
    if declines_vrfy(because):
        reason = Reason.POLICY_REFUSAL if is_permanent(because) else Reason.AMBIGUOUS_REPLY
        final, rule = True, "the host does not want VRFY"
    elif because.stage is not Stage.RCPT and reason is Reason.AMBIGUOUS_REPLY:
        reason, final, rule = _before_rcpt(because)
    elif meaning is Meaning.SYNTAX and because.code in _OUT_OF_SEQUENCE:
        reason, rule = Reason.PROTOCOL_ERROR, "the host lost the thread"
    elif not is_permanent(because) and reason is Reason.AMBIGUOUS_REPLY:
        final = meaning is Meaning.AMBIGUOUS_ACCEPT  # any other is a 4xx: it may say more later
    return Conclusion(reason, final, rule, because)


# RFC 5321 section 4.2.2: about the command, not about the address in it.
_OUT_OF_SEQUENCE = frozenset({500, 501, 502, 503, 504})


def _before_rcpt(because: Exchange) -> tuple[Reason, bool, str]:
    """A refusal before any mailbox was named, in words that do not say whom it is for."""
    if not is_permanent(because):
        return _TRANSIENT
    if because.stage is Stage.MAIL and because.meaning is Meaning.SYNTAX:
        return Reason.PROTOCOL_ERROR, True, "the host cannot read our MAIL"
    return Reason.REFUSES_US, True, "the host refuses before any mailbox was named"
