"""The clocks of the running system: the one module that reads them. Not here: what time means (rules/)."""

import asyncio
import time
from pathlib import Path
from secrets import token_hex
from typing import Protocol

# Goes on while the machine sleeps, as the hour of those who are called does; where there is none, the
# clock that does not.
_BOOTTIME: int = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
# A text that the kernel draws each time it starts, the same for all containers on it.
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
# A container may have its CLOCK_BOOTTIME start anew; then its name for the clock differs, too.
TIME_NAMESPACE = Path("/proc/self/ns/time")


# Seconds since an unnamed moment; unlike `now`, it never jumps when somebody sets the time.
elapsed = time.monotonic


def boot_id(path: Path = BOOT_ID, namespace: Path = TIME_NAMESPACE) -> str:
    """Name the run of the machine that SystemClock.elapsed() counts; a new name where it has none."""
    try:
        boot = path.read_text("ascii").strip()
    except (OSError, ValueError):
        boot = ""
    try:
        clock = str(namespace.readlink())
    except OSError:  # before Linux 5.6, all have the same
        clock = ""
    return f"{boot or token_hex(16)} {clock}".rstrip()


class TellsTime(Protocol):
    """What the rest of net/ needs of a clock."""

    def now(self) -> float: ...


class SystemClock:
    """The Clock of engine/ports.py."""

    now = staticmethod(time.time)  # Unix seconds

    def elapsed(self) -> float:
        """Seconds since the machine started, its sleep included."""
        return time.clock_gettime(_BOOTTIME)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
