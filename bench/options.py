"""What the benchmarks can be told on their command line."""

import argparse
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Options:
    """`rows` and `systems` begin the names of those that are wanted; empty: all."""

    rows: tuple[str, ...]
    systems: tuple[str, ...]
    rounds: int
    seconds: float
    sink: bool
    entries: int
    cache: Path | None
    addresses: int
    plots: Path | None

    def wants(self, system: str) -> bool:
        return not self.systems or any(map(system.startswith, self.systems))


def read_options(doc: str | None, rows: Collection[str]) -> Options:
    parser = argparse.ArgumentParser(prog="python -m bench", description=doc)
    for option, among in (("--only", ", ".join(rows)), ("--systems", "those measured")):
        said_of = f"of {among}: those that begin so"
        parser.add_argument(option, nargs="+", default=[], metavar="NAME", help=said_of)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each, interleaved (3)")
    parser.add_argument("--seconds", type=float, default=3.0, help="of one run (3)")
    parser.add_argument("--sink", action="store_true", help="cold: call Postfix's smtp-sink")
    parser.add_argument(
        "--entries", type=int, default=10_000_000, help="full: addresses in the cache (10,000,000)"
    )
    parser.add_argument(
        "--cache", type=Path, help="full: a file that keeps this cache for the next time"
    )
    parser.add_argument(
        "--addresses", type=int, default=1_000_000, help="growth: the most asked for (1,000,000)"
    )
    parser.add_argument("--plots", type=Path, help="a folder to write plots into, as SVG")
    said = parser.parse_args()
    return Options(
        tuple(said.only),
        tuple(said.systems),
        said.rounds,
        said.seconds,
        said.sink,
        said.entries,
        said.cache,
        said.addresses,
        said.plots,
    )
