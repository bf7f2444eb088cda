"""Those who ask, one asyncio protocol each: the next question goes out when the last is answered.

Not here: how many of them there are, and for how long (load.py).
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import cast

from .orders import Order
from .places import CLIENT, HELO_NAME, RECIPIENT, SMTP_PORT, address_of_host


class Errand:
    """One order under way."""

    def __init__(self, order: Order) -> None:
        self.order = order
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.took_ms: list[float] = []
        self.said: Counter[str] = Counter()
        self._turn = 0

    def next_address(self) -> str | None:
        """The address to ask about; None when there are no more questions."""
        if self.order.questions and self._turn >= self.order.questions:
            return None
        self._turn += 1
        return self.order.address(self._turn - 1)

    def note(self, asked_at: float, said: str) -> None:
        self.took_ms.append((perf_counter() - asked_at) * 1_000)
        self.said[said] += 1
        if len(self.took_ms) == self.order.questions:
            self.fail(None)

    def fail(self, error: Exception | None) -> None:
        """End it, for good or not."""
        if self.ended.done():
            return
        if error is None:
            self.ended.set_result(None)
        else:
            self.ended.set_exception(error)


class Asker(asyncio.Protocol):
    """What all ways have in common: a question out, octets in, the time between."""

    def __init__(self, errand: Errand) -> None:
        self._errand = errand
        self._asked_at = 0.0
        self._arrived = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        self._arrived += data
        self.read()

    def connection_lost(self, exc: Exception | None) -> None:
        self._errand.fail(exc or ConnectionResetError(f"hung up after {self._arrived!r}"))

    def read(self) -> None:
        raise NotImplementedError

    def ask(self) -> None:
        address = self._errand.next_address()
        if address is not None:
            self._asked_at = perf_counter()
            self._transport.write(self.question(address))

    def question(self, address: str) -> bytes:
        raise NotImplementedError

    def answered(self, said: str) -> None:
        self._arrived = b""
        self._errand.note(self._asked_at, said)
        self.ask()


class PolicyAsker(Asker):
    _HEAD = (
        "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"
        f"client_address={CLIENT}\nclient_name=client.test\nhelo_name=client.test\n"
        f"recipient={RECIPIENT}\nsender="
    )

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        for _ in range(self._errand.order.depth):
            self.ask()

    def question(self, address: str) -> bytes:
        return f"{self._HEAD}{address}\n\n".encode()

    def read(self) -> None:
        *answers, rest = self._arrived.split(b"\n\n")
        for answer in answers:
            self.answered(answer.split()[0].decode())
        self._arrived = rest


class SmtpAsker(Asker):
    """RSET, MAIL and RCPT in one flight: a kept session costs the MTA least."""

    _awaited = 0

    def read(self) -> None:
        if not self._arrived.endswith(b"\n"):
            return
        final = [line for line in self._arrived.splitlines() if line[3:4] == b" "]
        if len(final) < self._awaited:
            return
        match self._awaited:
            case 0:
                self._begin(f"EHLO {HELO_NAME}\r\n")
            case 1:
                self._arrived, self._awaited = b"", 3
                self.ask()
            case _:
                self.answered(final[-1][:3].decode())

    def _begin(self, command: str) -> None:
        self._arrived, self._awaited = b"", 1
        self._transport.write(command.encode())

    def question(self, address: str) -> bytes:
        return f"RSET\r\nMAIL FROM:<{address}>\r\nRCPT TO:<{RECIPIENT}>\r\n".encode()


class Visitor(SmtpAsker):
    """A session for one message, as most mail comes; the next one begins when this one has its answer."""

    def __init__(self, errand: Errand, address: str) -> None:
        super().__init__(errand)
        self._address, self._came_at = address, perf_counter()

    def ask(self) -> None:
        self._transport.write(self.question(self._address))

    def answered(self, said: str) -> None:
        self._transport.write(b"QUIT\r\n")
        self._transport.close()
        self._errand.note(self._came_at, said)
        visit_next(self._errand)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            self._errand.fail(exc)


class Caller(Asker):
    """A callout and no more: the next asker of the errand begins when this one has its answer."""

    def __init__(self, errand: Errand, address: str) -> None:
        super().__init__(errand)
        self._asked_at = perf_counter()
        mail = f"MAIL FROM:<>\r\nRCPT TO:<{address}>\r\n"
        self._commands = [f"EHLO {HELO_NAME}\r\n".encode(), mail.encode(), b"QUIT\r\n"]
        self._replies = [1, 1, 2]

    def read(self) -> None:
        final = [line for line in self._arrived.splitlines() if line[3:4] == b" "]
        if len(final) < self._replies[0]:
            return
        self._arrived = b""
        self._replies.pop(0)
        self._transport.write(self._commands.pop(0))
        if not self._commands:
            self._transport.close()
            self._errand.note(self._asked_at, final[-1][:3].decode())
            call_next(self._errand)

    def connection_lost(self, exc: Exception | None) -> None:
        if exc:
            self._errand.fail(exc)


_calls: set[asyncio.Task[object]] = set()


def call_next(errand: Errand) -> None:
    """Call the host of the next address."""
    address = errand.next_address()
    if address is None or errand.ended.done():
        return
    kind, number = address[address.index("@") + 1], int(address.partition("@")[2][1:-5])
    host = ".".join(map(str, address_of_host(kind, number)))
    _connect(lambda: Caller(errand, address), host, SMTP_PORT)


def visit_next(errand: Errand) -> None:
    """Come to the MTA with the next message."""
    address = errand.next_address()
    if address is None or errand.ended.done():
        return
    _connect(lambda: Visitor(errand, address), errand.order.host, errand.order.port)


def _connect(asker: Callable[[], Asker], host: str, port: int) -> None:
    loop = asyncio.get_running_loop()
    task: asyncio.Task[object] = loop.create_task(loop.create_connection(asker, host, port))
    _calls.add(task)
    task.add_done_callback(_calls.discard)


async def end_calls() -> None:
    """Give up connections that do not stand yet."""
    for task in _calls:
        task.cancel()
    await asyncio.gather(*_calls, return_exceptions=True)
