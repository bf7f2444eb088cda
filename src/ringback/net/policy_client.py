"""Asking a policy service, many questions at a time: each has a connection to itself, and those are kept.

Answers on one connection come in the order of its questions: over a single one, a quick answer would wait
behind a slow callout. Not here: the protocol (wire/policy_asking.py), what follows from an answer (doors/).
"""

import asyncio
from collections.abc import Mapping
from typing import cast

from ..errors import RemoteProtocolError
from ..values.record import Record
from ..wire.policy_asking import AnswerReader, encode_request


class Limits(Record, frozen=True):
    """What a client allows itself. Seconds, and connections at a time."""

    connections: int = (
        500  # half of what the service takes, and of the files that a program may open
    )
    idle_s: float = 300.0  # the service keeps an idle connection for at least 600 s
    connect_s: float = 2.0  # it is on this host, or near
    # Between two attempts to connect in vain: few enough to cost nothing, and mail soon judged again.
    first_pause_s: float = 0.25
    longest_pause_s: float = 5.0


class PolicyClient:
    """Asks the service at "ADDRESS:PORT" or "unix:PATH", and waits `patience_s` for each answer."""

    def __init__(self, service: str, patience_s: float, limits: Limits | None = None) -> None:
        self._service, self._patience_s = service, patience_s
        self._limits = limits or Limits()
        self._room = asyncio.Semaphore(self._limits.connections)
        self._idle: list[_Link] = []  # the latest used last
        self._failure: OSError | None = None  # why there is no connecting until `_retry_at`
        self._retry_at = 0.0
        self._pause_s = self._limits.first_pause_s

    async def ask(self, attributes: Mapping[str, str]) -> str:
        """Return the action. Raises OSError or RemoteProtocolError where the service gives none."""
        request = encode_request(attributes)
        try:
            async with asyncio.timeout(self._patience_s), self._room:
                return await self._ask(request)
        except TimeoutError:
            raise TimeoutError(f"no answer within {self._patience_s:g} s") from None

    async def close(self) -> None:
        """Drop the connections that nobody uses."""
        for link in self._idle:
            link.abort()
        self._idle.clear()
        await asyncio.sleep(0)  # the sockets are closed in the next round of the loop

    async def _ask(self, request: bytes) -> str:
        if (link := self._take()) is not None:
            try:
                return await self._exchange(link, request)
            except ConnectionError:
                pass  # the service was restarted, and this is how we learn of it
        return await self._exchange(await self._connect(), request)

    async def _exchange(self, link: "_Link", request: bytes) -> str:
        try:
            action = await link.ask(request)
        except BaseException:
            link.abort()
            raise
        link.idle_since = asyncio.get_running_loop().time()
        self._idle.append(link)
        return action

    def _take(self) -> "_Link | None":
        """Return a connection that is open, the latest used; drop those that nobody used for long."""
        oldest_at = asyncio.get_running_loop().time() - self._limits.idle_s
        for link in self._idle:
            if link.idle_since < oldest_at:
                link.abort()
        self._idle = [link for link in self._idle if link.is_open]
        return self._idle.pop() if self._idle else None

    async def _connect(self) -> "_Link":
        loop = asyncio.get_running_loop()
        if self._failure is not None and loop.time() < self._retry_at:
            raise self._failure.with_traceback(None)  # or it would grow with each question
        try:
            async with asyncio.timeout(self._limits.connect_s):
                link = await self._open(loop)
        except OSError as error:
            self._failure, self._retry_at = error, loop.time() + self._pause_s
            self._pause_s = min(2 * self._pause_s, self._limits.longest_pause_s)
            raise
        self._failure, self._pause_s = None, self._limits.first_pause_s
        return link

    async def _open(self, loop: asyncio.AbstractEventLoop) -> "_Link":
        if self._service.startswith("unix:"):
            path = self._service.removeprefix("unix:")
            return (await loop.create_unix_connection(_Link, path))[1]
        address, _, port = self._service.rpartition(":")
        return (await loop.create_connection(_Link, address.strip("[]"), int(port)))[1]


class _Link(asyncio.Protocol):
    """One connection, with at most one question under way."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._reader = AnswerReader()
        self._answer: asyncio.Future[str] | None = None
        self.is_open = True
        self.idle_since = 0.0  # by the loop's clock

    async def ask(self, request: bytes) -> str:
        """Raises ConnectionError or RemoteProtocolError."""
        if not self.is_open:
            raise _closed()
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        try:
            return await self._answer
        finally:
            self._answer = None

    def abort(self) -> None:
        self.is_open = False
        self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        try:
            for action in self._reader.feed(data):
                if self._answer is None or self._answer.done():
                    raise RemoteProtocolError("an answer to no question")
                self._answer.set_result(action)
        except RemoteProtocolError as error:
            self._fail(error)
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        self._fail(exc if isinstance(exc, ConnectionError) else _closed())

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _closed() -> ConnectionError:
    return ConnectionResetError("the connection was closed")
