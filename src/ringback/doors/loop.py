"""What a service runs on: uvloop where the extra `fast` has brought it, asyncio's own loop where not.

Nothing that is decided depends on which it is. Not here: what runs on it (service.py).
"""

import asyncio
import gc
from collections.abc import Callable
from importlib import import_module

UVLOOP, ASYNCIO = "uvloop", "asyncio"

# So many more objects made than freed, and the garbage collector looks for cycles among the newest: with
# Python's 700 it would at each callout, and find nothing, for reference counts free what callouts leave.
COLLECT_AFTER = 20_000

LoopFactory = Callable[[], asyncio.AbstractEventLoop]


def choose_loop() -> tuple[str, LoopFactory | None]:
    """The name of the loop, for the log, and what makes it; None is asyncio's way."""
    try:
        found: LoopFactory = import_module(UVLOOP).new_event_loop
    except ImportError:
        return ASYNCIO, None
    return UVLOOP, found


def collect_rarely() -> None:
    """Have less garbage looked for, and never among what is there at the start, which stays."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
