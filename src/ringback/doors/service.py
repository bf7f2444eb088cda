"""All configured doors in one process: started, reloaded, drained. Not here: what a door does.

A reload makes a new engine on the same store and hands it to the doors; connections, budgets and the callouts
of the old engine go on. It happens whole or not at all: a mistake in it changes nothing.
"""

import asyncio
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TextIO

from ..assemble import make_verifier, open_store
from ..engine.pacer import Pacer
from ..engine.ports import Clock, Sink, Store
from ..engine.verifier import Verifier
from ..errors import RingbackError, UsageError
from ..net.clock import SystemClock, elapsed
from ..net.listen import Listener, listen
from ..net.notify import READY, STOPPING, notify, reloading
from ..values.events import Lifecycle, Trouble
from ..values.settings import Settings
from .log import make_sink, style_for
from .policy_server import PolicyServer

# Stopping: MTAs get the answers that are under way; a callout that takes longer is asked again anyway.
DRAIN_S = 5.0


@dataclass(slots=True)
class _Running:
    """What serves now. The store, the door and the budgets outlast a reload."""

    settings: Settings
    store: Store
    pacer: Pacer
    verifier: Verifier
    door: PolicyServer


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
        # What reloads have replaced, and the tasks in which it comes to its end.
        self._replaced: set[Verifier] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._stop_wanted, self._reload_wanted = asyncio.Event(), asyncio.Event()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the policy door listens, with the ports that were really got."""
        return tuple(listener.address for listener in self._listeners.values())

    def stop(self) -> None:
        """Let what is under way end, and then `run` return."""
        self._stop_wanted.set()

    def reload(self) -> None:
        """Read the settings again, soon. Several wishes at a time are one."""
        self._reload_wanted.set()

    async def run(self) -> None:
        """Serve until `stop`, which may come at any moment. Raises RingbackError if it cannot start."""
        stopping = asyncio.create_task(self._stop_wanted.wait())
        async with AsyncExitStack() as stack:
            serving = asyncio.create_task(self._serve(stack))
            try:
                await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                stopping.cancel()
                serving.cancel()
                with suppress(asyncio.CancelledError):
                    await serving
            self._tell("draining", f"at most {DRAIN_S:g} s", STOPPING)
        self._sink(Lifecycle("stopped"))

    async def _serve(self, stack: AsyncExitStack) -> None:
        """Start, put what ends it on `stack`, and then reload as often as is wished."""
        running = await self._start(stack)
        while True:
            self._tell("ready", f"policy: {', '.join(self.addresses)}", READY)
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            self._tell("reloading", "", *reloading(elapsed()))
            try:
                await self._reload(running)
            except RingbackError as error:
                self._sink(Trouble("reload", str(error), "the old settings stay in force"))

    async def _start(self, stack: AsyncExitStack) -> _Running:
        settings = self._read_settings()
        store = await open_store(settings, self._sink)
        stack.push_async_callback(store.close)
        pacer = Pacer(settings.budget, self._clock)
        verifier = await make_verifier(settings, store, self._sink, self._clock, pacer)
        door = PolicyServer(verifier, store, self._clock, self._sink, settings=settings)
        running = _Running(settings, store, pacer, verifier, door)
        stack.push_async_callback(self._close_verifiers, running)
        self._listeners = await self._open_listeners(settings, door)
        stack.push_async_callback(self._close_listeners)
        return running

    async def _reload(self, running: _Running) -> None:
        """Get all that the new settings need, and only then go over to them. Raises RingbackError."""
        new, old = self._read_settings(), running.settings
        if new.store != old.store:
            raise UsageError("store.url: it cannot change in a reload; restart for another store")
        if new.cache.memory_entries != old.cache.memory_entries:
            self._sink(Trouble("reload", "cache.memory_entries stays as it was", "restart for it"))
        verifier = await make_verifier(new, running.store, self._sink, self._clock, running.pacer)
        try:
            opened = await self._open_listeners(new, running.door)
        except BaseException:
            await verifier.close()
            raise
        running.pacer.adopt(new.budget)
        running.door.adopt(verifier, new)
        self._listeners.update(opened)
        gone = [known for known in self._listeners if known not in new.policy.listen]
        self._replace(running.verifier, [self._listeners.pop(address) for address in gone])
        running.settings, running.verifier = new, verifier

    async def _open_listeners(self, settings: Settings, door: PolicyServer) -> dict[str, Listener]:
        """Open what is not open yet, all or none. Raises UsageError."""
        opened: dict[str, Listener] = {}
        try:
            for address in settings.policy.listen:
                if address not in self._listeners:
                    opened[address] = await listen(address, door.serve, sink=self._sink)
        except BaseException as error:
            await _stop_all(opened.values(), drain_s=0.0)
            ours = self._with_port_of(address)
            if isinstance(error, UsageError) and ours:
                raise UsageError(
                    f"cannot go from {ours} to {address} in a reload; restart the service"
                ) from None
            raise
        return opened

    def _with_port_of(self, address: str) -> str:
        """Name an open listener of the port, which the same port of other addresses clashes with."""
        port = address.rpartition(":")[2]
        return next((known for known in self._listeners if known.endswith(f":{port}")), "")

    def _replace(self, verifier: Verifier, listeners: Sequence[Listener]) -> None:
        """Let the callouts and connections of what is replaced come to their end meanwhile."""

        async def end() -> None:
            await _stop_all(listeners, DRAIN_S)
            await verifier.close(drain_s=verifier.patience_s)
            self._replaced.discard(verifier)

        self._replaced.add(verifier)
        task = asyncio.create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _close_listeners(self) -> None:
        listeners = list(self._listeners.values())
        self._listeners.clear()
        await _stop_all(listeners, DRAIN_S)

    async def _close_verifiers(self, running: _Running) -> None:
        verifiers = (running.verifier, *self._replaced)
        await asyncio.gather(*(verifier.close(DRAIN_S) for verifier in verifiers))
        await asyncio.gather(*self._ending)

    def _tell(self, what: str, detail: str, *states: str) -> None:
        self._sink(Lifecycle(what, detail))
        try:
            notify(self._environment, *states, f"STATUS={what} {detail}".rstrip())
        except OSError as error:
            self._sink(Trouble("service manager", str(error), "see NOTIFY_SOCKET"))


async def _stop_all(listeners: Iterable[Listener], drain_s: float) -> None:
    await asyncio.gather(*(listener.stop(drain_s) for listener in listeners))


def serve(
    read_settings: Callable[[], Settings], stream: TextIO, environment: Mapping[str, str]
) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads. Events go to `stream`. Raises RingbackError."""
    sink = make_sink(stream, SystemClock().now, style_for(environment))
    asyncio.run(_heed_signals(Service(read_settings, sink, environment)))


async def _heed_signals(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    loop.add_signal_handler(signal.SIGHUP, service.reload)
    await service.run()
