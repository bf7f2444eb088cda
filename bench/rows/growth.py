"""What an address costs as their number grows, from 1,000 to 1,000,000 new ones in one run of the service.

CPU seconds and memory are those of the service, the file is its database with evidence and audit.
"""

from dataclasses import dataclass
from pathlib import Path

from .. import places, usage
from ..figures import say, say_table
from ..machine import describe
from ..options import Options
from ..plots import Line, draw_lines
from ..systems import ringback
from ..world import world

ASKERS = 32
WITHIN_S = 7_200.0
STEPS = (1_000, 3_000, 10_000, 30_000, 100_000, 300_000, 1_000_000)
_HEAD = ("addresses so far", "answers/s", "CPU ms each", "p99 ms", "PSS MiB", "file MiB")


@dataclass(frozen=True, slots=True)
class Step:
    """What the addresses since the step before have cost."""

    addresses: int
    rate: float
    cpu_ms: float
    p99_ms: float
    pss_mib: float
    file_mib: float


def run(asked: Options) -> None:
    say(f"growth; {describe()}; {ASKERS} askers")
    steps: list[Step] = []
    with world() as here:
        store = here.home / "growth.db"
        system = ringback.start(here, "ringback", places.RINGBACK, store=store)
        say(f"ringback: {system.about}")
        done = 0
        for addresses in (step for step in STEPS if step <= asked.addresses):
            before_s = usage.cpu_s(system.pid)
            with system.asked(ASKERS, WITHIN_S, questions=addresses - done) as outcome:
                cpu_s = usage.cpu_s(system.pid) - before_s
                held_mib = usage.pss_mib(system.pid)[1]
            cpu_ms = cpu_s * 1_000 / (addresses - done)
            size_mib = store.stat().st_size / 2**20
            p99_ms = outcome.quantile_ms(0.99)
            steps.append(Step(addresses, outcome.rate, cpu_ms, p99_ms, held_mib, size_mib))
            done = addresses
    say_table([_HEAD, *map(_row, steps)])
    if asked.plots:
        _draw(steps, asked.plots)


def _row(step: Step) -> list[str]:
    return [
        f"{step.addresses:,}",
        f"{step.rate:,.0f}",
        f"{step.cpu_ms:.2f}",
        f"{step.p99_ms:.0f}",
        f"{step.pss_mib:,.0f}",
        f"{step.file_mib:,.0f}",
    ]


def _draw(steps: list[Step], folder: Path) -> None:
    at = [float(step.addresses) for step in steps]
    cost = Line("CPU ms an address", at, [step.cpu_ms for step in steps])
    draw_lines(folder / "growth-cost.svg", "addresses asked about so far", [cost])
    memory = Line("memory, PSS MiB", at, [step.pss_mib for step in steps])
    draw_lines(folder / "growth-memory.svg", "addresses asked about so far", [memory])
