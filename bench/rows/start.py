"""How long a command takes from its start to its end.

The hosts answer at once: what remains of `check` is ours. The first calls its host, the second remembers.
"""

import resource
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from real.servers.settings import settings_with

from ..figures import say, say_table
from ..machine import describe
from ..options import Options
from ..places import ANSWERS_AT_ONCE, CONTACT, HELO_NAME, OUR_END, OUTSIDE, mailbox
from ..world import world

RUNS_A_ROUND = 5
COMMAND = str(Path(sys.executable).with_name("ringback"))


def run(asked: Options) -> None:
    say(f"start; {describe()}; medians of {asked.rounds * RUNS_A_ROUND} runs")
    with world(), TemporaryDirectory() as folder:
        check = [COMMAND, "check", "--config", _config(Path(folder))]
        address = mailbox(1, ANSWERS_AT_ONCE, 1)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "ringback --help": [COMMAND, "--help"],
            "ringback check --help": [COMMAND, "check", "--help"],
            "ringback check ADDRESS, first": [*check, "--fresh", address],
            "ringback check ADDRESS, again": [*check, address],
        }
        rows = [["", "median ms", "best ms", "CPU ms"]]
        took: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        for _ in range(asked.rounds * RUNS_A_ROUND):
            for name, command in commands.items():
                took[name].append(_time_ms(command))
        for name, each in took.items():
            walls_ms, cpus_ms = zip(*each, strict=True)
            rows.append(
                [name, *(f"{ms:.0f}" for ms in (median(walls_ms), min(walls_ms), median(cpus_ms)))]
            )
        say_table(rows)


def _time_ms(command: list[str]) -> tuple[float, float]:
    """How long it takes, and how much of that on a processor, which others at work do not change."""
    started_at, before_s = perf_counter(), _children_s()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return (perf_counter() - started_at) * 1_000, (_children_s() - before_s) * 1_000


def _children_s() -> float:
    """CPU seconds of the programs that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _config(folder: Path) -> str:
    path = folder / "ringback.toml"
    identity = {
        "helo_name": HELO_NAME,
        "contact": CONTACT,
        "source_addresses": [OUR_END],
        "require_fit": False,
    }
    settings = settings_with(identity=identity, smtp={"allowed_networks": [OUTSIDE]})
    path.write_text(f'{settings}\n[store]\nurl = "sqlite://{folder}/ringback.db"\n')
    return str(path)
