"""The load generator: an order on standard input, an outcome on standard output. Usage: python -m bench.load

Its connections stay until its input ends: who serves them can be looked at meanwhile.
Not here: whom to ask and what to make of it (the benchmarks), the askers (askers.py).
"""

import asyncio
import sys
from collections.abc import Callable
from time import perf_counter

import uvloop

from .askers import Asker, Errand, PolicyAsker, SmtpAsker, call_next, end_calls, visit_next
from .milter_asker import MilterAsker
from .orders import Order, Outcome, Way, read_order, write_outcome

_ASKERS: dict[Way, Callable[[Errand], Asker]] = {
    Way.POLICY: PolicyAsker,
    Way.SMTP: SmtpAsker,
    Way.MILTER: MilterAsker,
}
# An asker of these serves for one question, and begins the next one itself.
_NEXT: dict[Way, Callable[[Errand], None]] = {Way.CALLOUT: call_next, Way.SMTP_EACH: visit_next}


async def run(order: Order) -> Outcome:
    """Have it done within its time."""
    errand = Errand(order)
    started_at = perf_counter()
    for _ in range(order.askers):
        await _begin(errand, order)
    await asyncio.wait({errand.ended}, timeout=order.seconds)
    if errand.ended.done():
        errand.ended.result()
    await end_calls()
    return Outcome(perf_counter() - started_at, errand.took_ms, dict(errand.said))


async def _begin(errand: Errand, order: Order) -> None:
    if order.way in _NEXT:
        _NEXT[order.way](errand)
        return
    asker = _ASKERS[order.way]
    loop = asyncio.get_running_loop()
    await loop.create_connection(lambda: asker(errand), order.host, order.port)


async def _obey() -> None:
    outcome = await run(read_order(sys.stdin.buffer.readline()))
    sys.stdout.buffer.write(write_outcome(outcome))
    sys.stdout.flush()
    sys.stdin.buffer.read()


def main() -> None:
    uvloop.run(_obey())


if __name__ == "__main__":
    main()
