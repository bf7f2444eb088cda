"""How long a command takes from its start to its end.

The hosts answer at once: what remains of `check` is ours. One run of each goes before, so that bytecode is at
hand, as after an installation.
"""

import os
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
_NO_BYTECODE, _BYTECODE_AT = "PYTHONDONTWRITEBYTECODE", "PYTHONPYCACHEPREFIX"


def run(asked: Options) -> None:
    say(f"start; {describe()}; medians of {asked.rounds * RUNS_A_ROUND} runs")
    with world(), TemporaryDirectory() as folder:
        kept = [COMMAND, "check", "--config", _config(Path(folder), "ringback.db")]
        new = [COMMAND, "check", "--config", _config(Path(folder), "")]
        address = mailbox(1, ANSWERS_AT_ONCE, 1)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "ringback --help": [COMMAND, "--help"],
            "ringback check --help": [COMMAND, "check", "--help"],
            "ringback check ADDRESS, nothing known": [*new, address],
            "ringback check ADDRESS, called anew": [*kept, "--fresh", address],
            "ringback check ADDRESS, remembered": [*kept, address],
        }
        rows = [["", "median ms", "best ms", "CPU ms"]]
        took: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
        environment = {**os.environ, _BYTECODE_AT: f"{folder}/bytecode"}
        environment.pop(_NO_BYTECODE, None)
        for command in commands.values():
            _time_ms(command, environment)
        for _ in range(asked.rounds * RUNS_A_ROUND):
            for name, command in commands.items():
                took[name].append(_time_ms(command, environment))
        for name, each in took.items():
            walls_ms, cpus_ms = zip(*each, strict=True)
            rows.append(
                [name, *(f"{ms:.0f}" for ms in (median(walls_ms), min(walls_ms), median(cpus_ms)))]
            )
        say_table(rows)


def _time_ms(command: list[str], environment: dict[str, str]) -> tuple[float, float]:
    """How long it takes, and how much of that on a processor, which others at work do not change."""
    started_at, before_s = perf_counter(), _children_s()
    nowhere = subprocess.DEVNULL
    subprocess.run(command, check=False, env=environment, stdout=nowhere, stderr=nowhere)
    return (perf_counter() - started_at) * 1_000, (_children_s() - before_s) * 1_000


def _children_s() -> float:
    """CPU seconds of the programs that have ended."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _config(folder: Path, store: str) -> str:
    """Settings whose store is in memory if it has no name."""
    path = folder / f"{store or 'memory'}.toml"
    identity = {
        "helo_name": HELO_NAME,
        "contact": CONTACT,
        "source_addresses": [OUR_END],
        "require_fit": False,
    }
    settings = settings_with(identity=identity, smtp={"allowed_networks": [OUTSIDE]})
    url = f"sqlite://{folder}/{store}" if store else "memory:"
    path.write_text(f'{settings}\n[store]\nurl = "{url}"\n')
    return str(path)
