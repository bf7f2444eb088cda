"""1,000 hosts that mean harm, called at a time: what they cost, and how others fare meanwhile.

They answer EHLO with a reply that does not end: an octet a second or two a second (drip), a line without an
end (flood), line after line (continuation). `honest` is as many hosts that answer at once, to compare with.
The cost is that of all 1,000 callouts at a time, alone; then others ask: what is cached, and then about new
addresses. Meanwhile all drips stand; those that one is rid of soon are called eight at a time, on and on.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from time import monotonic, sleep

from .. import places, usage
from ..entrants import MAKERS, NOTHING
from ..figures import say, say_table
from ..machine import describe
from ..options import Options
from ..systems import ringback
from ..systems.system import MOST_A_RUN, Sample, System
from ..world import world

CALLOUTS = 1_000
KNOWN = 1_000
ASKERS = 4
WARM_UP_ASKERS, WARM_UP_S = 64, 60.0
# Those of Ringback's defaults would do too, and take a minute each.
STAGE_S, DEADLINE_S = 20.0, 25.0
END_S = 60.0
QUIET_S = 1.5
AT_A_TIME = 8
STANDING_SHARE = 0.95
_GLANCE_S = 0.25
MANNERS = {
    "honest": places.ANSWERS_AT_ONCE,
    "drip": places.DRIP,
    "drip, twice as fast": places.FAST_DRIP,
    "flood": places.FLOOD,
    "continuation": places.CONTINUATION,
}
_HEAD = (
    "",
    "wall s",
    "KiB each",
    "CPU s",
    "µs/octet",
    "cached p50",
    "p99",
    "worst ms",
    "new p50",
    "p99",
    "worst ms",
)


@dataclass(frozen=True, slots=True)
class Cost:
    """Of all callouts to hosts of one manner."""

    seconds: float
    received_bytes: int  # heads of packets included
    cpu_s: float

    def cells(self) -> list[str]:
        return [
            f"{self.seconds:.1f}",
            f"{self.received_bytes / CALLOUTS / 1_024:.1f}",
            f"{self.cpu_s:.2f}",
            f"{self.cpu_s * 1e6 / max(self.received_bytes, 1):.3f}",
        ]


def run(asked: Options) -> None:
    say(f"hostile hosts; {describe()}; {CALLOUTS:,} callouts at a time, {ASKERS} others who ask")
    with world() as here:
        smtp = {"stage_timeout_s": STAGE_S, "callout_deadline_s": DEADLINE_S}
        system = ringback.start(here, "ringback", places.RINGBACK, more={"smtp": smtp})
        say(f"ringback: {system.about}")
        system.warm_up(WARM_UP_ASKERS, WARM_UP_S, KNOWN, first=0)
        noise = MAKERS[NOTHING](here).measure(ASKERS, asked.seconds)
        say(f"who asks a service that does nothing waits {noise.worst_ms:.1f} ms at worst")
        rows = [_HEAD, ["nobody", *[""] * 4, *_others(system, None, asked.seconds)]]
        for manner, kind in MANNERS.items():
            cost = _measure_cost(system, kind)
            rows.append([manner, *cost.cells(), *_others(system, kind, asked.seconds)])
        say_table(rows)


def _measure_cost(system: System, kind: str) -> Cost:
    started_at, cpu_s = monotonic(), usage.cpu_s(system.pid)
    received = system.world.received_bytes()
    with system.waiting(kind, CALLOUTS, END_S):
        while system.world.received_bytes() == received:
            sleep(_GLANCE_S)
        _wait_end(system)
        return Cost(
            monotonic() - started_at - QUIET_S,
            system.world.received_bytes() - received,
            usage.cpu_s(system.pid) - cpu_s,
        )


def _stream(system: System, kind: str) -> AbstractContextManager[None]:
    return system.streaming(kind, MOST_A_RUN, END_S, AT_A_TIME)


def _wait_standing(system: System) -> None:
    give_up_at = monotonic() + STAGE_S / 2
    while system.world.connections() < CALLOUTS * STANDING_SHARE and monotonic() < give_up_at:
        sleep(_GLANCE_S)


def _wait_end(system: System) -> None:
    """Return when for QUIET_S no callout has stood and nothing was received."""
    give_up_at = monotonic() + END_S
    before, quiet_since = 0, monotonic()
    while monotonic() < min(give_up_at, quiet_since + QUIET_S):
        sleep(_GLANCE_S)
        now = system.world.received_bytes()
        if now != before or system.world.connections():
            before, quiet_since = now, monotonic()


def _others(system: System, kind: str | None, seconds: float) -> list[str]:
    """How those fare who ask meanwhile: first what is cached, then about new addresses."""

    def ask_cached() -> Sample:
        return system.measure(ASKERS, seconds, first=0, known=KNOWN)

    def ask_new() -> Sample:
        return system.measure(ASKERS, seconds)

    return [cell for ask in (ask_cached, ask_new) for cell in _meanwhile(system, kind, ask)]


def _meanwhile(system: System, kind: str | None, ask: Callable[[], Sample]) -> list[str]:
    if kind is None:
        sample = ask()
    else:
        stands = kind in (places.DRIP, places.FAST_DRIP)
        calling = system.waiting(kind, CALLOUTS, END_S) if stands else _stream(system, kind)
        with calling:
            if stands:
                _wait_standing(system)
            sample = ask()
        _wait_end(system)
    return [f"{each:.1f}" for each in (sample.p50_ms, sample.p99_ms, sample.worst_ms)]
