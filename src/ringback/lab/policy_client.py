"""Asking a policy service as Postfix does, and what its action means to an SMTP client.

Not here: taking mail (front.py). Protocol: Postfix SMTPD_POLICY_README; actions: access(5).
"""

import asyncio
import re
from collections.abc import Mapping

from ..values.text import printable

# Postfix 3.7: smtpd_policy_service_timeout and smtpd_policy_service_try_limit.
TIMEOUT_S = 100.0
TRIES = 2
# Postfix reads attributes of up to 2 KiB by default; an action is one.
MAX_ANSWER_BYTES = 8_192
MAX_REPLY_CHARS = 500

_CODE = re.compile(r"[45][0-9]{2}")
_ENHANCED = re.compile(r"[45]\.[0-9]{1,3}\.[0-9]{1,3}(?= |$)")
# Verb → reply code and the enhanced code that Postfix adds where the text has none.
_REFUSALS = {
    "REJECT": ("554", "5.7.1"),
    "DEFER": ("450", "4.7.1"),
    "DEFER_IF_PERMIT": ("450", "4.7.1"),  # nothing after this service would refuse for good
}
_PERMITS = frozenset({"DUNNO", "OK", "DEFER_IF_REJECT", "WARN", "INFO", "PREPEND"})
_CONFUSED = "451 4.3.5 <{}>: Sender address rejected: Server configuration error"


def reply_for(action: str, sender: str) -> str | None:
    """Return what Postfix would answer RCPT with, from `smtpd_sender_restrictions`; None to go on."""
    verb, _, text = action.partition(" ")
    if verb.upper() in _PERMITS:
        return None
    who = printable(sender)
    if _CODE.fullmatch(verb):
        code, default = verb, f"{verb[0]}.7.1"
    elif verb.upper() in _REFUSALS:
        code, default = _REFUSALS[verb.upper()]
    else:
        return _CONFUSED.format(who)
    found = _ENHANCED.match(text)
    enhanced = found[0] if found else default
    why = printable(text[found.end() :] if found else text, limit=MAX_REPLY_CHARS).strip()
    return f"{code} {enhanced} <{who}>: Sender address rejected: {why or 'Access denied'}"


class PolicyClient:
    """One long-lived connection to `service`: "ADDRESS:PORT" or "unix:PATH"."""

    def __init__(self, service: str) -> None:
        self._service = service
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, attributes: Mapping[str, str]) -> str | None:
        """Return the action, such as "DUNNO"; None if the service gives none."""
        lines = "".join(f"{name}={value}\n" for name, value in attributes.items())
        request = f"{lines}\n".encode("utf-8", "surrogateescape")
        for _ in range(TRIES):
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    action = await self._exchange(request)
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                action = None
            if action is not None:
                return action
            await self.close()
        return None

    async def close(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            await asyncio.sleep(0)  # the socket is closed in the next turn of the loop
        self._reader = self._writer = None

    async def _exchange(self, request: bytes) -> str | None:
        if self._reader is None or self._writer is None:
            self._reader, self._writer = await self._connect()
        self._writer.write(request)
        await self._writer.drain()
        answer = await self._reader.readuntil(b"\n\n")
        for line in answer.decode("utf-8", "replace").splitlines():
            name, _, value = line.partition("=")
            if name == "action" and value:
                return value
        return None

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._service.startswith("unix:"):
            path = self._service.removeprefix("unix:")
            return await asyncio.open_unix_connection(path, limit=MAX_ANSWER_BYTES)
        address, _, port = self._service.rpartition(":")
        return await asyncio.open_connection(address.strip("[]"), int(port), limit=MAX_ANSWER_BYTES)
