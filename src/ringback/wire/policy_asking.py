"""Postfix policy delegation from the asking side: requests as bytes, answers as actions. No I/O, no clock.

Protocol: Postfix SMTPD_POLICY_README; actions: access(5). Not here: the answering side (wire/policy.py),
connections (net/policy_client.py).
"""

import re
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import LocalProtocolError, RemoteProtocolError
from .octets import decode_text

# An action is one line of a reply; Postfix reads 2 KiB of one.
MAX_ANSWER_BYTES = 8_192
# RFC 5321 section 4.5.3.1.5 allows a reply line 512 octets.
MAX_TEXT_CHARS = 500

_CODE = re.compile(r"[45][0-9]{2}")
_ENHANCED = re.compile(r"[245]\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")
_INVISIBLE = re.compile(r"[^ -~]")
# Verb → reply code and the enhanced code where the text has none.
_REFUSALS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "REJECT": ("550", "5.7.1"),
        "DEFER": ("450", "4.7.1"),
        # Nothing that comes after a filter would refuse for good.
        "DEFER_IF_PERMIT": ("450", "4.7.1"),
    }
)
_PERMITS = frozenset({"DUNNO", "OK", "DEFER_IF_REJECT", "WARN", "INFO", "PREPEND"})


def encode_request(attributes: Mapping[str, str]) -> bytes:
    """Encode one question. Raises LocalProtocolError for text that would be another attribute."""
    if any(char in value for value in attributes.values() for char in "\n\0"):
        raise LocalProtocolError("a line end or NUL in an attribute")
    lines = "".join(f"{name}={value}\n" for name, value in attributes.items())
    return f"{lines}\n".encode()


class AnswerReader:
    """Reassembles answers from a stream."""

    def __init__(self) -> None:
        self._partial = bytearray()

    def feed(self, octets: bytes) -> list[str]:
        """Return the actions that `octets` complete. Raises RemoteProtocolError: close the connection."""
        self._partial += octets
        *whole, rest = bytes(self._partial).split(b"\n\n")
        if max(map(len, (*whole, rest))) > MAX_ANSWER_BYTES:
            raise RemoteProtocolError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        self._partial = bytearray(rest)
        return [_action(answer) for answer in whole]


def _action(answer: bytes) -> str:
    for line in decode_text(answer).split("\n"):
        name, _, value = line.partition("=")
        if name == "action" and value:
            return value
    raise RemoteProtocolError("an answer without an action")


def parse_refusal(action: str) -> str | None:
    """Return the reply to an SMTP client that `action` calls for, such as "550 5.1.7 text"; None to go on.

    Raises RemoteProtocolError for an action that is none.
    """
    verb, _, text = action.partition(" ")
    verb, text = verb.upper(), _INVISIBLE.sub("?", text.strip())[:MAX_TEXT_CHARS]
    if verb in _PERMITS:
        return None
    if _CODE.fullmatch(verb):
        return f"{verb} {text or 'Access denied'}"
    if verb not in _REFUSALS:
        raise RemoteProtocolError("an action that is none")
    code, enhanced = _REFUSALS[verb]
    return f"{code} {text}" if _ENHANCED.match(text) else f"{code} {enhanced} {text}".rstrip()
