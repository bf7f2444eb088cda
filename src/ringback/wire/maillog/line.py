"""One line of a log, taken apart as far as all logs are alike. Not here: what mail servers write in it."""

import re

from ...values.record import Record
from ..octets import decode_text
from .stamps import Stamp

# Postfix and OpenSMTPD write at most some thousand octets; Exim's recipients of one message may be more. What
# is beyond names nobody, and a line of a broken file must not fill the memory.
MAX_LINE_BYTES = 16_384

_PRIORITY = r"(?:<[0-9]{1,3}>)?"  # as on the wire, where somebody kept what came from it
# syslogd -v of FreeBSD says what the priority means; Solaris numbers its messages.
_MEANING = r"(?:<[a-z0-9.]{1,32}> )?"
_PROGRAM = (
    r"(?P<program>[^\s\[:]{1,64})(?:\[(?P<process>[0-9]{1,10})\])?: "
    r"(?:\[ID [0-9]{1,10} [a-z0-9.]{1,32}\] )?"
)
_NO_YEAR = re.compile(
    rf"{_PRIORITY}(?P<at>[A-Z][a-z]{{2}} [ 0-9][0-9] [0-9:]{{8}})(?:\.[0-9]{{1,9}})? {_MEANING}"
    rf"(?:(?P<host>[^\s:\[\]]{{1,255}}|[0-9A-Fa-f]{{0,4}}:[0-9A-Fa-f:.]{{1,41}}) )?{_PROGRAM}"
)
_WITH_YEAR = re.compile(
    rf"{_PRIORITY}(?P<at>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:.,Z+-]{{8,30}}) {_MEANING}"
    rf"(?P<host>\S{{1,255}}) {_PROGRAM}"
)
# journalctl -o short-full: the zone is a word, of which only UTC is known everywhere.
_WITH_DAY = re.compile(
    r"[A-Z][a-z]{2} (?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?: UTC| [+-][0-9]{2,4})?)(?: [A-Z]{2,5})? "
    rf"(?P<host>\S{{1,255}}) {_PROGRAM}"
)
_STRUCTURED = re.compile(  # RFC 5424 section 6
    rf"{_PRIORITY}1 (?P<at>[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}T[0-9:.Z+-]{{8,30}}) (?P<host>\S{{1,255}}) "
    r"(?P<program>\S{1,48}) (?P<process>\S{1,128}) \S{1,32} "
    r"(?:-|(?:\[(?:[^\]\\]|\\.){0,4096}+\]){1,16}+) (?:\ufeff)?"
)
_NIL = "-"  # where RFC 5424 has nothing to say
# Exim's own log, or the same line within one of the system's.
EXIM_STAMP = re.compile(
    r"(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}(?:\.[0-9]{1,6})?(?: [+-][0-9]{4})?) "
    r"(?:\[(?P<process>[0-9]{1,10})\] )?"
)
EXIM = "exim"


class LogLine(Record, frozen=True):
    """Who wrote what, when. `host` is of the log, and "" in one that a program keeps for itself."""

    at: float
    host: str
    program: str
    process: str
    text: str


def parse_line(octets: bytes, with_year: Stamp, without_year: Stamp) -> LogLine | None:
    """Take a line apart; None where it is none that a system or Exim writes. What is too long is cut."""
    line = decode_text(octets[:MAX_LINE_BYTES]).rstrip("\r\n")
    if found := EXIM_STAMP.match(line):
        at = with_year(found["at"])
        found_process = found["process"] or ""
        text = line[found.end() :]
        return None if at is None else LogLine(at, "", EXIM, found_process, text)
    found = _WITH_YEAR.match(line) or _NO_YEAR.match(line)
    found = found or _STRUCTURED.match(line) or _WITH_DAY.match(line)
    if found is None:
        return None
    at = (without_year if found.re is _NO_YEAR else with_year)(found["at"])
    if at is None:
        return None
    host, process = _said(found["host"]), _said(found["process"])
    return LogLine(at, host, found["program"], process, line[found.end() :])


def _said(field: str | None) -> str:
    return "" if field is None or field == _NIL else field
