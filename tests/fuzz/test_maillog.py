"""Readers of mail logs under fire: an event or none, and callbacks that can be told, nothing else."""

import json
from datetime import UTC

from hypothesis import given
from hypothesis import strategies as st

from log_lines import CAPTURED_AT, LABELLED, load
from ringback.assemble import phrasebook
from ringback.doors.notices import write_notice
from ringback.doors.traced import LogSeen, encode_caller, tell_seen
from ringback.rules.callers import Callers
from ringback.rules.spotting import Spotter
from ringback.wire.maillog import LogReader

BOOK = phrasebook()
LINES = [line for path in LABELLED for line in load(path).lines]
JUNK = st.binary(max_size=30) | st.sampled_from(
    [b"from=<", b"> to=<", b'"', b"\\", b") [192.0.2.1] ", b"\x1b[2J", b"<>", b"=", b"-testing@x"]
)


@st.composite
def torn(draw: st.DrawFn) -> bytes:
    """A line of a real log, of which something was cut out, and something else put in."""
    line = draw(st.sampled_from(LINES))
    first, last = sorted(draw(st.tuples(*[st.integers(0, len(line))] * 2)))
    return line[:first] + draw(JUNK) + line[last:]


@given(st.lists(st.binary(max_size=80) | torn() | st.sampled_from(LINES), max_size=12))
def test_lines_are_events_or_none(lines: list[bytes]) -> None:
    reader, spotter, callers = LogReader(CAPTURED_AT, UTC), Spotter(BOOK), Callers(str.lower)
    for line in lines:
        event = reader.read(line)
        if event is not None:
            assert 0 < event.at
            for sighting in spotter.hear(event):
                callers.hear(sighting)
    for sighting in spotter.close():
        callers.hear(sighting)
    seen = callers.seen()

    assert all(line.isprintable() for line in tell_seen(seen, LogSeen(0, 0, None, None)))
    for caller in (*seen.callers, *seen.bouncing):
        assert json.dumps(encode_caller(caller)).isascii()
        for told in write_notice(caller, ""):
            assert told.isascii()
            assert 998 >= len(told)  # RFC 5322 section 2.1.1
