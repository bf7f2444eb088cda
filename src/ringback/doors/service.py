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

from ..assemble import Engine, make_engine, open_store
from ..engine.ports import Clock, Sink, Store
from ..errors import RingbackError, UsageError
from ..net.clock import SystemClock, elapsed
from ..net.descriptors import raise_limit
from ..net.inherit import Inherited
from ..net.notify import ALIVE, READY, STOPPING, notify, reloading, watchdog_s
from ..values.events import Event, Examined, Lifecycle, Trouble
from ..values.fitness import Severity
from ..values.settings import Settings
from ..values.text import printable
from .all_doors import AllDoors, Listening, Place
from .configuration import Loaded
from .http.tokens import load_tokens
from .log import Log, style_for
from .loop import choose_loop, collect_rarely
from .metrics import Metrics
from .recent import Recent
from .resting import Resting
from .telling import Telling

# Stopping: MTAs get the answers that are under way; a callout that takes longer is asked again anyway.
DRAIN_S = 5.0


@dataclass(slots=True)
class _Running:
    """What serves now. The store and the doors outlast a reload."""

    settings: Settings
    store: Store
    engine: Engine
    doors: AllDoors


class Service:
    """The running service. `read_settings` reads the configuration anew for each reload."""

    def __init__(
        self,
        read_settings: Callable[[], Loaded],
        sink: Sink,
        environment: Mapping[str, str],
        clock: Clock | None = None,
        max_files: int | None = None,  # that may be open at a time
    ) -> None:
        self._read_settings, self._environment = read_settings, environment
        self._max_files = max_files
        self._metrics = Metrics()
        self._clock = clock or SystemClock()
        self._recent = Recent(self._clock.now)
        log, recent = (
            Resting(hear, self._clock.elapsed).hear for hear in (sink, self._recent.hear)
        )
        self._sink = Telling(log, self._metrics.hear, recent).hear
        self._listeners: dict[Place, Listening] = {}
        self._inherited = Inherited()
        # What reloads have replaced, and the tasks in which it comes to its end.
        self._replaced: set[Engine] = set()
        self._ending: set[asyncio.Task[None]] = set()
        self._state = self._ailing = ""  # what the service manager is told
        self._stop_wanted, self._reload_wanted = asyncio.Event(), asyncio.Event()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Where the doors listen, with the ports that were really got."""
        return tuple(listener.address for listener in self._listeners.values())

    @property
    def _open_doors(self) -> str:
        at: dict[str, list[str]] = {}
        for (door, _), listener in self._listeners.items():
            at.setdefault(door, []).append(listener.address)
        return "; ".join(f"{door}: {', '.join(addresses)}" for door, addresses in at.items())

    def stop(self) -> None:
        """Let what is under way end, and then `run` return."""
        self._stop_wanted.set()

    def reload(self) -> None:
        """Read the settings again, soon. Several wishes at a time are one."""
        self._reload_wanted.set()

    async def run(self) -> None:
        """Serve until `stop`, which may come at any moment. Raises RingbackError if it cannot start."""
        stopping = asyncio.create_task(self._stop_wanted.wait())
        living = asyncio.create_task(self._show_life())
        async with AsyncExitStack() as stack:
            stack.callback(living.cancel)
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
            self._tell_strays(running)
            self._tell_too_few_files(running)
            self._tell("ready", self._open_doors, READY)
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            self._tell("reloading", "", *reloading(elapsed()))
            try:
                await self._reload(running)
            except RingbackError as error:
                self._sink(Trouble("reload", str(error), "the old settings stay in force"))

    async def _start(self, stack: AsyncExitStack) -> _Running:
        loaded = self._read_settings()
        settings = loaded.settings
        tokens = load_tokens(settings.http.tokens_file)
        self._inherited = Inherited.of(self._environment)
        stack.callback(self._inherited.close)
        store = await open_store(settings, self._sink)
        stack.push_async_callback(store.close)
        engine = await make_engine(settings, store, self._hear, self._clock)
        doors = AllDoors.of(
            engine.verifier,
            store,
            self._clock,
            self._sink,
            loaded=loaded,
            tokens=tokens,
            metrics=self._metrics,
            recent=self._recent,
        )
        stack.push_async_callback(doors.http.close)
        running = _Running(settings, store, engine, doors)
        stack.push_async_callback(self._close_engines, running)
        self._listeners = await self._open_listeners(settings, doors)
        stack.push_async_callback(self._close_listeners)
        engine.attend_nowait()
        return running

    async def _reload(self, running: _Running) -> None:
        """Get all that the new settings need, and only then go over to them. Raises RingbackError."""
        loaded, old = self._read_settings(), running.settings
        new = loaded.settings
        tokens = load_tokens(new.http.tokens_file)
        if new.store != old.store:
            raise UsageError("store.url: it cannot change in a reload; restart for another store")
        if new.cache.memory_entries != old.cache.memory_entries:
            self._sink(Trouble("reload", "cache.memory_entries stays as it was", "restart for it"))
        engine = await make_engine(new, running.store, self._hear, self._clock, running.engine)
        try:
            opened = await self._open_listeners(new, running.doors)
        except BaseException:
            await engine.verifier.close()  # the doctor may be the one of the old settings
            raise
        engine.pacer.adopt(new.budget)
        running.doors.adopt(engine.verifier, loaded, tokens)
        self._listeners.update(opened)
        wanted = {place for place, _ in running.doors.places(new)}
        gone = [known for known in self._listeners if known not in wanted]
        replaced, running.settings, running.engine = running.engine, new, engine
        self._end(replaced, engine, [self._listeners.pop(place) for place in gone])
        engine.attend_nowait(before=replaced)

    async def _open_listeners(self, settings: Settings, doors: AllDoors) -> dict[Place, Listening]:
        """Open what is not open yet, all or none. Raises UsageError."""
        opened: dict[Place, Listening] = {}
        try:
            for place, open_at in doors.places(settings):
                if place not in self._listeners:
                    opened[place] = await open_at(self._inherited.take_nowait(place[1]))
        except BaseException as error:
            await _stop_all(opened.values(), drain_s=0.0)
            ours = self._with_port_of(place[1])
            if isinstance(error, UsageError) and ours:
                raise UsageError(
                    f"cannot go from {ours} to {place[1]} in a reload; restart the service"
                ) from None
            raise
        return opened

    def _with_port_of(self, address: str) -> str:
        """Name an open listener of the port, which the same port of other addresses clashes with."""
        port = address.rpartition(":")[2]
        return next((at for _, at in self._listeners if at.endswith(f":{port}")), "")

    def _end(self, replaced: Engine, by: Engine, listeners: Sequence[Listening]) -> None:
        """Let the questions, callouts and connections of what is replaced come to their end meanwhile."""

        async def end() -> None:
            await asyncio.gather(_stop_all(listeners, DRAIN_S), replaced.give_way(by))
            self._replaced.discard(replaced)

        self._replaced.add(replaced)
        task = asyncio.create_task(end())
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _close_listeners(self) -> None:
        listeners = list(self._listeners.values())
        self._listeners.clear()
        await _stop_all(listeners, DRAIN_S)

    async def _close_engines(self, running: _Running) -> None:
        engines = (running.engine, *self._replaced)
        await asyncio.gather(*(engine.close(DRAIN_S) for engine in engines))
        await asyncio.gather(*self._ending)

    def _hear(self, event: Event) -> None:
        """Pass an event on; one of our fitness shows in the status, too."""
        self._sink(event)
        if isinstance(event, Examined) and self._ailing != (ailing := _ailment(event)):
            self._ailing = ailing
            self._notify()

    def _tell_strays(self, running: _Running) -> None:
        addresses = [address for (_, address), _ in running.doors.places(running.settings)]
        for stray in self._inherited.strays(addresses):
            what = f"systemd listens at {stray}, where no door is configured"
            self._sink(Trouble("socket activation", what, "stop that socket unit, or configure it"))

    def _tell_too_few_files(self, running: _Running) -> None:
        needed = running.doors.files(running.settings)
        if self._max_files is not None and self._max_files < needed:
            what = f"{self._max_files} may be open at a time; with every door full it would be {needed}"
            remedy = "raise LimitNOFILE= of the unit, or the hard limit of whoever starts it"
            self._sink(Trouble("files", what, remedy))

    async def _show_life(self) -> None:
        """Feed the service manager's watchdog, which kills a process that hangs."""
        within_s = watchdog_s(self._environment)
        while within_s is not None:
            self._notify(ALIVE)
            await self._clock.sleep(within_s / 2)

    def _tell(self, what: str, detail: str, *states: str) -> None:
        self._sink(Lifecycle(what, detail))
        self._state = f"{what} {detail}".rstrip()
        self._notify(*states)

    def _notify(self, *states: str) -> None:
        status = "; ".join(filter(None, (self._ailing, self._state)))
        try:
            notify(self._environment, *states, f"STATUS={status}")
        except OSError as error:
            self._sink(Trouble("service manager", str(error), "see NOTIFY_SOCKET"))


def _ailment(event: Examined) -> str:
    """Why no callouts are made, or should be; "" while the identity is fit."""
    if event.fitness.is_fit:
        return ""
    why = event.fitness.of(Severity.FATAL)[0].text
    return printable(f"unfit{'' if event.may_call else ', no callouts'}: {why}")


async def _stop_all(listeners: Iterable[Listening], drain_s: float) -> None:
    await asyncio.gather(*(listener.stop(drain_s) for listener in listeners))


def serve(
    read_settings: Callable[[], Loaded], stream: TextIO, environment: Mapping[str, str]
) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads. Events go to `stream`. Raises RingbackError."""
    log = Log(stream, SystemClock().now, style_for(environment))
    name, factory = choose_loop()
    log.hear(Lifecycle("starting", f"on {name}"))
    collect_rarely()
    with asyncio.Runner(loop_factory=factory) as runner:
        service = Service(read_settings, log.hear, environment, max_files=raise_limit())
        runner.run(_run(service, log))


async def _run(service: Service, log: Log) -> None:
    """Heed signals, and gather what is logged, while the service runs."""
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    loop.add_signal_handler(signal.SIGHUP, service.reload)
    with log.gathering():
        await service.run()
