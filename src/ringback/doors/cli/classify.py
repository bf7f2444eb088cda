"""`ringback classify`: what replies mean, one line in and one line out.

Not here: the meaning (rules/classify.py), the forms a reply may come in (doors/replies.py).
"""

import os
import sys
from collections.abc import Iterator
from typing import IO, Any, BinaryIO

import click
import msgspec

from ...assemble import phrasebook
from ...errors import UsageError
from ...rules.classify import classify as read
from ...values.evidence import Reading
from ...wire.reply import MAX_REPLY_BYTES
from ..replies import Said, find_reply, parse_record
from .output import echo_json

# A whole reply, every octet of it escaped as \u00xx.
MAX_LINE_BYTES = 6 * MAX_REPLY_BYTES + 1_000
_STDIN = "<stdin>"  # as Python calls it


class _Replies(click.File):
    """A file to be read, in octets."""

    def convert(
        self,
        value: str | os.PathLike[str] | IO[Any],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> IO[Any]:
        if value == "-" and sys.stdin is None:  # the shell closed it
            raise UsageError("standard input: it is closed; give one reply a line")
        return super().convert(value, param, ctx)


@click.command()
@click.argument("file", type=_Replies("rb"), default="-")
@click.option(
    "--null-sender",
    is_flag=True,
    help="The replies answer mail from the null sender, as callouts send it.",
)
def classify(file: BinaryIO, null_sender: bool) -> None:
    """Say what replies of mail servers mean. FILE, or standard input, is read line by line.

    A line is a JSON object with "stage", "code", "enhanced" and "text"; or a reply, such as
    "550 5.1.1 No such user"; or a line of a mail log of Postfix, Exim, Sendmail or OpenSMTPD that
    holds one. Lines that hold none are passed over.

    Prints the same as JSON Lines, with the "meaning", the "rule" that gave it, and "weak": true where
    the reply counts against a mailbox only if postmaster@ is accepted beside it.
    """
    for number, line in enumerate(_lines(file), start=1):
        try:
            found = _parse(line)
        except UsageError as error:
            raise UsageError(f"{_name_of(file)}, line {number}: {error}") from None
        if found is not None:
            record, said = found
            reading = read(said.stage, said.reply, phrasebook(), null_sender=null_sender)
            echo_json(record | _encode(reading), indent=None)


def _name_of(file: BinaryIO) -> str:
    name = getattr(file, "name", _STDIN)
    return "standard input" if name == _STDIN else str(name)


def _lines(file: BinaryIO) -> Iterator[bytes]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise UsageError(
                f"{_name_of(file)}, line {number}: longer than {MAX_LINE_BYTES} bytes; "
                "give one reply a line"
            )
        yield line


def _parse(line: bytes) -> tuple[dict[str, object], Said] | None:
    """Return the record of a line and what it says, None where it holds no reply."""
    if line.lstrip().startswith(b"{"):
        try:
            record = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"not JSON: {error}") from None
        return record, parse_record(record)
    said = find_reply(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
    return None if said is None else (_record_of(said), said)


def _record_of(said: Said) -> dict[str, object]:
    reply = said.reply
    stage = said.stage.value if said.stage else "unknown"
    return {"stage": stage, "code": reply.code, "enhanced": reply.enhanced, "text": reply.text}


def _encode(reading: Reading) -> dict[str, object]:
    return {"meaning": reading.meaning, "rule": reading.rule, "weak": reading.weak}
