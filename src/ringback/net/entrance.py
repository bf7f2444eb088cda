"""The entrance to one listening socket: who has connected is let in, many in one round of the event loop.

Both loops have an entrance of their own, and libuv's lets in one a round: of 256 clients that came at once
to a busy service the last waited for 1.3 s.
Not here: opening the socket (bind.py), whom there is room for (listen.py).
"""

import asyncio
import errno
import socket
from collections.abc import Callable
from contextlib import suppress

from ..values.events import Event, Trouble
from .bind import BACKLOG, shown_address
from .trouble import in_words

# Letting one in takes some 50 µs: so do the others of a round not wait for more than 2 ms.
AT_ONCE = 32
# There is nothing left to let anybody in with: some connections may have ended by then. Seconds.
REST_S = 1.0

_REMEDIES = dict.fromkeys(
    (errno.EMFILE, errno.ENFILE), "raise LimitNOFILE= of the unit, or let fewer clients connect"
)


class Entrance:
    """It belongs to one event loop. `meet` makes the protocol for each who is let in."""

    def __init__(
        self,
        sock: socket.socket,
        meet: Callable[[], asyncio.Protocol],
        sink: Callable[[Event], None],
        rest_s: float = REST_S,
    ) -> None:
        self._sock, self._meet, self._sink, self._rest_s = sock, meet, sink, rest_s
        self._loop = asyncio.get_running_loop()
        self._coming_in: set[asyncio.Task[None]] = set()
        self._rest: asyncio.TimerHandle | None = None
        self._is_stuck = False  # and it was told; till all who wait have been let in
        sock.setblocking(False)

    def open(self) -> None:
        """Let in who comes."""
        self._loop.add_reader(self._sock.fileno(), self._let_in, AT_ONCE)

    async def close(self, *, let_in_all: bool) -> None:
        """Let nobody in any more, and bring in who was let in.

        `let_in_all`: that is who has connected by now. Where nobody else listens at the socket, they would
        be reset, their requests sent.
        """
        if let_in_all:
            self._let_in(2 * BACKLOG)  # Linux has one more wait, and others come meanwhile
        self._look_away()
        self._sock.close()  # without a wait before, or who comes meanwhile would be reset too
        if self._coming_in:
            await asyncio.wait(self._coming_in)

    def _let_in(self, most: int) -> None:
        for _ in range(most):
            try:
                accepted, _ = self._sock.accept()
            except BlockingIOError:  # nobody is left
                self._is_stuck = False
                return
            except ConnectionAbortedError:  # he has gone again
                continue
            except OSError as error:
                self._take_rest(error)
                return
            accepted.setblocking(False)
            task = self._loop.create_task(self._bring_in(accepted))
            self._coming_in.add(task)
            task.add_done_callback(self._coming_in.discard)

    async def _bring_in(self, accepted: socket.socket) -> None:
        with suppress(OSError):  # the client is gone, which is its right
            await self._loop.connect_accepted_socket(self._meet, accepted)

    def _take_rest(self, error: OSError) -> None:
        """Let nobody in for a while: who waits would have us try in every round."""
        self._look_away()
        self._rest = self._loop.call_later(self._rest_s, self.open)
        if not self._is_stuck:
            self._is_stuck = True
            what = f"nobody can be let in: {in_words(error)}"
            remedy = _REMEDIES.get(error.errno or 0, "clients wait, and it is tried every second")
            self._sink(Trouble(shown_address(self._sock), what, remedy))

    def _look_away(self) -> None:
        self._loop.remove_reader(self._sock.fileno())
        if self._rest is not None:
            self._rest.cancel()
