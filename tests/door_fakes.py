"""What the tests of doors put around them: a connection and an engine that do as they are told."""

import asyncio
from collections.abc import Callable
from typing import Self

from ringback.doors.judging import Waits
from ringback.errors import StoreError
from ringback.values.query import Query, Report
from ringback.values.verdict import Reason

NOON = 1_800_000_000.0


class FakeConnection:
    """Hands out its pieces one by one, then the end of input or a silence."""

    peer = "127.0.0.1:4711"

    def __init__(self, *pieces: bytes, silent_at_end: bool = False, deaf: bool = False) -> None:
        self.pieces = list(pieces)
        self.silent_at_end = silent_at_end
        self.deaf = deaf
        self.written: list[bytes] = []
        self.reads = 0
        self.patience: list[float | None] = []

    async def read(self, timeout_s: float | None) -> bytes:
        self.reads += 1
        self.patience.append(timeout_s)
        await asyncio.sleep(0)
        if self.pieces:
            return self.pieces.pop(0)
        if self.silent_at_end:
            async with asyncio.timeout(timeout_s):
                await asyncio.Event().wait()
        return b""

    async def write(self, octets: bytes) -> None:
        if self.deaf:
            raise ConnectionResetError
        self.written.append(octets)


class AttendedConnection:
    """The same for a door that has no task: its pieces arrive one by one, then the end or a silence."""

    peer = "127.0.0.1:4711"

    def __init__(self, *pieces: bytes, silent_at_end: bool = False, deaf: bool = False) -> None:
        self.pieces, self.silent_at_end, self.deaf = list(pieces), silent_at_end, deaf
        self.written: list[bytes] = []
        self.reads = self.times_in_line = 0
        self.is_lost = self.is_closed = False
        self.has_room = True
        self._arrived, self._ended = b"", False
        self._over = asyncio.Event()
        self._heed: Callable[[], None] = self._over.clear

    async def served(self, serve: Callable[[Self], None]) -> None:
        """Let a door serve it, and return when that has closed it."""
        serve(self)
        for piece in self.pieces:
            self.arrive(piece)
            await asyncio.sleep(0)
        if not self.silent_at_end:
            self.end()
        await self._over.wait()

    def arrive(self, piece: bytes) -> None:
        self._arrived += piece
        self._heed()

    def end(self) -> None:
        self._ended = True
        self._heed()

    def lose(self) -> None:
        self.is_lost = True
        self._heed()

    def make_room(self) -> None:
        self.has_room = True
        self._heed()

    def at_end_of_round(self, act: Callable[[], None], /) -> None:
        act()

    def attend(self, heed: Callable[[], None], /) -> None:
        self._heed = heed

    def read_nowait(self) -> bytes | None:
        arrived, self._arrived = self._arrived, b""
        if not (arrived or self._ended):
            return None
        self.reads += 1
        return arrived

    def write_nowait(self, octets: bytes, /) -> None:
        if self.deaf or self.is_lost:
            raise ConnectionResetError
        self.written.append(octets)

    def stand_in_line(self) -> None:
        self.times_in_line += 1
        asyncio.get_running_loop().call_soon(self._heed)

    def close(self) -> None:
        self.is_closed = True
        self._over.set()

    def abort(self) -> None:
        self.is_lost = True
        self._over.set()


Verdict = Reason | Exception | asyncio.Event | Callable[[Query], Report]


class FakeVerifier:
    """Gives each local part its verdict: a reason, an error to raise, an event to wait for, a report."""

    def __init__(self, **verdicts: Verdict) -> None:
        self.verdicts = verdicts
        self.patience: dict[tuple[str, str, str], int] = {}  # deferrals left, one if not named
        self.deferrals: list[tuple[str, str, str]] = []
        self.store_failure: StoreError | None = None
        self.queries: list[Query] = []
        self.at_hand: dict[str, Report] = {}  # by address: what needs no waiting
        self.under_way = 0
        self.most_under_way = 0

    @property
    def helo_name(self) -> str:
        return "verify.example.net"

    async def verify(self, asked: Query, /) -> Report:
        self.queries.append(asked)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._report(asked)
        finally:
            self.under_way -= 1

    async def ask(self, query: Query, /) -> Report | Waits:
        return await self.verify(query)

    def verify_nowait(self, asked: Query, /) -> Report | None:
        return self.at_hand.get(asked.address)

    async def may_defer(self, client_address: str, sender: str, recipient: str) -> bool:
        if self.store_failure:
            raise self.store_failure
        mail = (client_address, sender, recipient)
        self.deferrals.append(mail)
        left = self.patience.get(mail, 1)
        self.patience[mail] = left - 1
        return left > 0

    async def _report(self, asked: Query) -> Report:
        await asyncio.sleep(0)
        verdict = self.verdicts.get(asked.address.partition("@")[0], Reason.ACCEPTED)
        if isinstance(verdict, asyncio.Event):
            await verdict.wait()
            verdict = Reason.ACCEPTED
        if isinstance(verdict, Exception):
            raise verdict
        if not isinstance(verdict, Reason):
            return verdict(asked)
        retry_at = NOON + 300 if verdict is Reason.GREYLISTED else None
        return Report(asked.address, verdict, retry_at is None, NOON, "a rule", retry_at=retry_at)


async def turns(count: int = 50) -> None:
    """Let every task that can go on do so."""
    for _ in range(count):
        await asyncio.sleep(0)


async def until(true: Callable[[], bool]) -> None:
    for _ in range(1_000):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came about")
