"""All configured doors in one process: started, reloaded, drained. Not here: what a door does.

A reload makes a new engine on the same store and hands it to the doors; connections, budgets and the callouts
of the old engine go on. It happens whole or not at all: a mistake in it changes nothing.
"""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Protocol, TextIO

from ..assemble import make_engine, open_store
from ..engine.doctor import Doctor
from ..engine.pacer import Pacer
from ..engine.ports import Clock, Sink, Store
from ..engine.verifier import Verifier
from ..errors import RingbackError, UsageError
from ..net.bind import Socket
from ..net.clock import SystemClock, elapsed
from ..net.inherit import Inherited
from ..net.listen import Limits, Serve, listen
from ..net.notify import ALIVE, READY, STOPPING, notify, reloading, watchdog_s
from ..values.events import Event, Examined, Lifecycle, Trouble
from ..values.fitness import Severity
from ..values.settings import Settings
from ..values.text import printable
from . import milter_server, policy_server, socketmap_server
from .http import door as http_door
from .http.door import HttpDoor
from .http.tokens import Tokens, load_tokens
from .log import make_sink, style_for
from .metrics import Metrics
from .milter_server import MilterServer
from .policy_server import PolicyServer
from .recent import Recent
from .socketmap_server import SocketmapServer

# Stopping: MTAs get the answers that are under way; a callout that takes longer is asked again anyway.
DRAIN_S = 5.0
# An MTA opens a connection to its milters for each SMTP session, and holds it as long. An idle one costs
# us 6 kB (3,000 of them: 18 MB).
MILTER_LIMITS = Limits(connections=10_000)

_Place = tuple[str, str]  # a door's name and an address where it listens


class _Listening(Protocol):
    """A listener, of net/listen.py or of doors/http/listener.py."""

    @property
    def address(self) -> str: ...

    async def stop(self, drain_s: float) -> None: ...


_Open = Callable[[Socket | None], Awaitable[_Listening]]  # on the socket that was inherited, if any


@dataclass(frozen=True, slots=True)
class _Doors:
    """The doors that listen, whatever engine is behind them."""

    policy: PolicyServer
    milter: MilterServer
    socketmap: SocketmapServer
    http: HttpDoor
    sink: Sink

    def adopt(self, verifier: Verifier, settings: Settings, tokens: Tokens) -> None:
        self.policy.adopt(verifier, settings)
        self.milter.adopt(verifier, settings)
        self.socketmap.adopt(verifier, settings)
        self.http.adopt(verifier, settings, tokens)

    def places(self, settings: Settings) -> Iterator[tuple[_Place, _Open]]:
        """Where each of them is to listen, and how."""
        for address in settings.policy.listen:
            yield (policy_server.DOOR, address), self._open(address, self.policy.serve, Limits())
        for address in settings.milter.listen:
            yield (
                (milter_server.DOOR, address),
                self._open(address, self.milter.serve, MILTER_LIMITS),
            )
        for address in settings.socketmap.listen:
            place = (socketmap_server.DOOR, address)
            yield place, self._open(address, self.socketmap.serve, Limits())
        if address := settings.http.listen:
            yield (http_door.DOOR, address), partial(self.http.listen, address)

    def _open(self, address: str, serve: Serve, limits: Limits) -> _Open:
        return lambda inherited: listen(address, serve, limits, sink=self.sink, inherited=inherited)


@dataclass(slots=True)
class _Running:
    """What serves now. The store, the doors and the budgets outlast a reload."""

    settings: Settings
    store: Store
    pacer: Pacer
    verifier: Verifier
    doctor: Doctor
    doors: _Doors


