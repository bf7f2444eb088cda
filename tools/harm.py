"""Measure what callouts cost others. Usage: python tools/harm.py [--seeds N] [--messages N] [--days D] …

Two weeks of forged, spam and honest mail in virtual time, through Ringback in each of its modes, and through
models of Exim's and Postfix's documented behaviour; with bots that try deferred mail again at 0, 5 and 20 %.
Nothing leaves this process: hosts, DNS and time are simulated, the engine and its policy door are the real
ones. The exit status is 1 if Ringback lost an honest mail, or exceeded the budget of a host.
"""

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

from ringback.doors.policy_server import PolicyServer
from ringback.lab.harm import MakeReceiver, measure
from ringback.lab.harm_table import Figures, Line, figures_of, render
from ringback.lab.rival_models import EximModel, PostfixModel
from ringback.lab.sim_engine import engine_in, settings_for
from ringback.lab.traffic import Volume
from ringback.values.settings import Budget, CallWhen

RIVALS: dict[str, MakeReceiver] = {"Exim (model)": EximModel, "Postfix (model)": PostfixModel}
OURS = {f"ringback {mode}": mode for mode in CallWhen}
SHARES = (0.0, 0.05, 0.2)
KNOWN = "of " + ", ".join((*OURS, *RIVALS))


@dataclass(frozen=True, slots=True)
class Task:
    """One run."""

    name: str
    seed: str
    volume: Volume


def run(task: Task) -> Figures:
    """In a process of its own."""
    if task.name in RIVALS:
        make = RIVALS[task.name]
    else:
        make = engine_in(settings_for(OURS[task.name]), PolicyServer)
    return figures_of(measure(make, task.seed, task.volume))


def options(args: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[2])
    parser.add_argument("--seeds", type=int, default=1, help="how many worlds (1)")
    parser.add_argument("--first-seed", type=int, default=1, help="the number of the first (1)")
    parser.add_argument("--messages", type=int, default=10_000, help="forged, and honest (10000)")
    parser.add_argument("--days", type=float, default=14.0, help="that they come in (14)")
    parser.add_argument("--retry", type=float, nargs="+", default=SHARES, help="of bots (0 .05 .2)")
    parser.add_argument("--only", nargs="+", default=(*OURS, *RIVALS), metavar="NAME", help=KNOWN)
    parser.add_argument("--jobs", type=int, default=0, help="at a time (one for each core)")
    return parser.parse_args(args)


def main(args: Sequence[str]) -> int:
    """Print the account."""
    asked = options(args)
    rows = list(product(asked.only, asked.retry))
    seeds = [str(asked.first_seed + number) for number in range(asked.seeds)]
    tasks = [
        Task(name, seed, _volume(asked.messages, asked.days, share))
        for name, share in rows
        for seed in seeds
    ]
    done = _run_all(tasks, asked.jobs)
    size = len(seeds)
    lines = [
        Line(name, share, done[at * size : (at + 1) * size])
        for at, (name, share) in enumerate(rows)
    ]
    sys.stdout.writelines(f"{text}\n" for text in render(lines))
    return 1 if any(_fails(line) for line in lines) else 0


def _run_all(tasks: Sequence[Task], jobs: int) -> list[Figures]:
    if jobs == 1:
        return [run(task) for task in tasks]
    with ProcessPoolExecutor(jobs or None) as pool:
        return list(pool.map(run, tasks))


def _volume(messages: int, days: float, share: float) -> Volume:
    return Volume(messages, messages, messages // 10, days, share)


def _fails(line: Line) -> bool:
    most = Budget().per_host
    return line.name in OURS and (line.lost() > 0 or line.busiest_hour() > most)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
