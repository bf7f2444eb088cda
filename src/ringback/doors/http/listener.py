"""Uvicorn in our event loop: connections accepted within a limit, requests read within a time, drained.

It has no lifespan, no signals, no log and no loop of its own. Not here: opening the socket (net/bind.py),
what is done with a request (guard.py).
"""

import asyncio
from email.utils import formatdate
from functools import partial
from http import HTTPStatus
from typing import Any, cast

import h11
from litestar.types import ASGIApp
from uvicorn import Config, Server
from uvicorn.lifespan.off import LifespanOff
from uvicorn.protocols.http.h11_impl import H11Protocol

from ...net.bind import Socket, open_listener, remove_path, shown_address
from ...values.events import Trouble
from .door import DOOR, HttpDoor
from .problems import MEDIA_TYPE, Problem

# Web servers in front of us run as users of their own, who share our group.
UNIX_MODE = 0o660
_ERROR_LEVEL = 40  # of logging


class Journal:
    """Takes the place of a logging handler: what uvicorn finds wrong with us becomes an event.

    What clients do wrong is told by Connection, and all else by nobody.
    """

    name = DOOR
    level = _ERROR_LEVEL

    def __init__(self, door: HttpDoor) -> None:
        self._door = door

    def handle(self, record: Any) -> None:
        error = record.exc_info[1] if record.exc_info else None
        # Cut off when the service ended; and what has no error in it, the guard has told already.
        if error is not None and not isinstance(error, asyncio.CancelledError):
            self._door.tell(Trouble.of_bug(DOOR, error))


class Connection(H11Protocol):
    """One client of uvicorn's, who may not dawdle."""

    _door: HttpDoor  # of a class made for it: uvicorn makes connections, and knows no door

    def __init__(self, *args: Any, **rest: Any) -> None:
        super().__init__(*args, **rest)
        self._reading: asyncio.TimerHandle | None = None
        self._writing: asyncio.TimerHandle | None = None

    @property
    def peer(self) -> str:
        return self.client[0] if self.client else "unix"

    # What the event loop calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # asyncio promises no more, and uvicorn's protocol takes a stream's: ours are all streams.
        stream = cast(asyncio.Transport, transport)
        super().connection_made(stream)
        # Any octet that the client does not take calls pause_writing, and starts the clock.
        stream.set_write_buffer_limits(high=0)
        most = self._door.limits.connections
        if len(self.connections) > most:
            self._turn_away(f"{most} connections are open, the most that are served")
        else:
            self._watch_reading()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._watch_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        for timer in (self._reading, self._writing):
            if timer is not None:
                timer.cancel()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._writing is None:
            limit_s = self._door.limits.write_s
            why = f"it took nothing of its answer for {limit_s:g} s"
            self._writing = self.loop.call_later(limit_s, self._turn_away, why)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    # What uvicorn calls.

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self.transport.close()  # nobody reads the rest of what it sends
        self._watch_reading()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, as all else is refused: with a problem."""
        self._door.tell_sent_away(self.peer, "not HTTP, or a head that is too large")
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.close()  # amid an answer
            return
        if self.cycle is not None:
            self.cycle.disconnected = True  # of a head that was whole: nobody waits for its answer
        body = Problem(HTTPStatus.BAD_REQUEST, "this is no HTTP, or its head is too large").encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("date", formatdate(self._door.clock.now(), usegmt=True)),
            ("connection", "close"),
        ]
        for event in (
            h11.Response(status_code=HTTPStatus.BAD_REQUEST.value, headers=headers),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    # The time to read a request.

    def _watch_reading(self) -> None:
        """Start the clock when a request begins, and stop it when the request is whole."""
        begun = self.conn.trailing_data[0] or self.cycle is None
        is_partial = self.conn.their_state is h11.SEND_BODY or (
            self.conn.their_state is h11.IDLE and begun
        )
        if not is_partial or self.transport.is_closing():
            if self._reading is not None:
                self._reading.cancel()
                self._reading = None
        elif self._reading is None:
            limit_s = self._door.limits.read_s
            why = f"a request that is not whole after {limit_s:g} s"
            self._reading = self.loop.call_later(limit_s, self._turn_away, why)

    def _turn_away(self, why: str) -> None:
        self._door.tell_sent_away(self.peer, why)
        self.transport.abort()


class HttpListener:
    """Accepts connections until `stop`. `address` is the real one, with the port that ":0" got."""

    def __init__(self, sock: Socket, app: ASGIApp, door: HttpDoor, *, path_stays: bool) -> None:
        self._sock, self._path_stays = sock, path_stays
        self.address = shown_address(sock)
        self._server = Server(_configure(app, door))
        self._stopped = False

    async def start(self) -> None:
        """Begin to accept."""
        self._server.config.load()
        self._server.lifespan = LifespanOff(self._server.config)
        await self._server.startup(sockets=[self._sock])

    async def stop(self, drain_s: float) -> None:
        """Accept no more; let what is under way end within `drain_s`; then cut it off."""
        if self._stopped:
            return
        self._stopped = True
        if not self._path_stays:
            remove_path(self._sock)
        state, config = self._server.server_state, self._server.config
        config.timeout_graceful_shutdown = round(drain_s)
        await self._server.shutdown(sockets=[self._sock])
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)


async def listen(
    address: str, app: ASGIApp, door: HttpDoor, inherited: Socket | None = None
) -> HttpListener:
    """Listen on "ADDRESS:PORT" or "unix:/path". Raises UsageError where that cannot be had.

    `inherited`: a socket that listens there already, and whose path is somebody else's to remove.
    """
    sock = inherited or open_listener(address, UNIX_MODE)
    listener = HttpListener(sock, app, door, path_stays=inherited is not None)
    await listener.start()
    return listener


def _configure(app: ASGIApp, door: HttpDoor) -> Config:
    journal = {"handlers": {"ours": {"()": partial(Journal, door)}}}
    ours = {"handlers": ["ours"], "level": _ERROR_LEVEL, "propagate": False}
    log_config = {
        "version": 1,
        "disable_existing_loggers": False,
        **journal,
        "loggers": {"uvicorn": ours, "uvicorn.error": {"level": _ERROR_LEVEL}},
    }
    return Config(
        app,
        http=type("ConnectionOfDoor", (Connection,), {"_door": door}),
        ws="none",
        lifespan="off",
        loop="none",
        interface="asgi3",
        log_config=log_config,
        access_log=False,
        proxy_headers=False,  # what a client says of its own address is not believed
        server_header=False,
        date_header=False,  # the guard writes it
        timeout_keep_alive=door.limits.idle_s,
        h11_max_incomplete_event_size=door.limits.head_bytes,
    )
