"""Every door that listens: made, given another engine, opened. Not here: when (service.py), what it does."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Protocol, Self

from ..engine.ports import Clock, Sink, Store
from ..engine.verifier import Verifier
from ..net.bind import Socket
from ..net.listen import Limits, Serve, listen
from ..values.settings import Settings
from . import milter_server, policy_session, socketmap_server
from .configuration import Loaded
from .http import door as http_door
from .http.door import HttpDoor
from .http.tokens import Tokens
from .metrics import Metrics
from .milter_server import MilterServer
from .policy_server import PolicyServer
from .recent import Recent
from .socketmap_server import SocketmapServer

# An MTA opens a connection to its milters for each SMTP session, and holds it as long. An idle one costs
# us 6 kB (3,000 of them: 18 MB).
MILTER_LIMITS = Limits(connections=10_000)
# Descriptors beside those of clients and callouts: questions to name servers (256), store, log, threads.
OTHER_FILES = 320

Place = tuple[str, str]  # a door's name and an address where it listens


class Listening(Protocol):
    """A listener, of net/listen.py or of doors/http/listener.py."""

    @property
    def address(self) -> str: ...

    async def stop(self, drain_s: float) -> None: ...


Open = Callable[[Socket | None], Awaitable[Listening]]  # on the socket that was inherited, if any


@dataclass(frozen=True, slots=True)
class AllDoors:
    """The doors that listen, whatever engine is behind them."""

    policy: PolicyServer
    milter: MilterServer
    socketmap: SocketmapServer
    http: HttpDoor
    sink: Sink

    @classmethod
    def of(
        cls,
        verifier: Verifier,
        store: Store,
        clock: Clock,
        sink: Sink,
        *,
        loaded: Loaded,
        tokens: Tokens,
        metrics: Metrics,
        recent: Recent,
    ) -> Self:
        settings = loaded.settings
        return cls(
            PolicyServer(verifier, clock, sink, settings=settings),
            MilterServer(verifier, clock, sink, settings=settings),
            SocketmapServer(verifier, clock, sink, settings=settings),
            HttpDoor(
                verifier,
                store,
                clock,
                sink,
                settings=settings,
                sources=loaded.sources,
                tokens=tokens,
                metrics=metrics,
                recent=recent,
            ),
            sink,
        )

    def adopt(self, verifier: Verifier, loaded: Loaded, tokens: Tokens) -> None:
        """Answer by another engine and other settings from the next question on."""
        self.policy.adopt(verifier, loaded.settings)
        self.milter.adopt(verifier, loaded.settings)
        self.socketmap.adopt(verifier, loaded.settings)
        self.http.adopt(verifier, loaded.settings, loaded.sources, tokens)

    def places(self, settings: Settings) -> Iterator[tuple[Place, Open]]:
        """Where each of them is to listen, and how."""
        for address in settings.policy.listen:
            yield (policy_session.DOOR, address), self._open(address, self.policy.serve, Limits())
        for address in settings.milter.listen:
            place = (milter_server.DOOR, address)
            yield place, self._open(address, self.milter.serve, MILTER_LIMITS)
        for address in settings.socketmap.listen:
            place = (socketmap_server.DOOR, address)
            yield place, self._open(address, self.socketmap.serve, Limits())
        if address := settings.http.listen:
            yield (http_door.DOOR, address), partial(_open_http, self.http, address)

    def files(self, settings: Settings) -> int:
        """How many files may be open at a time: each client, and each callout, has one."""
        plain = len(settings.policy.listen) + len(settings.socketmap.listen)
        clients = plain * Limits().connections
        clients += len(settings.milter.listen) * MILTER_LIMITS.connections
        clients += self.http.limits.connections if settings.http.listen else 0
        return clients + settings.budget.concurrent + OTHER_FILES

    def _open(self, address: str, serve: Serve, limits: Limits) -> Open:
        return lambda inherited: listen(address, serve, limits, sink=self.sink, inherited=inherited)


async def _open_http(door: HttpDoor, address: str, inherited: Socket | None) -> Listening:
    """Open the HTTP door, and load what it takes only now: as long as all the rest."""
    opening = import_module(".http.opening", __package__).open_at(door, address, inherited)
    opened: Listening = await opening
    return opened
