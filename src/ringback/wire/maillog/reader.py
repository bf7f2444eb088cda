"""Lines of any mail log → events. No clock and no files: callers bring `now` and the lines.

Not here: what each software writes (postfix.py and its neighbours), and opening logs (doors/log_files.py).
"""

from datetime import tzinfo

from .events import LogEvent
from .exim import read_exim
from .line import EXIM, LogLine, parse_line
from .opensmtpd import read_opensmtpd
from .postfix import read_postfix
from .sendmail import read_sendmail
from .stamps import stamp_reader, year_guesser

_READERS = {
    EXIM: read_exim,
    "exim4": read_exim,
    "sendmail": read_sendmail,
    "sm-mta": read_sendmail,
    "smtpd": read_opensmtpd,
}


class LogReader:
    """Reads the lines of one log.

    `now`, in Unix seconds, tells the year where stamps have none: when the log was written last, say.
    `zone` is for stamps without an offset; None is that of this machine. `unread` counts lines whose form is
    not that of any log.
    """

    def __init__(self, now: float, zone: tzinfo | None = None) -> None:
        self.unread = 0
        self._with_year, self._without_year = stamp_reader(zone), year_guesser(now, zone)

    def read(self, octets: bytes) -> LogEvent | None:
        """What a line tells; None for one that is not a mail server's, or tells nothing of mail."""
        line = parse_line(octets, self._with_year, self._without_year)
        if line is None:
            self.unread += not octets.isspace()
            return None
        return _read(line)


def _read(line: LogLine) -> LogEvent | None:
    if "/" in line.program:  # postfix/smtpd, and whatever syslog_name says before the slash
        return read_postfix(line)
    read = _READERS.get(line.program)
    return read(line) if read else None
