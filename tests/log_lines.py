"""Labelled logs of real servers (tests/vectors/maillog/), and lines of logs taken apart for tests."""

from dataclasses import dataclass
from pathlib import Path

from ringback.assemble import phrasebook
from ringback.rules.callbacks import Callback
from ringback.rules.spotting import Spotter
from ringback.wire.maillog import LogEvent, LogReader
from ringback.wire.maillog.line import LogLine

_LOGS = Path(__file__).parent / "vectors" / "maillog"
LABELLED = sorted(_LOGS.glob("*.log"))
FILTERED = _LOGS / "filtered"  # by filters and milters; without labels
CAPTURED_AT = 1_795_300_000.0  # a little after the logs were written: 2026-11-21
_LABEL = "# = "


@dataclass(frozen=True, slots=True)
class Labelled:
    """A log, and its callbacks by the address that made each: what shows it, and the software."""

    lines: tuple[bytes, ...]
    callbacks: dict[str, tuple[str, str]]


def load(path: Path) -> Labelled:
    lines = path.read_bytes().splitlines()
    labels = (line.decode().split()[2:] for line in lines if line.startswith(_LABEL.encode()))
    return Labelled(tuple(lines), {ip: (ground, maker) for ip, ground, maker in labels})


def events_of(lines: tuple[bytes, ...], now: float = CAPTURED_AT) -> list[LogEvent]:
    """What a log tells."""
    reader = LogReader(now)
    return [event for line in lines if (event := reader.read(line)) is not None]


def callbacks_in(events: list[LogEvent]) -> list[Callback]:
    """What a log's events were of callbacks."""
    spotter = Spotter(phrasebook())
    sightings = [sighting for event in events for sighting in spotter.hear(event)]
    return [one for one in (*sightings, *spotter.close()) if isinstance(one, Callback)]


def line_of(program: str, text: str, process: str = "8", host: str = "mx") -> LogLine:
    return LogLine(1.0, host, program, process, text)
