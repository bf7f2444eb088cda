"""Answers from the cache over kept connections.

The ceiling is a policy service that says DUNNO to everything and looks nothing up.
"""

from collections import defaultdict

from .. import entrants
from ..entrants import gather
from ..figures import HEAD, row, say, say_table
from ..machine import describe
from ..options import Options
from ..systems.system import Sample
from ..world import world

ASKERS = (1, 32)
KNOWN = 1_000
WARM_UP_ASKERS, WARM_UP_S = 64, 60.0
NAMES = (
    entrants.NOTHING,
    entrants.RINGBACK,
    entrants.PLAIN,
    entrants.EXIM,
    entrants.EXIM_EACH,
    entrants.EAGER,
    entrants.MAILFROMD,
)


def run(asked: Options) -> None:
    with world() as here:
        say(f"cached answers; {describe()}; medians of {asked.rounds} runs of {asked.seconds:g} s")
        field = gather(here, NAMES, asked)
        field.say_who()
        for system in field.systems.values():
            system.warm_up(WARM_UP_ASKERS, WARM_UP_S, KNOWN, first=0)
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
