"""What Exim's main log says → events. Not here: its panic and reject logs, whose lines it repeats.

Which lines there are depends on log_selector. Exim writes what clients say as it came, controls escaped, and
takes HELO names with blanks where helo_accept_junk_hosts says so: a line that can be read in two ways is not.
"""

import re

from ...values.evidence import Stage
from .events import (
    Abandoned,
    Arrived,
    Delivered,
    Disconnected,
    Fate,
    Finished,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)
from .fields import IP, PATH, bare, named_client
from .line import EXIM_STAMP, LogLine

# 4.97 made them longer.
_MESSAGE = r"(?P<message>[0-9A-Za-z]{6}-[0-9A-Za-z]{6}(?:[0-9A-Za-z]{5})?-[0-9A-Za-z]{2}(?:[0-9A-Za-z]{2})?)"
_CLIENT = (
    r"(?:(?P<name>[^\s()\[\]<>]{1,255}) )?(?:\((?P<helo>[^\s()]{1,255})\) )?"
    rf"\[(?P<ip>{IP})\](?::(?P<port>[0-9]{{1,5}}))?"
)
# Fields that log_selector puts between a client and what he did: I=[…], U=…, P=…, X=…, CV=…, A=…
_BETWEEN = r"(?: (?:TFO|L|(?!F=)[A-Za-z0-9]{1,8}=(?:\"[^\"]{0,512}\"|\S{0,512}))){0,12}"
_REFUSED = re.compile(
    rf"(?:{_MESSAGE} )?H={_CLIENT}(?P<between>{_BETWEEN})"
    rf"(?: F=<(?P<sender>{PATH})>)?(?P<after> A=\S{{1,255}})?"
    r" (?P<later>temporarily )?rejected "
    r"(?P<verb>MAIL|RCPT|DATA|after DATA|during MIME ACL checks|by local_scan\(\))"
    rf"(?: <(?P<recipient>{PATH})>)?(?:: (?P<text>.*))?$"
)
_REFUSED_HELO = re.compile(
    rf"(?:temporarily )?rejected (?:HELO|EHLO|EHLO or HELO) .{{0,512}}?from {_CLIENT}: (?P<text>.*)$"
)
# What would follow the client, had what went before been within somebody's HELO name.
_TWO_WAYS = re.compile(rf"\) \[{IP}\](?::[0-9]+)? ")
_ABANDONED = re.compile(
    rf"H={_CLIENT}{_BETWEEN} incomplete transaction \((?P<how>[A-Za-z ]{{1,40}})\)"
    rf"(?: from <(?P<sender>{PATH})>)?(?: for (?P<recipients>.*))?$"
)
_CLOSED = re.compile(
    rf"SMTP connection from {_CLIENT}{_BETWEEN} (?P<how>closed by QUIT|closed |lost)"
)
_CUT = re.compile(
    r"(?:unexpected disconnection while reading SMTP command from|SMTP command timeout on connection from) "
    rf"{_CLIENT}"
)
_CUT_IN_MESSAGE = re.compile(
    rf"{_MESSAGE} SMTP (?:data timeout \(message abandoned\) on )?connection from {_CLIENT}"
)
_ARRIVED = re.compile(
    rf"{_MESSAGE} <= (?:<>|(?P<sender>(?:\"(?:[^\"\\]|\\.){{0,256}}+\")?[^\s\"<>]{{1,512}}))"
    r"(?P<fields>(?: .*)?)$"
)
_FROM = re.compile(rf"(?:^| )H={_CLIENT}(?: |$)")
_SIZE = re.compile(r" S=([0-9]{1,15})(?: |$)")
_FIELD = re.compile(r" ([A-Za-z0-9]{1,8})=(\"[^\"]{0,512}\"|\S{0,512})")
# What a sender can write at will, his message's id and subject, stands after all other fields but the
# recipients; where it holds blanks, it has quotes or brackets at its end.
_AT_WILL = re.compile(r" id=| T=\"")
_PLAIN = r"[^\s@\"\[\]]++@[^\s\"\[\]]++"
_FOR = re.compile(rf" for ({_PLAIN}(?: {_PLAIN})*+)$")
_DELIVERED = re.compile(
    rf"{_MESSAGE} (?P<mark>=>|->|>>|\*\*|==) (?P<to>\S{{1,512}})(?: \([^()]{{0,512}}\))?"
    rf"(?: <(?P<original>{PATH})>)?(?P<fields>.*)$"
)
_SENT_BY = re.compile(rf"^ (?:P=<{PATH}> )?F=<({PATH})>")
_RELAY = re.compile(r" H=(\S{1,255} \[[^\]]{1,45}\])")
_FINISHED = re.compile(rf"{_MESSAGE} Completed(?: QT=\S+)?$")
_FATES = {
    "=>": Fate.SENT,
    "->": Fate.SENT,
    ">>": Fate.SENT,
    "==": Fate.DEFERRED,
    "**": Fate.BOUNCED,
}
_STAGES = {"MAIL": Stage.MAIL, "RCPT": Stage.RCPT}
_MAX_RECIPIENTS = 1_000  # of one line; more than any sender of mail to people has
_LEFT = frozenset({"QUIT", "RSET"})


def read_exim(line: LogLine) -> LogEvent | None:
    """Read a line of Exim's main log; None where it tells nothing of these."""
    if repeated := EXIM_STAMP.match(line.text):  # within a line of the system's
        line = line.but(
            text=line.text[repeated.end() :], process=repeated["process"] or line.process
        )
    for marks, read in _READERS:
        if any(mark in line.text for mark in marks) and (event := read(line)):
            return event
    return None


