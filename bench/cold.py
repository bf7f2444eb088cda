"""New addresses over 1,000 domains, at hosts that answer at once. Usage: python -m bench.cold

All ask without control first, then those that know one with it; each has asked every domain before. The
ceiling is what the load generator and the hosts reach alone, without a verifier and without DNS.
"""

from collections import defaultdict

from . import entrants
from .entrants import Field, gather
from .figures import HEAD, row, say, say_table
from .machine import describe
from .options import options
from .systems.postfix import start_sink
from .systems.system import Sample
from .world import world

ASKERS = (1, 32, 256)
DOMAINS = 1_000
WARM_UP_ASKERS, WARM_UP_S = 64, 30.0

WITHOUT_CONTROL = (
    entrants.CEILING,
    entrants.RINGBACK,
    entrants.PLAIN,
    entrants.EXIM,
    entrants.POSTFIX,
    entrants.EAGER,
    entrants.MAILFROMD,
    entrants.PY3,
    entrants.DEEP,
)
WITH_CONTROL = (entrants.CONTROL, entrants.RANDOM)


def main() -> None:
    asked = options(__doc__)
    with world(start_sink if asked.sink else None) as here:
        say(f"new addresses; {describe()}; medians of {asked.rounds} runs of {asked.seconds:g} s")
        for title, names, against in (
            ("without control", WITHOUT_CONTROL, entrants.EXIM),
            ("with control", WITH_CONTROL, entrants.RANDOM),
        ):
            say(f"\n## {title}")
            field = gather(here, names, asked.only)
            _report(field, against, asked.rounds, asked.seconds)
            field.say_missing()


def _report(field: Field, against: str, rounds: int, seconds: float) -> None:
    for system in field.systems.values():
        system.warm_up(WARM_UP_ASKERS, WARM_UP_S, DOMAINS)
    for askers in ASKERS:
        say(f"\n{askers} asker{'s' * (askers > 1)}")
        samples = _run(field, askers, rounds, seconds)
        reference = samples.get(against, [])
        say_table([HEAD, *(row(name, each, reference) for name, each in samples.items())])


def _run(field: Field, askers: int, rounds: int, seconds: float) -> dict[str, list[Sample]]:
    samples: defaultdict[str, list[Sample]] = defaultdict(list)
    for _ in range(rounds):
        for name in list(field.systems):
            samples[name] += field.measure(name, askers, seconds)
    return {name: each for name, each in samples.items() if each}


if __name__ == "__main__":
    main()
