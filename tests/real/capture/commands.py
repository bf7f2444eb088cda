"""What servers say to commands that come at the wrong time or in the wrong shape, one after the other.

Most of them no callout says; but what it says can be taken for them, and then these are the words.
Not here: whole callouts (studio.py).
"""

import socket
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from ringback.rules.classify import Phrasebook, classify
from ringback.values.evidence import Stage
from ringback.wire.reply import Reply, ReplyReader

from .studio import DOMAIN, ELSEWHERE, HELO, KNOWN, VECTORS, Scene, connection, renamed

_EHLO, _MAIL, _RCPT = f"EHLO {HELO}", "MAIL FROM:<>", f"RCPT TO:<{KNOWN}>"
# Each one is a connection of its own.
SCRIPT = (
    (_MAIL, _RCPT),
    (_EHLO, _RCPT, "DATA"),
    (_EHLO, _MAIL, _MAIL, _EHLO, _RCPT),
    ("EHLO", "HELO", "EHLO probe_1.example", "EHLO -"),
    (_EHLO, "MAIL", "MAIL FROM:", "MAIL FROM:<", "MAIL FROM:<ann@@mx.example>"),
    (
        _EHLO,
        "MAIL FROM:<> XYZZY=1",
        "RSET",
        "MAIL FROM:<> SIZE=many",
        "RSET",
        "MAIL FROM:<> BODY=9",
    ),
    (_EHLO, _MAIL, "RCPT", "RCPT TO:", "RCPT TO:<", "RCPT TO:<>", f"{_RCPT} XYZZY=1"),
    (_EHLO, _MAIL, f"RCPT TO:<ann@@{DOMAIN}>", "RCPT TO:<ann@>", f"RCPT TO:<@{DOMAIN}>"),
    (
        _EHLO,
        _MAIL,
        f"RCPT TO:<.ann.@{DOMAIN}>",
        f"RCPT TO:<ann..b@{DOMAIN}>",
        "RCPT TO:<nobody.here>",
    ),
    (_EHLO, _MAIL, f'RCPT TO:<"nobody here"@{DOMAIN}>', f"RCPT TO:<-nobody@{DOMAIN}>"),
    (_EHLO, _MAIL, f"RCPT TO:<nobody|here@{DOMAIN}>", f"RCPT TO:</nobody@{DOMAIN}>"),
    (_EHLO, _MAIL, f"RCPT TO:<nobody%elsewhere.example@{DOMAIN}>", f"RCPT TO:<x!nobody@{DOMAIN}>"),
    (_EHLO, _MAIL, f"RCPT TO:<{'n' * 80}@{DOMAIN}>", f"RCPT TO:<ann@{'n' * 80}.example>"),
    (_EHLO, _MAIL, f"RCPT TO:<münz@{DOMAIN}>", f"RCPT TO:<{ELSEWHERE}@{DOMAIN}>"),
    (_EHLO, "XYZZY", "STARTTLS now", "AUTH", "RSET now", "NOOP"),
    (_EHLO, "VRFY", "VRFY ann", "VRFY nobody.here", "EXPN ann"),
)
_STAGES = {stage.value: stage for stage in Stage}


def write(scene: Scene, book: Phrasebook, version: str) -> Path:
    """Say everything in SCRIPT to the server that stands there, and write down how the rules read it.

    Whoever writes it anew goes through what has changed: a reading is kept because a person agrees.
    """
    day = time.strftime("%Y-%m-%d", time.gmtime())
    head = f"# {scene.package} {version} of Debian, {day}, captured: single commands"
    lines = [line for commands in SCRIPT for line in ("", *_converse(commands, book))]
    path = VECTORS.with_name("commands") / f"real_{scene.server}.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join([head, *map(renamed, lines), ""]), "utf-8")
    return path


def _converse(commands: Sequence[str], book: Phrasebook) -> Iterator[str]:
    with connection() as peer:
        _answer(peer)
        for command in commands:
            peer.sendall(f"{command}\r\n".encode())
            octets, reply = _answer(peer)
            if command == _EHLO and reply and reply.code == 250:
                continue
            yield f"C: {command}"
            text = octets.decode("utf-8", "backslashreplace")
            yield from (f"S: {line}" for line in text.splitlines())
            if reply is None:
                yield "! closed"
                return
            stage = _STAGES.get(command.partition(" ")[0].lower())
            null_sender = stage is not Stage.MAIL or command.startswith(_MAIL)
            reading = classify(stage, reply, book, null_sender=null_sender)
            yield f"= {reading.meaning.value}"


def _answer(peer: socket.socket) -> tuple[bytes, Reply | None]:
    """Hear one reply; None where the server hangs up."""
    reader, heard = ReplyReader(), b""
    while octets := _heard_from(peer):
        heard += octets
        if replies := reader.feed(octets):
            return heard, replies[0]
    return heard, None


def _heard_from(peer: socket.socket) -> bytes:
    try:
        return peer.recv(4_096)
    except ConnectionError:
        return b""