def _read_refused(line: LogLine) -> Refused | None:
    found = _REFUSED.match(line.text)
    if found is None or _TWO_WAYS.search(line.text, found.end("ip") + 1):
        return _read_refused_helo(line)
    verb, sender = found["verb"], found["sender"]
    return Refused(
        at=line.at,
        software=Software.EXIM,
        session=_session(line, found),
        message=found["message"] or "",
        client=_client(found, _login(f"{found['between']}{found['after'] or ''}")),
        stage=_STAGES.get(verb),
        code=450 if found["later"] else 550,
        text=found["text"] or "",
        sender=bare(sender) if sender is not None else None,
        recipient=bare(found["recipient"] or "") if verb == "RCPT" else "",
    )


def _read_refused_helo(line: LogLine) -> Refused | None:
    found = _REFUSED_HELO.match(line.text)
    if found is None or _TWO_WAYS.search(line.text):
        return None
    return Refused(
        at=line.at,
        software=Software.EXIM,
        session=_session(line, found),
        client=_client(found),
        stage=Stage.EHLO,
        code=450 if line.text.startswith("temporarily") else 550,
        text=found["text"],
    )


def _read_abandoned(line: LogLine) -> Abandoned | None:
    found = _ABANDONED.match(line.text)
    if found is None or _TWO_WAYS.search(line.text, found.end("ip") + 1):
        return None
    recipients = tuple((found["recipients"] or "").split()[:_MAX_RECIPIENTS])
    return Abandoned(
        at=line.at,
        software=Software.EXIM,
        session=_session(line, found),
        client=_client(found),
        sender=bare(found["sender"] or ""),
        recipients=recipients,
        accepted=len(recipients),
        tidy=found["how"] in _LEFT,
    )


def _read_cut_in_message(line: LogLine) -> Abandoned | None:
    found = _CUT_IN_MESSAGE.match(line.text)
    if found is None:
        return None
    return Abandoned(
        at=line.at,
        software=Software.EXIM,
        session=_session(line, found),
        message=found["message"],
        client=_client(found),
        sender=None,
        tidy=False,
        offered=True,
    )


def _read_closed(line: LogLine) -> Disconnected | None:
    found = _CLOSED.match(line.text) or _CUT.match(line.text)
    if found is None:
        return None
    return Disconnected(
        at=line.at,
        software=Software.EXIM,
        session=_session(line, found),
        client=_client(found),
        tidy=found.groupdict().get("how") == "closed by QUIT",
    )


def _read_arrived(line: LogLine) -> Arrived | None:
    found = _ARRIVED.match(line.text)
    if found is None:
        return None
    fields = _AT_WILL.split(found["fields"], maxsplit=1)[0]
    peer, size, login = _FROM.search(fields), _SIZE.search(fields), _login(fields)
    named = _FOR.search(found["fields"])
    recipients = tuple(named[1].split()[:_MAX_RECIPIENTS]) if named else ()
    return Arrived(
        at=line.at,
        software=Software.EXIM,
        session=_session(line, peer) if peer else "",
        message=found["message"],
        client=_client(peer, login) if peer else LoggedClient(""),
        sender=bare(found["sender"] or ""),
        recipients=recipients,
        accepted=len(recipients),
        size_bytes=int(size[1]) if size else 0,
        authenticated=login is not None,
    )


def _read_delivered(line: LogLine) -> Delivered | None:
    found = _DELIVERED.match(line.text)
    if found is None:
        return None
    fields = found["fields"]
    sender, relay = _SENT_BY.match(fields), _RELAY.search(fields)
    return Delivered(
        at=line.at,
        software=Software.EXIM,
        message=found["message"],
        recipient=found["to"],
        fate=_FATES[found["mark"]],
        original=bare(found["original"] or ""),
        sender=bare(sender[1]) if sender else None,
        relay=relay[1] if relay else "",
        text=_said(fields),
    )


def _said(fields: str) -> str:
    """What the next host answered, or why there was none."""
    _, confirmed, rest = fields.partition(' C="')
    return rest.rpartition('"')[0] if confirmed else fields.partition(": ")[2]


def _read_finished(line: LogLine) -> Finished | None:
    found = _FINISHED.match(line.text)
    if found is None:
        return None
    return Finished(at=line.at, software=Software.EXIM, message=found["message"])


# What a line must hold that one of them reads; others may hold it in their words.
_READERS = (
    ((" <= ",), _read_arrived),
    ((" => ", " -> ", " >> ", " ** ", " == "), _read_delivered),
    ((" Completed",), _read_finished),
    ((" incomplete transaction (",), _read_abandoned),
    (("rejected ",), _read_refused),
    ((" while reading message data", "(message abandoned)"), _read_cut_in_message),
    (
        ("SMTP connection from ", "unexpected disconnection ", " timeout on connection from "),
        _read_closed,
    ),
)


def _session(line: LogLine, client: re.Match[str]) -> str:
    """By process, else by port: log_selector has +pid or +incoming_port, or neither.

    And by address: two hosts whose logs do not name them may have the same process at a time.
    """
    if line.process:
        return f"{line.host}/{line.process}[{client['ip']}]"
    return f"{line.host}/[{client['ip']}]:{client['port']}" if client["port"] else ""


def _login(fields: str) -> str | None:
    """Who had proved to be whom; what stands in quotes may be a certificate's word."""
    said = dict(_FIELD.findall(fields)).get("A")
    return None if said is None else said.partition(":")[2]


def _client(found: re.Match[str], login: str | None = None) -> LoggedClient:
    name, helo = found["name"] or "", found["helo"] or ""
    return named_client(found["ip"], name, helo or name, login or "")
