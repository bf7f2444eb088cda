"""What `ringback trace` does: logs in, callers out.

Not here: its options (trace.py), and what a callback is (rules/callbacks.py).
"""

from collections.abc import Sequence
from datetime import tzinfo

from ...assemble import organisations, phrasebook
from ...errors import UsageError
from ...rules.burden import network_of
from ...rules.callers import MAX_NAMES, Caller, Callers, CallersSeen
from ...rules.spotting import Spotter
from ...values.record import Record
from ...wire.maillog import Abandoned, Disconnected, LogEvent, Software
from ..log_files import LogFiles
from ..traced import LogSeen

_HOWTO = "see docs/howto/trace.md"
_BY_NAME = (
    "callers whose hosts have confirmed names are counted under these, and of each the first "
    f"{MAX_NAMES} addresses are kept: look for the name"
)


class Found(Record, frozen=True):
    """What logs told; `complaints` say what they could not tell, and why."""

    seen: CallersSeen
    log: LogSeen
    complaints: tuple[str, ...]

    def only(self, wanted: str) -> "Found":
        """Leave one caller, named by what it is counted under, a host of it or an address."""
        name = wanted.lower().removesuffix(".")
        names = {name, organisations()(name), network_of(name)}

        def kept(callers: tuple[Caller, ...]) -> tuple[Caller, ...]:
            return tuple(one for one in callers if one.name in names or name in one.ips)

        seen = self.seen.but(callers=kept(self.seen.callers), bouncing=kept(self.seen.bouncing))
        is_address = network_of(name) != name
        doubt = (_BY_NAME,) if is_address and not (seen.callers or seen.bouncing) else ()
        return self.but(seen=seen, complaints=(*self.complaints, *doubt))


def trace_logs(names: Sequence[str], now: float, since_at: float, zone: tzinfo | None) -> Found:
    """Find the callers in logs; what is older than `since_at` is passed over. Raises UsageError, OSError."""
    files, spotter, callers, kinds = (
        LogFiles(names, now, zone),
        Spotter(phrasebook()),
        Callers(organisations()),
        _Kinds(),
    )
    first_at = last_at = None
    for event in files.events():
        if event.at < since_at:
            continue
        first_at = event.at if first_at is None else min(first_at, event.at)
        last_at = event.at if last_at is None else max(last_at, event.at)
        kinds.note(event)
        for sighting in spotter.hear(event):
            callers.hear(sighting)
    for sighting in spotter.close():
        callers.hear(sighting)
    if files.lines and not files.told:
        raise UsageError(f"none of {files.lines:,} lines is one of a mail server; {_HOWTO}")
    log = LogSeen(
        files.lines, files.told, first_at, last_at, spotter.dropped, since_at, files.unread
    )
    return Found(callers.seen(), log, kinds.complaints())


class _Kinds:
    """Which lines there were: what a log does not tell cannot be found in it."""

    def __init__(self) -> None:
        self._seen: set[tuple[Software, str]] = set()

    def note(self, event: LogEvent) -> None:
        what = (
            "ends"
            if isinstance(event, Disconnected)
            else "abandons"
            if isinstance(event, Abandoned)
            else ""
        )
        self._seen.add((event.software, what))
        if isinstance(event, Disconnected) and event.commands:
            self._seen.add((event.software, "counts"))

    def complaints(self) -> tuple[str, ...]:
        """What to change, so that more can be found."""
        seen, told = self._seen, []
        if (Software.POSTFIX, "ends") in seen and (Software.POSTFIX, "counts") not in seen:
            told.append(
                "the log of this Postfix does not count commands, as it does since 3.0: "
                "recipients that it accepted without a message do not show"
            )
        if (Software.EXIM, "") in seen and (Software.EXIM, "abandons") not in seen:
            told.append(
                "nowhere in Exim's log is a recipient that was accepted without a message; if log_selector "
                f"does not have +smtp_incomplete_transaction +pid, they do not show ({_HOWTO})"
            )
        if any(software is Software.OPENSMTPD for software, _ in seen):
            told.append(
                f"OpenSMTPD logs neither senders nor recipients it accepted: few callbacks show ({_HOWTO})"
            )
        return tuple(told)
