"""Answers from the cache over kept connections. Usage: python -m bench.cached

The ceiling is a policy service that says DUNNO to everything and looks nothing up.
"""

from collections import defaultdict

from . import entrants
from .entrants import gather
from .figures import HEAD, row, say, say_table
from .machine import describe
from .options import options
from .orders import Way
from .places import DO_NOTHING_PORT, THEIR_END
from .systems.system import Sample, System
from .world import World, world

ASKERS = (1, 32)
KNOWN = 1_000
WARM_UP_ASKERS, WARM_UP_S = 64, 60.0
CEILING = "load alone"
NAMES = (entrants.RINGBACK, entrants.PLAIN, entrants.EXIM, entrants.EAGER, entrants.MAILFROMD)


def main() -> None:
    asked = options(__doc__)
    with world() as here:
        say(f"cached answers; {describe()}; medians of {asked.rounds} runs of {asked.seconds:g} s")
        field = gather(here, NAMES, asked.only)
        for system in field.systems.values():
            system.warm_up(WARM_UP_ASKERS, WARM_UP_S, KNOWN, first=0)
        field.systems = {CEILING: _ceiling(here), **field.systems}
        for askers in ASKERS:
            samples: defaultdict[str, list[Sample]] = defaultdict(list)
            for _ in range(asked.rounds):
                for name in list(field.systems):
                    samples[name] += field.measure(name, askers, asked.seconds, known=KNOWN)
            say(f"\n{askers} connection{'s' * (askers > 1)}")
            rows = [
                row(name, each, samples[entrants.EXIM]) for name, each in samples.items() if each
            ]
            say_table([HEAD, *rows])
        field.say_missing()


def _ceiling(here: World) -> System:
    good = frozenset({"action=DUNNO"})
    return System(CEILING, Way.POLICY, THEIR_END, DO_NOTHING_PORT, 0, good, here)


if __name__ == "__main__":
    main()
