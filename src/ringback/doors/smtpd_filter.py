"""The door for OpenSMTPD: a filter that asks the running service's policy port about each recipient.

OpenSMTPD stops when a filter does, and a session waits until it is answered: whatever goes wrong, mail passes
and the filter goes on. Not here: the protocols (wire/smtpd_filter.py, wire/policy_asking.py), the judging,
which is the service's (doors/judging.py).
"""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

from ..errors import RemoteProtocolError
from ..net.trouble import in_words
from ..values.text import printable
from ..wire.policy_asking import parse_refusal
from ..wire.smtpd_filter import (
    Conversation,
    LineReader,
    RecipientAsked,
    encode_proceed,
    encode_reject,
)

# The service may exceed answer_within_s by a second before it counts as stuck, and its answer travels.
GRACE_S = 2.0
# A service that fails at every other question would fill the log.
SILENCE_S = 60.0

Say = Callable[[str], None]


class Streams(Protocol):
    """What the filter needs of net/stdio.py."""

    async def read(self) -> bytes: ...

    async def write(self, octets: bytes) -> None: ...


class Asks(Protocol):
    """What the filter needs of net/policy_client.py."""

    async def ask(self, attributes: Mapping[str, str], /) -> str: ...


class SmtpdFilter:
    """Speaks with OpenSMTPD over `streams`, and asks `service`, whose name is for the log."""

    def __init__(self, streams: Streams, client: Asks, service: str, say: Say) -> None:
        self._streams, self._client = streams, client
        self._service, self._say = service, say
        self._conversation = Conversation()
        self._asking: set[asyncio.Task[None]] = set()
        self._silent = False  # the service gave no answer, and it was said
        self._said_at = -SILENCE_S
        self._confused = False  # OpenSMTPD said what we do not understand, and it was said

    async def run(self) -> None:
        """Answer until OpenSMTPD ends. Raises OSError if it is gone."""
        reader = LineReader()
        try:
            while octets := await self._streams.read():
                for line in reader.feed(octets):
                    await self._take(line)
        finally:
            for task in self._asking:
                task.cancel()
            await asyncio.gather(*self._asking, return_exceptions=True)

    async def _take(self, line: bytes) -> None:
        try:
            move = self._conversation.take(line)
        except RemoteProtocolError as error:
            if not self._confused:
                self._confused = True
                self._say(f"OpenSMTPD says what a filter does not understand: {error}")
            return
        if isinstance(move, bytes):
            await self._streams.write(move)
        elif move is not None:
            task = asyncio.create_task(self._answer(move))
            self._asking.add(task)
            task.add_done_callback(self._asking.discard)

    async def _answer(self, asked: RecipientAsked) -> None:
        try:
            reply = await self._ask(asked)
        except (
            Exception
        ) as error:  # a session would wait for ever for what a bug of ours has cost it
            self._complain(f"a bug in the filter: {error!r}")
            reply = None
        ids = (asked.session, asked.token)
        with suppress(OSError):  # OpenSMTPD is gone, and whoever reads learns of it, too
            await self._streams.write(encode_reject(*ids, reply) if reply else encode_proceed(*ids))

    async def _ask(self, asked: RecipientAsked) -> str | None:
        """Return the reply that refuses; None to let the recipient pass."""
        try:
            reply = parse_refusal(await self._client.ask(_attributes(asked)))
        except OSError as error:
            self._complain(in_words(error) or type(error).__name__)
            return None
        except RemoteProtocolError as error:
            self._complain(str(error))
            return None
        if self._silent:
            self._silent = False
            self._say(f"the policy service at {self._service} answers again")
        return reply

    def _complain(self, why: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._silent or now - self._said_at < SILENCE_S:
            return
        self._silent, self._said_at = True, now
        self._say(
            f"the policy service at {self._service} gives no answer: {printable(why)};"
            " mail passes unasked until it does"
        )


def _attributes(asked: RecipientAsked) -> dict[str, str]:
    return {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "client_address": asked.client_address,
        "client_name": asked.client_name,
        "helo_name": asked.helo_name,
        "sender": asked.sender,
        "recipient": asked.recipient,
        "sasl_username": asked.username,
    }
