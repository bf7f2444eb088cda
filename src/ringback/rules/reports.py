"""Conclusions and entries → Report, the shape in which every door gets its answer. Pure.

Not here: drawing the conclusion (rules/conclude.py), writing it as JSON (doors/).
"""

from types import MappingProxyType

from ..values.evidence import Exchange, Fault
from ..values.query import Report
from ..values.record import Record
from ..values.verdict import Conclusion, Reason, Verdict
from .exemptions import Refusal
from .freshness import Entry, asked_again_at
from .gates import Gate
from .outcomes import Remember, cell_of


class Heading(Record, frozen=True):
    """What a report says whatever the answer: the address as it was asked, and when."""

    address: str
    now: float


def unasked(heading: Heading, reason: Reason, rule: str, gate: str = "") -> Report:
    """An answer that no host had a part in."""
    return Report(
        address=heading.address,
        reason=reason,
        final=reason is not Reason.DEADLINE,
        checked_at=heading.now,
        rule=rule,
        gate=gate,
    )


def refused(heading: Heading, refusal: Refusal) -> Report:
    """The answer of a gate that said no."""
    why = f" ({refusal.why})" if refusal.why else ""
    report = unasked(heading, refusal.reason, f"not called: {refusal.gate}{why}", refusal.gate)
    return report.but(final=refusal.retry_at is None, retry_at=refusal.retry_at)


def from_conclusion(
    heading: Heading, conclusion: Conclusion, evidence: tuple[Exchange, ...]
) -> Report:
    """The answer of a callout that is not remembered, or not yet."""
    because = conclusion.because
    return Report(
        address=heading.address,
        reason=conclusion.reason,
        final=conclusion.final,
        checked_at=heading.now,
        rule=conclusion.rule,
        callouts=connections(evidence),
        gate=_gate_before(because),
        settled=conclusion.settled,
        because=because,
        evidence=evidence,
    )


def from_entry(
    address: str, entry: Entry, *, from_cache: bool = True, callouts: int = 0, gate: str = ""
) -> Report:
    """The answer that is remembered; or that of the callout which made the entry just now."""
    return Report(
        address=address,
        reason=entry.reason,
        final=entry.final,
        checked_at=entry.checked_at,
        rule=entry.rule,
        expires_at=entry.expires_at,
        retry_at=entry.retry_at,
        from_cache=from_cache,
        callouts=callouts,
        gate=gate,
        settled=entry.settled,
        because=entry.because,
        evidence=entry.evidence,
    )


def from_callout(heading: Heading, new: Entry, kept: Entry) -> Report:
    """The answer of a callout that made the entry `new`, of which `kept` is remembered."""
    called, gate = connections(new.evidence), _gate_before(new.because)
    if kept.doubted_at is None or new.verdict is not Verdict.UNDELIVERABLE:
        return from_entry(heading.address, new, from_cache=False, callouts=called, gate=gate)
    report = doubted(heading.address, kept).but(evidence=new.evidence)
    return report.but(from_cache=False, callouts=called, gate=gate)


_GATES_OF_HOSTS = MappingProxyType({Remember.REFUSAL: Gate.BREAKER, Remember.WINDOW: Gate.GREYLIST})


def _gate_before(because: Exchange | None) -> str:
    """The gate before a host that was not called, from what is noted or remembered of it; "" for none."""
    if because is None:
        return ""
    if because.fault is Fault.FORBIDDEN_NETWORK:
        return Gate.FORBIDDEN_NETWORK
    if because.connection:
        return ""
    if because.fault in _NOT_CALLED:
        return because.rule
    cell = cell_of(because)
    return _GATES_OF_HOSTS.get(cell.remember, "") if cell else ""


_NOT_CALLED = frozenset({Fault.OPTED_OUT, Fault.OPT_OUT_UNKNOWN, Fault.OVER_BUDGET})


# Ends of a connection that was never begun.
_NOT_BEGUN = frozenset({Fault.FORBIDDEN_NETWORK, Fault.SOURCE_UNUSABLE})


def connections(evidence: tuple[Exchange, ...]) -> int:
    """How many connections, made or tried, `evidence` tells of."""
    return len({said.connection for said in evidence if said.fault not in _NOT_BEGUN} - {0})


_WHY_DOUBTED = MappingProxyType(
    {
        Verdict.DELIVERABLE: "known as deliverable, and refused since",
        Verdict.UNDELIVERABLE: "refused some time ago, and not confirmed when it was asked again",
    }
)


def doubted(address: str, entry: Entry) -> Report:
    """What is remembered may have changed: it neither accepts nor refuses until it is asked again."""
    return from_entry(address, entry).but(
        reason=Reason.AMBIGUOUS_REPLY,
        final=False,
        settled=False,
        rule=f"{_WHY_DOUBTED[entry.verdict]}: it is asked again before that counts",
        retry_at=asked_again_at(entry),
        because=None,  # what was said of old is no reason to have the mail wait
    )
