"""Callouts that wait: what 1,000 and 10,000 of them hold, and how cached answers fare meanwhile.

The hosts take RCPT and say nothing, each callout at a host of its own. Exim and Postfix are asked for 1,000
only: each of theirs is a process or two. Marks: 160 MiB in clear, 700 MiB with STARTTLS, p99 of 10 ms.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic, sleep

from .. import entrants, usage
from ..entrants import gather
from ..figures import say, say_table
from ..machine import describe
from ..options import Options
from ..places import SECURE_WAITS, WAITS
from ..systems.system import System
from ..world import world

KNOWN = 1_000
WARM_UP_ASKERS, WARM_UP_S = 64, 60.0
CACHED_ASKERS = 4
# Until all callouts stand: ten thousand at some hundred a second. The first are given up after 300 s.
GATHER_S = 270.0
_GLANCE_S = 1.0
_HEAD = (
    "",
    "pending",
    "processes",
    "PSS MiB",
    "before",
    "cached/s",
    "p50 ms",
    "p99 ms",
    "p99 before",
)
MOST = {
    entrants.RINGBACK: (1_000, 10_000),
    entrants.SECURE: (1_000, 10_000),
    entrants.PLAIN: (10_000,),
}
NAMES = (
    entrants.RINGBACK,
    entrants.PLAIN,
    entrants.SECURE,
    entrants.EXIM,
    entrants.POSTFIX,
)


def run(asked: Options) -> None:
    say(f"pending callouts; {describe()}; one run each")
    rows: list[Sequence[str]] = [_HEAD]
    for name in filter(asked.wants, NAMES):
        for turn, pending in enumerate(MOST.get(name, (1_000,))):
            with world() as here:  # each from a fresh start
                field = gather(here, (name,), asked)
                if not turn:
                    field.say_who()
                    field.say_missing()
                kind = SECURE_WAITS if name == entrants.SECURE else WAITS
                for system in field.systems.values():
                    rows.append(_measure(system, kind, pending, asked.seconds))
    say_table(rows)


def _measure(system: System, kind: str, pending: int, seconds: float) -> list[str]:
    system.warm_up(WARM_UP_ASKERS, WARM_UP_S, KNOWN, first=0)
    _, before_mib = usage.pss_mib(system.pid)
    before = system.measure(CACHED_ASKERS, seconds, first=0, known=KNOWN)
    with _waiting(system, kind, pending) as reached:
        processes, mib = usage.pss_mib(system.pid)
        meanwhile = system.measure(CACHED_ASKERS, seconds, first=0, known=KNOWN)
    return [
        system.name,
        f"{reached:,}",
        f"{processes:,}",
        f"{mib:,.0f}",
        f"{before_mib:,.0f}",
        f"{meanwhile.rate:,.0f}",
        f"{meanwhile.p50_ms:.1f}",
        f"{meanwhile.p99_ms:.1f}",
        f"{before.p99_ms:.1f}",
    ]


@contextmanager
def _waiting(system: System, kind: str, pending: int) -> Iterator[int]:
    """Have so many callouts wait for their hosts; yields how many do."""
    with system.waiting(kind, pending, GATHER_S * 4):
        give_up_at = monotonic() + GATHER_S
        reached = 0
        while monotonic() < give_up_at:
            sleep(_GLANCE_S)
            now = system.world.connections()
            if now >= pending or (now == reached and now > pending * 0.9):
                reached = now
                break
            reached = now
        sleep(_GLANCE_S)  # those that stand last have dialogues to get through
        yield reached
