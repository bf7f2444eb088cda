"""New addresses over 1,000 domains, at hosts that answer at once.

All ask without control first, then those that know one with it; each has asked every domain before. The
ceiling is what the load generator and the hosts reach alone, without a verifier and without DNS.
"""

from collections import defaultdict
from pathlib import Path
from statistics import median

from .. import entrants
from ..entrants import Field, gather
from ..figures import HEAD, row, say, say_table
from ..machine import describe
from ..options import Options
from ..plots import Bar, draw_bars
from ..systems.postfix import start_sink
from ..systems.system import Sample
from ..world import world

ASKERS = (1, 32, 256)
PLOTTED = 32
DOMAINS = 1_000
WARM_UP_ASKERS, WARM_UP_S = 64, 30.0

WITHOUT_CONTROL = (
    entrants.CEILING,
    entrants.RINGBACK,
    entrants.PLAIN,
    entrants.EXIM,
    entrants.EXIM_EACH,
    entrants.POSTFIX,
    entrants.EAGER,
    entrants.MAILFROMD,
    entrants.PY3,
    entrants.DEEP,
)
WITH_CONTROL = (entrants.CONTROL, entrants.RANDOM)


def run(asked: Options) -> None:
    with world(start_sink if asked.sink else None) as here:
        say(f"new addresses; {describe()}; medians of {asked.rounds} runs of {asked.seconds:g} s")
        for title, names, against in (
            ("without control", WITHOUT_CONTROL, entrants.EXIM),
            ("with control", WITH_CONTROL, entrants.RANDOM),
        ):
            say(f"\n## {title}")
            field = gather(here, names, asked)
            field.say_who()
            if not field.systems:
                field.say_missing()
                continue
            plotted = _report(field, against, asked)
            if asked.plots:
                _draw(asked.plots, title, plotted)
            field.say_missing()


def _report(field: Field, against: str, asked: Options) -> dict[str, list[Sample]]:
    """Say what each number of askers showed; return the samples of PLOTTED askers."""
    plotted: dict[str, list[Sample]] = {}
    for system in field.systems.values():
        system.warm_up(WARM_UP_ASKERS, WARM_UP_S, DOMAINS)
    for askers in ASKERS:
        say(f"\n{askers} asker{'s' * (askers > 1)}")
        samples = _run(field, askers, asked.rounds, asked.seconds)
        plotted = samples if askers == PLOTTED else plotted
        reference = samples.get(against, [])
        say_table([HEAD, *(row(name, each, reference) for name, each in samples.items())])
    return plotted


def _draw(folder: Path, title: str, samples: dict[str, list[Sample]]) -> None:
    name = title.replace(" ", "-")
    rates = {who: median(each.rate for each in them) for who, them in samples.items()}
    bars = [Bar(who, rate, f"{rate:,.0f}") for who, rate in rates.items()]
    draw_bars(
        folder / f"cold-{name}.svg", f"new addresses a second, {title}, {PLOTTED} askers", bars
    )
    costs = {who: median(each.cpu_s for each in them) for who, them in samples.items()}
    bars = [Bar(who, cost, f"{cost:.2f} s") for who, cost in costs.items() if cost]
    draw_bars(
        folder / f"cold-{name}-cpu.svg", f"CPU seconds for 1,000, {title}, {PLOTTED} askers", bars
    )


def _run(field: Field, askers: int, rounds: int, seconds: float) -> dict[str, list[Sample]]:
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    for _ in range(rounds):
        for name in list(field.systems):
            samples[name] += field.measure(name, askers, seconds)
    return {name: each for name, each in samples.items() if each}
