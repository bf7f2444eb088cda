"""Mail exchangers that mean harm: one octet after the other, or octets without an end.

Not here: those that do as they should (hosts.py).
"""

import asyncio
from typing import cast

# What is sent at a time: of a line that never ends, and of a reply that never does.
FLOOD_BYTES = b"250-" + b"x" * 16_380
CONTINUATION_BYTES = b"250-and so on, and on\r\n" * 712
# A verifier that took more would never be done; this one would.
MOST_BYTES = 4 * 1_024 * 1_024
_GREETING = b"220 mx.test ESMTP\r\n"
_CONTINUED = b"250-and so on, and on\r\n"


class Drip(asyncio.Protocol):
    """Answers EHLO with a reply without an end, an octet every `pause_s`."""

    def __init__(self, pause_s: float) -> None:
        self._pause_s, self._sent = pause_s, 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_GREETING)

    def data_received(self, data: bytes) -> None:
        if self._timer is None:
            self._drip()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _drip(self) -> None:
        at = self._sent % len(_CONTINUED)
        self._transport.write(_CONTINUED[at : at + 1])
        self._sent += 1
        self._timer = asyncio.get_running_loop().call_later(self._pause_s, self._drip)


class Stream(asyncio.Protocol):
    """Answers EHLO with `piece`, again and again, as fast as it is taken."""

    def __init__(self, piece: bytes) -> None:
        self._piece, self._sent, self._may_send = piece, 0, True

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(_GREETING)

    def data_received(self, data: bytes) -> None:
        if not self._sent:
            self._send()

    def pause_writing(self) -> None:
        self._may_send = False

    def resume_writing(self) -> None:
        self._may_send = True
        self._send()

    def _send(self) -> None:
        while self._may_send and self._sent < MOST_BYTES and not self._transport.is_closing():
            self._transport.write(self._piece)
            self._sent += len(self._piece)
