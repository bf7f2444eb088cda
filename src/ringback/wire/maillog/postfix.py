"""What Postfix logs → events. Not here: its warnings, and callouts of its own.

Postfix replaces in HELO names what could end a field, and quotes addresses in the fields of its refusals
(since 3.5; before, an odd address may make its own line unreadable, or pretend to have another sender).
"""

import re
from collections.abc import Callable, Mapping

from ...values.evidence import Stage
from .events import (
    Arrived,
    Begun,
    Connected,
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
from .line import LogLine

_MESSAGE = r"(?P<message>[0-9A-Za-z]{5,24})"
_CLIENT = rf"(?P<name>[^\s\[\]]{{1,255}})\[(?P<ip>{IP})\]"
_CONNECT = re.compile(rf"connect from {_CLIENT}(?::[0-9]+)?$")
_COUNT = r" [a-z]{1,16}=[0-9]{1,9}(?:/[0-9]{1,9})?"
_DISCONNECT = re.compile(
    rf"disconnect from {_CLIENT}(?::[0-9]+)?(?P<commands>(?:{_COUNT}){{0,64}})$"
)
_BEGUN = re.compile(
    rf"{_MESSAGE}: client={_CLIENT}(?::[0-9]+)?(?:, .*?\bsasl_username=(?P<login>[^\s,]+))?(?:,|$)"
)
# What a filter hands on with XFORWARD of the mail that it was handed.
_ORIGIN = re.compile(rf", orig_client={_CLIENT}$")
_ORIGIN_MESSAGE = re.compile(rf", orig_queue_id={_MESSAGE}(?:,|$)")
_FIELDS = (
    rf"(?:;(?: from=<(?P<sender>{PATH})>,?)?(?: to=<(?P<recipient>{PATH})>,?)?"
    r" proto=\w+,?(?: helo=<(?P<helo>[^<>]{0,512})>)?(?: sasl_username=<(?P<login>[^<>]{0,255})>)?)$"
)
# cleanup writes the enhanced code alone; what a proxied filter refused has no message and no client.
_REJECT = re.compile(
    rf"(?:{_MESSAGE}: )?(?:milter-|proxy-)?reject: (?P<stage>[A-Z-]{{4,16}})"
    rf"(?: from (?:{_CLIENT}|\[(?P<bare_ip>{IP})\])(?::[0-9]+)?)?: "
    r"(?:(?P<code>[45][0-9]{2}) |(?=(?P<class>[45])\.))"
)
_REJECT_FIELDS = re.compile(_FIELDS)
_SCREEN = re.compile(
    rf"(?P<step>CONNECT from|DISCONNECT|PASS NEW|PASS OLD) \[(?P<ip>{IP})\]:(?P<port>[0-9]{{1,5}})"
)
_PEER = re.compile(rf" from (?:\S+)?\[({IP})\]:([0-9]{{1,5}}): ")
# Of header_checks and the like: what was found comes first, and could be made to read as what follows it.
_CONTENT = re.compile(rf"{_MESSAGE}: reject: [a-z-]{{4,16}} ")
_CONTENT_FROM = re.compile(rf" from {_CLIENT}; from=<")
_CONTENT_FIELDS = re.compile(
    rf"(?P<sender>{PATH})> to=<(?P<recipient>{PATH})>(?: proto=\w+)?"
    r"(?: helo=<(?P<helo>[^<>]{0,512})>)?: (?P<text>.*)$"
)
_TAKEN = re.compile(rf"{_MESSAGE}: message-id=")
_QUEUED = re.compile(
    rf"{_MESSAGE}: from=<(?P<sender>{PATH}|[^<>]{{0,512}})>, "
    r"size=(?P<size>[0-9]{1,15}), nrcpt=(?P<count>[0-9]{1,9}) "
)
_REMOVED = re.compile(rf"{_MESSAGE}: (?:removed|requeued)$")  # requeued: under another id
_DELIVERED = re.compile(
    rf"{_MESSAGE}: to=<(?P<recipient>{PATH}|[^<>]{{0,512}})>, "
    rf"(?:orig_to=<(?P<original>{PATH}|[^<>]{{0,512}})>, )?"
    r"relay=(?P<relay>\S{1,512}), (?:conn_use=[0-9]+, )?delay=.{1,200}? status=(?P<fate>[a-z]+)"
    r"(?: \((?P<text>.*)\))?$"
)
_FATES = {
    "sent": Fate.SENT,
    "deferred": Fate.DEFERRED,
    "bounced": Fate.BOUNCED,
    "expired": Fate.BOUNCED,
}
_STAGES = {
    "CONNECT": Stage.CONNECT,
    "EHLO": Stage.EHLO,
    "HELO": Stage.HELO,
    "MAIL": Stage.MAIL,
    "RCPT": Stage.RCPT,
    "VRFY": Stage.VRFY,
}
_CODES = {"4": 450, "5": 550}
_NO_QUEUE = "NOQUEUE"
_UNKNOWN = "unknown"  # what stands in place of a reverse name that is not confirmed


def read_postfix(line: LogLine) -> LogEvent | None:
    """Read a line of one of Postfix's programs; None where it tells nothing of these."""
    read = _PROGRAMS.get(line.program.rpartition("/")[2])
    return read(line) if read else None


def _read_smtpd(line: LogLine) -> LogEvent | None:
    text = line.text
    session = f"{line.host}/{line.process}" if line.process else ""
    if found := _CONNECT.match(text):
        client = _client(found["name"], found["ip"])
        return Connected(at=line.at, software=Software.POSTFIX, session=session, client=client)
    if found := _DISCONNECT.match(text):
        return _disconnected(line, session, found)
    if found := _BEGUN.match(text):
        return _begun(line, session, found)
    return _read_reject(line, session)


def _begun(line: LogLine, session: str, found: re.Match[str]) -> Begun:
    origin, before = _ORIGIN.search(line.text), _ORIGIN_MESSAGE.search(line.text)
    return Begun(
        at=line.at,
        software=Software.POSTFIX,
        session=session,
        message=_message(line, found),
        client=_client(found["name"], found["ip"], login=found["login"] or ""),
        origin=_client(origin["name"], origin["ip"]) if origin else None,
        origin_message=_message(line, before) if before else "",
    )


def _disconnected(line: LogLine, session: str, found: re.Match[str]) -> Disconnected:
    commands = {}
    for field in found["commands"].split():
        verb, _, count = field.partition("=")
        accepted, _, given = count.partition("/")
        commands[verb] = (int(accepted), int(given or accepted))
    commands.pop("commands", None)  # their sum
    return Disconnected(
        at=line.at,
        software=Software.POSTFIX,
        session=session,
        client=_client(found["name"], found["ip"]),
        commands=commands,
        tidy="quit" in commands if found["commands"] else None,
    )


def _read_reject(line: LogLine, session: str) -> Refused | None:
    found = _REJECT.match(line.text)
    if found is None:
        return None
    fields = _REJECT_FIELDS.search(line.text, found.end())
    said = fields.groupdict() if fields else {}
    sender, recipient = said.get("sender"), said.get("recipient")
    ip, name = found["ip"] or found["bare_ip"] or "", found["name"] or ""
    return Refused(
        at=line.at,
        software=Software.POSTFIX,
        session=session,
        message=_message(line, found),
        client=_client(name, ip, said.get("helo") or "", said.get("login") or ""),
        stage=_STAGES.get(found["stage"]),
        code=int(found["code"] or _CODES[found["class"]]),
        text=line.text[found.end() : fields.start() if fields else None],
        sender=None if sender is None else bare(sender),
        recipient=bare(recipient or ""),
    )


def _read_postscreen(line: LogLine) -> LogEvent | None:
    if found := _SCREEN.match(line.text):
        client = LoggedClient(found["ip"])
        session = f"{line.host}/[{found['ip']}]:{found['port']}"
        kind = Connected if found["step"] == "CONNECT from" else Disconnected
        return kind(at=line.at, software=Software.POSTFIX, session=session, client=client)
    peer = _PEER.search(line.text)
    return _read_reject(line, f"{line.host}/[{peer[1]}]:{peer[2]}") if peer else None


def _read_cleanup(line: LogLine) -> Arrived | Refused | None:
    if found := _TAKEN.match(line.text):
        return Arrived(at=line.at, software=Software.POSTFIX, message=_message(line, found))
    if found := _CONTENT.match(line.text):
        return _read_content(line, found)
    return _read_reject(line, "")


def _read_content(line: LogLine, found: re.Match[str]) -> Refused | None:
    """None where it can be read in two ways, or the mail came from no client."""
    clients = [*_CONTENT_FROM.finditer(line.text, found.end() - 1)]
    fields = _CONTENT_FIELDS.match(line.text, clients[0].end()) if len(clients) == 1 else None
    if fields is None:
        return None
    return Refused(
        at=line.at,
        software=Software.POSTFIX,
        message=_message(line, found),
        client=_client(clients[0]["name"], clients[0]["ip"], fields["helo"] or ""),
        stage=None,
        code=_CODES.get(fields["text"][:1], 550),
        text=fields["text"],
        sender=bare(fields["sender"]),
        recipient=bare(fields["recipient"]),
    )


def _read_qmgr(line: LogLine) -> Arrived | Finished | None:
    if found := _REMOVED.match(line.text):
        return Finished(at=line.at, software=Software.POSTFIX, message=_message(line, found))
    found = _QUEUED.match(line.text)
    if found is None:
        return None
    return Arrived(
        at=line.at,
        software=Software.POSTFIX,
        message=_message(line, found),
        sender=bare(found["sender"]),
        accepted=int(found["count"]),
        size_bytes=int(found["size"]),
    )


def _read_delivery(line: LogLine) -> Delivered | None:
    found = _DELIVERED.match(line.text)
    fate = _FATES.get(found["fate"]) if found else None
    if found is None or fate is None:
        return None
    return Delivered(
        at=line.at,
        software=Software.POSTFIX,
        message=_message(line, found),
        recipient=bare(found["recipient"]),
        original=bare(found["original"] or ""),
        fate=fate,
        relay=found["relay"],
        text=found["text"] or "",
    )


def _client(name: str, ip: str, helo: str = "", login: str = "") -> LoggedClient:
    return named_client(ip, "" if name == _UNKNOWN else name, helo, login)


def _message(line: LogLine, found: re.Match[str]) -> str:
    """With the host, since short queue ids are no host's own."""
    queue_id = found["message"] or _NO_QUEUE
    return "" if queue_id == _NO_QUEUE else f"{line.host}/{queue_id}"


_PROGRAMS: Mapping[str, Callable[[LogLine], LogEvent | None]] = {
    "smtpd": _read_smtpd,
    "postscreen": _read_postscreen,
    "cleanup": _read_cleanup,
    "qmgr": _read_qmgr,
    "nqmgr": _read_qmgr,
    "postsuper": _read_qmgr,
    **dict.fromkeys(
        ("smtp", "lmtp", "local", "virtual", "pipe", "discard", "error", "retry"), _read_delivery
    ),
}
