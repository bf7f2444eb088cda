"""The value of `Ringback-Result`: what was concluded of a message's sender, for those behind the MTA.

Its manner is that of Authentication-Results (RFC 8601 section 2.2):

    value  = name ";" FWS ("none" / sender)
    sender = "sender=" verdict FWS "reason=" reason [FWS "gate=" gate] FWS "action=" action FWS "mode=" mode
    action = "pass" / "defer" / "refuse"

`name` is the one that we give in EHLO; "none" stands where nothing was concluded. No word of it comes from
outside. Not here: how it gets into a message, and forged ones out of it (wire/milter_session.py).
"""

from types import MappingProxyType

from ..rules.actions import Kind
from ..values.settings import Mode
from .judging import Ruling

_WORDS = MappingProxyType(
    {
        Kind.DUNNO: "pass",
        Kind.DEFER_IF_PERMIT: "defer",
        Kind.DEFER: "defer",
        Kind.REFUSE: "refuse",
    }
)


def result_lines(name: str, ruling: Ruling | None, mode: Mode) -> tuple[str, ...]:
    """Return the value in the lines that it is folded into."""
    if ruling is None:
        return (f"{name}; none",)
    report = ruling.report
    gate = f" gate={report.gate}" if report.gate else ""
    concluded = f"sender={report.verdict} reason={report.reason}{gate}"
    return (f"{name};", concluded, f"action={_WORDS[ruling.action.kind]} mode={mode}")
