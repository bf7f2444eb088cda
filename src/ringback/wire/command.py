"""SMTP commands: values in, bytes out. Nothing that ends a line gets through. No I/O, no clock.

Not here: when to send which (wire/probe.py). Grammar: RFC 5321 section 4.1.1, RFC 4954, RFC 2033.
"""

import re
from base64 import b64encode

from ..errors import LocalProtocolError

# RFC 5321 section 4.5.3.1.4 allows 512 octets; a path of 254 with its words fits in easily, and
# anything longer was not made by us.
MAX_COMMAND_OCTETS = 512

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def ehlo(name: str) -> bytes:
    return _line(f"EHLO {name}")


def helo(name: str) -> bytes:
    return _line(f"HELO {name}")


def lhlo(name: str) -> bytes:
    """RFC 2033 section 4.1."""
    return _line(f"LHLO {name}")


def auth_plain(username: str, password: str) -> bytes:
    """RFC 4616, with an initial response (RFC 4954 section 4)."""
    return _line(f"AUTH PLAIN {_in_base64(chr(0).join(('', username, password)))}")


def auth_login() -> bytes:
    """The mechanism that has no RFC; the user name and the password answer its challenges."""
    return _line("AUTH LOGIN")


def auth_answer(text: str) -> bytes:
    return _line(_in_base64(text))


def starttls() -> bytes:
    return _line("STARTTLS")


def mail(sender: str, *, smtputf8: bool = False) -> bytes:
    """`sender` "" is the null sender, to which nobody can bounce (RFC 5321 section 4.5.5)."""
    return _line(f"MAIL FROM:<{sender}>" + (" SMTPUTF8" if smtputf8 else ""))


def rcpt(recipient: str) -> bytes:
    return _line(f"RCPT TO:<{recipient}>")


def vrfy(recipient: str, *, smtputf8: bool = False) -> bytes:
    return _line(f"VRFY {recipient}" + (" SMTPUTF8" if smtputf8 else ""))


def rset() -> bytes:
    return _line("RSET")


def quit_() -> bytes:
    return _line("QUIT")


def _in_base64(text: str) -> str:
    return b64encode(text.encode("utf-8")).decode("ascii")


def _line(text: str) -> bytes:
    # A control character in an address would be an injection: CR LF starts a command of its own.
    if _CONTROL.search(text):
        raise LocalProtocolError("control character in an SMTP command")
    octets = text.encode("utf-8") + b"\r\n"
    if len(octets) > MAX_COMMAND_OCTETS:
        raise LocalProtocolError(f"SMTP command exceeds {MAX_COMMAND_OCTETS} octets")
    return octets
