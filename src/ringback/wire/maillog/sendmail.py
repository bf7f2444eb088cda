"""What Sendmail logs at its usual level (9) → events. Not here: its words on each command at higher levels.

A session is a process of Sendmail's; it does not say when one ends.
"""

import re

from ...values.evidence import Stage
from .events import (
    Abandoned,
    Arrived,
    Delivered,
    Fate,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from .fields import IP, PATH, bare, named_client
from .line import LogLine

_MESSAGE = r"(?P<message>[0-9A-Za-z]{14,18})"
_CLIENT = (
    rf"(?:(?P<name>[^\s\[\],]{{1,255}}) )?\[(?P<ip>(?:IPv6:)?{IP})\](?P<forged> \(may be forged\))?"
)
_FROM = re.compile(
    rf"{_MESSAGE}: from=(?:<(?P<sender>{PATH})>|(?P<user>[^\s,<>]{{1,255}})), "
    r"size=(?P<size>[0-9]{1,15}), "
    r"class=-?[0-9]{1,6}, nrcpts=(?P<count>[0-9]{1,9}),(?: msgid=.{0,1000},)?"
    r"(?: (?!relay=)\w{1,20}=[^\s,]{1,64},){0,9}"
    rf"(?P<relay> relay=)(?:{_CLIENT}|\S{{1,255}})(?:,|$)"
)
# The field before the relay; a Message-ID may hold the same words.
_AUTH = "auth="
_NO_LOGIN = "auth=NONE,"
_TO = re.compile(
    rf"{_MESSAGE}: to=(?P<recipients>\S{{1,2048}}), "
    r"(?:ctladdr=\S{1,512}(?: \([0-9/]{1,40}\))?, )?delay=\S{1,40}, "
    r"(?:pri=[0-9]{1,15}|.{0,400}?\bdsn=(?P<class>[245])\.[0-9]{1,3}\.[0-9]{1,3}), stat=(?P<text>.*)$"
)
_RELAY = re.compile(r" relay=([^,]{1,300}),")
_RULESET = re.compile(
    rf"{_MESSAGE}: ruleset=(?P<ruleset>check_(?:relay|mail|rcpt|data|eoh|eom)), "
    rf"arg1=(?:<(?P<path>{PATH})>|[^,]{{0,512}}),(?: arg2=[^,]{{1,255}},)? "
    rf"relay={_CLIENT}, reject=(?P<code>[45][0-9]{{2}}) (?P<text>.*)$"
)
_UNKNOWN_USER = re.compile(rf"{_MESSAGE}: <(?P<recipient>{PATH})>\.\.\. (?P<text>User unknown)$")
_MILTER = re.compile(
    rf"{_MESSAGE}: Milter: (?:(?P<verb>from|to)=<(?P<path>{PATH})>|(?:cmd=)?data), "
    r"reject=(?P<code>[45][0-9]{2}) (?P<text>.*)$"
)
_LOST = re.compile(rf"{_MESSAGE}: lost input channel from {_CLIENT} to \S+ after (?P<verb>\w+)$")
_STAGES = {"check_relay": Stage.CONNECT, "check_mail": Stage.MAIL, "check_rcpt": Stage.RCPT}
_MILTER_STAGES = {"from": Stage.MAIL, "to": Stage.RCPT}
_FATES = {"2": Fate.SENT, "4": Fate.DEFERRED, "5": Fate.BOUNCED}
_OF_NONE = "5"  # nothing was tried, since a milter had the message refused
_WITH_MESSAGE = frozenset({"data", "bdat"})
_NOBODY = LoggedClient("")


def read_sendmail(line: LogLine) -> LogEvent | None:
    """Read a line of Sendmail's; None where it tells nothing of these."""
    for mark, read in _READERS:
        if mark in line.text and (event := read(line)):
            return event
    return None


def _read_from(line: LogLine) -> Arrived | Abandoned | None:
    found = _FROM.match(line.text)
    if found is None:
        return None
    sender = bare(found["sender"] if found["user"] is None else found["user"])
    size, accepted = int(found["size"]), int(found["count"])
    client = _client(found) if found["ip"] else _NOBODY
    session, message = _session(line), _message(line, found)
    if size == 0 and client.ip:  # a message has a header at least
        return Abandoned(
            at=line.at,
            software=Software.SENDMAIL,
            session=session,
            message=message,
            client=client,
            sender=sender,
            accepted=accepted,
        )
    return Arrived(
        at=line.at,
        software=Software.SENDMAIL,
        session=session,
        message=message,
        client=client,
        sender=sender,
        accepted=accepted,
        size_bytes=size,
        authenticated=_is_login(line.text[: found.start("relay")]),
    )


def _is_login(fields: str) -> bool:
    last = fields.rpartition(", ")[2]
    return last.startswith(_AUTH) and last != _NO_LOGIN


def _read_to(line: LogLine) -> Delivered | None:
    found = _TO.match(line.text)
    if found is None:
        return None
    relay = _RELAY.search(line.text)
    return Delivered(
        at=line.at,
        software=Software.SENDMAIL,
        message=_message(line, found),
        recipient=found["recipients"].partition(",")[0].strip("<>"),
        fate=_FATES[found["class"] or _OF_NONE],
        relay=relay[1] if relay else "",
        text=found["text"],
    )


def _read_ruleset(line: LogLine) -> Refused | None:
    found = _RULESET.match(line.text)
    if found is None:
        return None
    stage, path = _STAGES.get(found["ruleset"]), bare(found["path"] or "")
    return Refused(
        at=line.at,
        software=Software.SENDMAIL,
        session=_session(line),
        message=_message(line, found),
        client=_client(found),
        stage=stage,
        code=int(found["code"]),
        text=found["text"],
        sender=path if stage is Stage.MAIL else None,
        recipient=path if stage is Stage.RCPT else "",
    )


def _read_unknown_user(line: LogLine) -> Refused | None:
    """The client is not in this line; those of the same session have it."""
    found = _UNKNOWN_USER.match(line.text)
    if found is None:
        return None
    return Refused(
        at=line.at,
        software=Software.SENDMAIL,
        session=_session(line),
        message=_message(line, found),
        client=_NOBODY,
        stage=Stage.RCPT,
        code=550,
        text=found["text"],
        recipient=bare(found["recipient"]),
    )


def _read_milter(line: LogLine) -> Refused | None:
    """The client is not in this line, and the sender only where it is what was refused."""
    found = _MILTER.match(line.text)
    if found is None:
        return None
    path = bare(found["path"] or "")
    return Refused(
        at=line.at,
        software=Software.SENDMAIL,
        session=_session(line),
        message=_message(line, found),
        client=_NOBODY,
        stage=_MILTER_STAGES.get(found["verb"]),
        code=int(found["code"]),
        text=found["text"],
        sender=path if found["verb"] == "from" else None,
        recipient=path if found["verb"] == "to" else "",
    )


def _read_lost(line: LogLine) -> Abandoned | None:
    """The line on its envelope, with "from=", comes after this one."""
    found = _LOST.match(line.text)
    if found is None:
        return None
    return Abandoned(
        at=line.at,
        software=Software.SENDMAIL,
        session=_session(line),
        message=_message(line, found),
        client=_client(found),
        sender=None,
        tidy=False,
        offered=found["verb"] in _WITH_MESSAGE,
    )


# What a line must hold to be one's; looked for in this order.
_READERS = (
    (": Milter: ", _read_milter),
    (": ruleset=", _read_ruleset),
    (": from=", _read_from),
    (": to=", _read_to),
    (">... User unknown", _read_unknown_user),
    (": lost input channel ", _read_lost),
)


def _session(line: LogLine) -> str:
    return f"{line.host}/{line.process}" if line.process else ""


def _message(line: LogLine, found: re.Match[str]) -> str:
    return f"{line.host}/{found['message']}"


def _client(found: re.Match[str]) -> LoggedClient:
    name = "" if found["forged"] else found["name"] or ""
    # Before the name, who it was by ident: "root@" or "IDENT:root@".
    return named_client(found["ip"].removeprefix("IPv6:"), name.rpartition("@")[2])
