"""Replies as people keep them, in JSON records and in logs → the stage and the Reply.

Not here: what they mean (rules/classify.py), reading files (doors/cli/classify.py).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import RemoteProtocolError, UsageError
from ..values.evidence import Stage
from ..values.record import Record
from ..wire.reply import Reply, parse_reply

# How steps are called in records and logs. None: the reply may speak of anything.
STAGES: Mapping[str, Stage | None] = MappingProxyType(
    {stage.value: stage for stage in Stage}
    | {
        "banner": Stage.GREETING,
        "initial connection": Stage.GREETING,
        "mail from": Stage.MAIL,
        "rcpt to": Stage.RCPT,
        "data": None,
        "end of data": None,
        "eod": None,
        "unknown": None,
        "": None,
    }
)

_REPLY = r"(?P<reply>[2-5][0-9]{2}(?:[ -].*?)?)"
# Where mail servers put a reply in their logs; `after` names the command, where they say it.
_IN_LOGS = tuple(
    re.compile(pattern)
    for pattern in (
        # Postfix: host mx[192.0.2.1] said: 550 … (in reply to RCPT TO command)
        rf" said: {_REPLY}(?: \(in reply to (?P<after>[A-Za-z ]+?)(?: command)?\))?\)?$",
        # Postfix: host mx[192.0.2.1] refused to talk to me: 554 …
        rf" refused to talk to (?P<after>me): {_REPLY}\)?$",
        # Exim: SMTP error from remote mail server after RCPT TO:<ann@shop.example>: 550 …
        rf" after (?:pipelined )?(?P<after>[A-Za-z ]+?)(?::<[^>]*>.*?)?: {_REPLY}$",
        # Sendmail and OpenSMTPD: stat=Deferred: 450 …, reply=550 …, stat="550 …"
        rf"\b(?:stat|reply|result)=\"?(?:Deferred: )?{_REPLY}\"?$",
        rf"^\s*{_REPLY}$",
    )
)
_TO_ME = "me"  # Postfix's word for a refusal before any command
_CODE = re.compile(r"[2-5][0-9]{2}(?=[ -]|$)")
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}")


class Said(Record, frozen=True):
    """A reply, and the step it answered if that is known."""

    stage: Stage | None
    reply: Reply


def parse_record(record: object) -> Said:
    """Read {"stage", "code", "enhanced", "text"}. `text` may hold the codes as well, or be all there is.

    Raises UsageError saying which field cannot be used.
    """
    if not isinstance(record, dict):
        raise UsageError("not a JSON object")
    stage, code = record.get("stage"), record.get("code")
    enhanced, text = record.get("enhanced"), record.get("text", "")
    if not isinstance(stage, str | None) or (stage or "").lower() not in STAGES:
        raise UsageError(f'"stage" is none of {", ".join(filter(None, STAGES))}')
    if not isinstance(text, str):
        raise UsageError('"text" is not a text')
    if code is None and (found := _CODE.match(text)):
        code = int(found[0])
    if not isinstance(code, int) or not 200 <= code <= 599:
        raise UsageError('"code" is no reply code from 200 to 599')
    if enhanced is not None and not (isinstance(enhanced, str) and _ENHANCED.fullmatch(enhanced)):
        raise UsageError('"enhanced" is no enhanced status code such as "5.1.1"')
    return Said(STAGES[(stage or "").lower()], make_reply(code, text, enhanced))


def make_reply(code: int, text: str, enhanced: str | None = None) -> Reply:
    """Make a Reply from `text`, whose lines may begin with codes. Raises UsageError."""
    bare = [re.sub(r"^[2-5][0-9]{2}(?:[ -]|$)", "", line) for line in text.split("\n")]
    wire = "\n".join([*(f"{code}-{line}" for line in bare[:-1]), f"{code} {bare[-1]}"])
    try:
        reply = parse_reply(wire)
    except RemoteProtocolError as error:
        raise UsageError(f'"text" is no reply: {error}') from None
    return Reply(reply.code, reply.lines, reply.enhanced or enhanced)


def find_reply(line: str) -> Said | None:
    """Find the reply in a line of a log, or the line that is one. Raises UsageError."""
    for pattern in _IN_LOGS:
        if found := pattern.search(line):
            after = (found.groupdict().get("after") or "").lower()
            stage = Stage.GREETING if after == _TO_ME else STAGES.get(after)
            return Said(stage, _unfolded(found["reply"]))
    return None


def _unfolded(logged: str) -> Reply:
    """Take apart a reply of several lines that a log has made one."""
    code = logged[:3]
    text = logged.replace("\\n", "\n")  # as Exim writes it
    return make_reply(int(code), re.sub(rf"(?<=\S) {code}[ -](?=\S)", f"\n{code} ", text))
