"""An event loop whose time jumps when there is nothing to do, and the clock that follows it.

What runs on it is ordinary asyncio code: timeouts, sleeps, futures and tasks behave as ever, and two weeks
of them take as long as their work does. No sockets, no threads, no signals. Time moves only between turns
of the loop, so a run depends on nothing but what it is given.
Not here: hosts and DNS to call there (sim_net.py).
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final, NoReturn, TypeVar

T = TypeVar("T")

# Turns of the loop without time moving on. The busiest instant of a sane run takes some thousands.
MAX_TURNS_AT_ONCE = 1_000_000
# Timers this close together are one instant. Seconds; coarser than a float is after thirty years.
RESOLUTION_S = 1e-6
# Tasks that a complaint names; the rest is counted.
MAX_NAMED_TASKS = 10


class DeadlockError(RuntimeError):
    """Work remains, and nothing will ever wake it; or it goes round without time moving on."""


class _Skip:
    """What a loop asks how long to wait: moves its time on in place of waiting."""

    def __init__(self, loop: "SimLoop") -> None:
        self._loop = loop
        self._turns = 0  # at this instant

    def select(self, timeout: float | None) -> tuple[()]:
        if timeout != 0 and self._loop.is_held():
            self._loop.stop()  # who runs it goes on with it
            return ()
        if timeout is None:
            raise DeadlockError(
                f"nothing is scheduled, and these wait for ever: {_waiting(self._loop)}"
            )
        self._turns = 0 if timeout else self._turns + 1
        if self._turns > MAX_TURNS_AT_ONCE:
            self._turns = 0  # for those who clear up
            raise DeadlockError(f"no end of turns at one instant: {_waiting(self._loop)}")
        if timeout:
            self._loop.skip()
        return ()


class SimLoop(asyncio.BaseEventLoop):
    """The loop. Its time begins at 0 and is in seconds."""

    _scheduled: list[asyncio.TimerHandle]  # a heap; those cancelled have left its top

    def __init__(self, is_held: Callable[[], bool] = lambda: False) -> None:
        """`is_held`: asked before time would move on; while it says so, the loop stops instead."""
        super().__init__()
        self.is_held = is_held
        self._clock_resolution = RESOLUTION_S
        self._selector: Final = _Skip(self)
        self._time = 0.0

    def time(self) -> float:
        return self._time

    def skip(self) -> None:
        """Move on to the next timer. Never by more or less, whatever floats would add up to."""
        self._time = max(self._time, self._scheduled[0].when())

    def run_in_executor(self, executor: object, func: object, *args: object) -> NoReturn:
        """A thread would take real time. Raises RuntimeError."""
        raise RuntimeError("no threads in virtual time")

    def _process_events(self, event_list: tuple[()]) -> None:
        """Nothing comes from outside."""

    def _write_to_self(self) -> None:
        """Nobody waits who would have to be woken."""


class SimClock:
    """The Clock of engine/ports.py on a SimLoop."""

    def __init__(self, loop: SimLoop, start_at: float = 1_800_000_000.0) -> None:
        self._loop, self._ahead = loop, start_at

    def now(self) -> float:
        """Unix seconds, as this machine believes."""
        return self._ahead + self._loop.time()

    def elapsed(self) -> float:
        """Seconds since the run began; no `step` moves it."""
        return self._loop.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def step(self, seconds: float) -> None:
        """Somebody sets the time of day, forwards or back."""
        self._ahead += seconds


def run(loop: SimLoop, work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on `loop` to its end, and close the loop. Raises DeadlockError."""
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(work)


def _waiting(loop: SimLoop) -> str:
    """Name the tasks that wait, each with the line where it does."""
    tasks = sorted((_described(task) for task in asyncio.all_tasks(loop)), key=str)
    more = f" and {len(tasks) - MAX_NAMED_TASKS} more" if len(tasks) > MAX_NAMED_TASKS else ""
    return "; ".join(tasks[:MAX_NAMED_TASKS]) + more


def _described(task: asyncio.Task[Any]) -> str:
    coroutine = task.get_coro()
    name = getattr(coroutine, "__qualname__", repr(coroutine))
    frames = task.get_stack(limit=1)
    return f"{name}, line {frames[-1].f_lineno}" if frames else str(name)
