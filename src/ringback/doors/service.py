"""All configured doors in one process: started, reloaded, drained. Not here: what a door does.

A reload makes a new engine on the same store and hands it to the doors; connections stay, and the callouts
of the old engine end in their own time. A configuration with a mistake changes nothing.
"""

import asyncio
import signal
from collections.abc import Callable, Mapping

from ..assemble import make_verifier, open_store
from ..engine.ports import Clock, Sink, Store
from ..engine.verifier import Verifier
from ..errors import RingbackError
from ..net.clock import SystemClock
from ..net.listen import Listener, listen
from ..net.notify import notify
from ..values.events import Lifecycle, Trouble
from ..values.settings import Settings
from .policy_server import PolicyServer

# Stopping: MTAs get the answers that are under way; a callout that takes longer is asked again anyway.
DRAIN_S = 5.0
# Only systemd's own words are said to it.
_READY, _RELOADING, _STOPPING = "READY=1", "RELOADING=1", "STOPPING=1"


class Service:
    """The running service. `read_settings` reads the configuration anew for each reload."""

    def __init__(
        self,
        read_settings: Callable[[], Settings],
        sink: Sink,
        environment: Mapping[str, str],
        clock: Clock | None = None,
    ) -> None:
        self._read_settings, self._sink, self._environment = read_settings, sink, environment
        self._clock = clock or SystemClock()
        self._listeners: dict[str, Listener] = {}
        self._retired: set[asyncio.Task[None]] = set()
        self._wishes: asyncio.Queue[signal.Signals] = asyncio.Queue()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the policy door listens, with the ports that were really got."""
        return tuple(listener.address for listener in self._listeners.values())

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises RingbackError if it cannot start."""
        settings = self._read_settings()
        store = await open_store(settings, self._sink)
        try:
            verifier = await make_verifier(settings, store, self._sink)
            door = PolicyServer(verifier, store, self._clock, self._sink, settings=settings)
            try:
                await self._listen(settings, door)
                self._heed_signals()
                self._tell(_READY, "ready", f"policy: {', '.join(self.addresses)}")
                await self._serve(settings, store, door, verifier)
            finally:
                await self._stop_listening()
        finally:
            await store.close()
        self._sink(Lifecycle("stopped"))

    def stop(self) -> None:
        """Ask for what SIGTERM asks for."""
        self._wishes.put_nowait(signal.SIGTERM)

    def _heed_signals(self) -> None:
        loop = asyncio.get_running_loop()
        for wish in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(wish, self._wishes.put_nowait, wish)

    async def _serve(
        self, settings: Settings, store: Store, door: PolicyServer, verifier: Verifier
    ) -> None:
        while await self._wishes.get() is signal.SIGHUP:
            self._tell(_RELOADING, "reloading", "")
            renewed = await self._reload(settings, store, door)
            if renewed is not None:
                settings, fresh = renewed
                self._retire(verifier)
                verifier = fresh
            self._tell(_READY, "ready", f"policy: {', '.join(self.addresses)}")
        self._tell(_STOPPING, "draining", f"at most {DRAIN_S:g} s")
        await self._stop_listening()
        await verifier.close(DRAIN_S)
        for task in self._retired:
            task.cancel()
        await asyncio.gather(*self._retired, return_exceptions=True)

    async def _reload(
        self, old: Settings, store: Store, door: PolicyServer
    ) -> tuple[Settings, Verifier] | None:
        try:
            new = self._read_settings()
            if new.store != old.store:
                why = "store.url cannot change in a reload"
                self._sink(Trouble("reload", why, "restart for another store"))
                return None
            verifier = await make_verifier(new, store, self._sink)
            door.adopt(verifier, new)
            await self._listen(new, door)
        except RingbackError as error:
            self._sink(Trouble("reload", str(error), "the old settings stay in force"))
            return None
        return new, verifier

    def _retire(self, verifier: Verifier) -> None:
        task = asyncio.create_task(verifier.close(drain_s=verifier.patience_s))
        self._retired.add(task)
        task.add_done_callback(self._retired.discard)

    async def _listen(self, settings: Settings, door: PolicyServer) -> None:
        """Open what is newly configured, then close what is no longer."""
        wanted = settings.policy.listen
        for address in wanted:
            if address not in self._listeners:
                self._listeners[address] = await listen(address, door.serve, sink=self._sink)
        for address in [known for known in self._listeners if known not in wanted]:
            await self._listeners.pop(address).stop(DRAIN_S)

    async def _stop_listening(self) -> None:
        listeners = list(self._listeners.values())
        self._listeners.clear()
        await asyncio.gather(*(listener.stop(DRAIN_S) for listener in listeners))

    def _tell(self, state: str, what: str, detail: str) -> None:
        self._sink(Lifecycle(what, detail))
        try:
            notify(self._environment, state, f"STATUS={what} {detail}".rstrip())
        except OSError as error:
            self._sink(Trouble("service manager", str(error), "see NOTIFY_SOCKET"))