class Service:
    """The running service. `read_settings` reads the configuration anew for each reload."""

    def __init__(
        self,
        read_settings: Callable[[], Settings],
        sink: Sink,
        environment: Mapping[str, str],
        clock: Clock | None = None,
    ) -> None:
        self._read_settings, self._environment = read_settings, environment
        self._log, self._metrics = sink, Metrics()
        self._clock = clock or SystemClock()
        self._recent = Recent(self._clock.now)
        self._listeners: dict[_Place, _Listening] = {}
        self._inherited = Inherited()
        # What reloads have replaced, and the tasks in which it comes to its end.
        self._replaced: set[Verifier] = set()
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
            self._tell("ready", self._open_doors, READY)
            await self._reload_wanted.wait()
            self._reload_wanted.clear()
            self._tell("reloading", "", *reloading(elapsed()))
            try:
                await self._reload(running)
            except RingbackError as error:
                self._sink(Trouble("reload", str(error), "the old settings stay in force"))

    async def _start(self, stack: AsyncExitStack) -> _Running:
        settings = self._read_settings()
        tokens = load_tokens(settings.http.tokens_file)
        self._inherited = Inherited.of(self._environment)
        stack.callback(self._inherited.close)
        store = await open_store(settings, self._sink)
        stack.push_async_callback(store.close)
        pacer = Pacer(settings.budget)
        engine = await make_engine(settings, store, self._hear, self._clock, pacer)
        verifier = engine.verifier
        doors = _Doors(
            PolicyServer(verifier, self._clock, self._sink, settings=settings),
            MilterServer(verifier, self._clock, self._sink, settings=settings),
            SocketmapServer(verifier, self._clock, self._sink, settings=settings),
            HttpDoor(
                verifier,
                store,
                self._clock,
                self._sink,
                settings=settings,
                tokens=tokens,
                metrics=self._metrics,
                recent=self._recent,
            ),
            self._sink,
        )
        stack.push_async_callback(doors.http.close)
        running = _Running(settings, store, pacer, verifier, engine.doctor, doors)
        stack.push_async_callback(self._close_verifiers, running)
        self._listeners = await self._open_listeners(settings, doors)
        stack.push_async_callback(self._close_listeners)
        engine.doctor.attend_nowait(engine.means)
        return running

    async def _reload(self, running: _Running) -> None:
        """Get all that the new settings need, and only then go over to them. Raises RingbackError."""
        new, old = self._read_settings(), running.settings
        tokens = load_tokens(new.http.tokens_file)
        if new.store != old.store:
            raise UsageError("store.url: it cannot change in a reload; restart for another store")
        if new.cache.memory_entries != old.cache.memory_entries:
            self._sink(Trouble("reload", "cache.memory_entries stays as it was", "restart for it"))
        engine = await make_engine(new, running.store, self._hear, self._clock, running.pacer)
        try:
            opened = await self._open_listeners(new, running.doors)
        except BaseException:
            await engine.close()
            raise
        running.pacer.adopt(new.budget)
        running.doors.adopt(engine.verifier, new, tokens)
        self._listeners.update(opened)
        wanted = {place for place, _ in running.doors.places(new)}
        gone = [known for known in self._listeners if known not in wanted]
        self._replace(running.verifier, [self._listeners.pop(place) for place in gone])
        await running.doctor.close()
        running.settings, running.verifier, running.doctor = new, engine.verifier, engine.doctor
        engine.doctor.attend_nowait(engine.means)

    async def _open_listeners(self, settings: Settings, doors: _Doors) -> dict[_Place, _Listening]:
        """Open what is not open yet, all or none. Raises UsageError."""
        opened: dict[_Place, _Listening] = {}
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

    def _replace(self, verifier: Verifier, listeners: Sequence[_Listening]) -> None:
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
        await running.doctor.close()
        verifiers = (running.verifier, *self._replaced)
        await asyncio.gather(*(verifier.close(DRAIN_S) for verifier in verifiers))
        await asyncio.gather(*self._ending)

    def _sink(self, event: Event) -> None:
        """Log an event, count it, and keep it for those who look on."""
        self._log(event)
        self._metrics.hear(event)
        self._recent.hear(event)

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


async def _stop_all(listeners: Iterable[_Listening], drain_s: float) -> None:
    await asyncio.gather(*(listener.stop(drain_s) for listener in listeners))


def serve(
    read_settings: Callable[[], Settings], stream: TextIO, environment: Mapping[str, str]
) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP reloads. Events go to `stream`. Raises RingbackError."""
    sink = make_sink(stream, SystemClock().now, style_for(environment))
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_heed_signals(Service(read_settings, sink, environment)))


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop's, where the extra `fast` has brought it: callouts cost a third less on it."""
    try:
        found: Callable[[], asyncio.AbstractEventLoop] = import_module("uvloop").new_event_loop
    except ImportError:
        return None
    return found


async def _heed_signals(service: Service) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, service.stop)
    loop.add_signal_handler(signal.SIGHUP, service.reload)
    await service.run()
