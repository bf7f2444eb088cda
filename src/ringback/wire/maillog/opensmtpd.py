"""What OpenSMTPD logs → events. Not here: its filters' words.

It says who connected, what was refused and what arrived, and nothing of recipients that it accepted before
the message: a session that asks and leaves shows as one that does nothing. Its reverse names are
not confirmed.
"""

import re

from ...values.evidence import Stage
from .events import (
    Arrived,
    Connected,
    Delivered,
    Disconnected,
    Fate,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from .fields import IP, PATH, bare, named_client
from .line import LogLine

_SESSION = r"(?P<session>[0-9a-f]{16}) "
_CONNECTED = re.compile(rf"{_SESSION}smtp connected address=(?:IPv6:)?\[?(?P<ip>{IP})\]? host=")
_DISCONNECTED = re.compile(rf"{_SESSION}smtp disconnected reason=(?P<how>.*)$")
_FAILED = re.compile(
    rf'{_SESSION}smtp failed-command command="(?P<command>.*)" '
    r'result="(?P<code>[45][0-9]{2}) (?P<text>.*)$'
)
_RECIPIENT = re.compile(rf"RCPT TO: ?<({PATH})>", re.IGNORECASE)
_ENVELOPE = re.compile(
    rf"{_SESSION}smtp envelope evpid=(?P<message>[0-9a-f]{{8}})[0-9a-f]{{8}} "
    rf"from=<(?P<sender>{PATH})> to=<(?P<recipient>{PATH})>$"
)
_DELIVERY = re.compile(
    rf"{_SESSION}m[td]a delivery evpid=(?P<message>[0-9a-f]{{8}})[0-9a-f]{{8}} from=<(?P<sender>{PATH})> "
    rf"to=<(?P<to>{PATH})> rcpt=<(?P<original>{PATH})> "
    r"(?P<rest>.{0,2000}?)\bresult=\"?(?P<fate>\w+)\"? stat=\"?(?P<text>.*?)\"?$"
)
_RELAY = re.compile(r"\brelay=\"?([^\"]{1,300}?)\"? delay=")
_VERBS = {"HELO": Stage.HELO, "EHLO": Stage.EHLO, "MAIL": Stage.MAIL, "RCPT": Stage.RCPT}
_FATES = {"Ok": Fate.SENT, "TempFail": Fate.DEFERRED, "PermFail": Fate.BOUNCED}
_UNTOLD = LoggedClient("")  # by all lines but the first of a session


def read_opensmtpd(line: LogLine) -> LogEvent | None:
    """Read a line of OpenSMTPD's; None where it tells nothing of these."""
    for mark, read in _READERS:
        if mark in line.text:
            return read(line)
    return None


def _read_connected(line: LogLine) -> Connected | None:
    found = _CONNECTED.match(line.text)
    if found is None:
        return None
    return Connected(
        at=line.at,
        software=Software.OPENSMTPD,
        session=_session(line, found),
        client=named_client(found["ip"]),
    )


def _read_disconnected(line: LogLine) -> Disconnected | None:
    found = _DISCONNECTED.match(line.text)
    if found is None:
        return None
    return Disconnected(
        at=line.at,
        software=Software.OPENSMTPD,
        session=_session(line, found),
        client=_UNTOLD,
        tidy=found["how"] == "quit",
    )


def _read_failed(line: LogLine) -> Refused | None:
    found = _FAILED.match(line.text)
    if found is None or not found["text"].endswith('"'):
        return None
    command = found["command"]
    recipient = _RECIPIENT.match(command)
    return Refused(
        at=line.at,
        software=Software.OPENSMTPD,
        session=_session(line, found),
        client=_UNTOLD,
        stage=_VERBS.get(command[:4].upper()),
        code=int(found["code"]),
        text=found["text"][:-1],
        recipient=bare(recipient[1]) if recipient else "",
    )


def _read_envelope(line: LogLine) -> Arrived | None:
    """One a recipient, all of one `message`."""
    found = _ENVELOPE.match(line.text)
    if found is None:
        return None
    return Arrived(
        at=line.at,
        software=Software.OPENSMTPD,
        session=_session(line, found),
        message=found["message"],
        sender=bare(found["sender"]),
        recipients=(bare(found["recipient"]),),
        accepted=1,
    )


def _read_delivery(line: LogLine) -> Delivered | None:
    found = _DELIVERY.match(line.text)
    fate = _FATES.get(found["fate"]) if found else None
    if found is None or fate is None:
        return None
    relay = _RELAY.search(found["rest"])
    return Delivered(
        at=line.at,
        software=Software.OPENSMTPD,
        message=found["message"],
        recipient=bare(found["to"]),
        fate=fate,
        original=bare(found["original"]),
        sender=bare(found["sender"]),
        relay=relay[1] if relay else "",
        text=found["text"],
    )


# What a line must hold to be one's; looked for in this order.
_READERS = (
    (" smtp connected ", _read_connected),
    (" smtp failed-command ", _read_failed),
    (" smtp envelope ", _read_envelope),
    (" smtp disconnected ", _read_disconnected),
    (" delivery evpid=", _read_delivery),
)


def _session(line: LogLine, found: re.Match[str]) -> str:
    return f"{line.host}/{found['session']}"
