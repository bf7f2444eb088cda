"""How long a command takes from its start to its end. Usage: python -m bench.start

The hosts answer at once: what remains of `check` is ours. The first calls its host, the second remembers.
"""

import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter

from tests.real.servers.settings import settings_with

from .figures import say, say_table
from .machine import describe
from .options import options
from .places import ANSWERS_AT_ONCE, CONTACT, HELO_NAME, OUR_END, OUTSIDE, mailbox
from .world import world

RUNS_A_ROUND = 5
COMMAND = str(Path(sys.executable).with_name("ringback"))


def main() -> None:
    asked = options(__doc__)
    say(f"start; {describe()}; medians of {asked.rounds * RUNS_A_ROUND} runs")
    with world(), TemporaryDirectory() as folder:
        config = _config(Path(folder))
        address = mailbox(1, ANSWERS_AT_ONCE, 1)
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "ringback --help": [COMMAND, "--help"],
            "ringback check ADDRESS, first": [
                COMMAND,
                "check",
                "--config",
                config,
                "--fresh",
                address,
            ],
            "ringback check ADDRESS, again": [COMMAND, "check", "--config", config, address],
        }
        rows = [["", "median ms", "best ms"]]
        took: defaultdict[str, list[float]] = defaultdict(list)
        for _ in range(asked.rounds * RUNS_A_ROUND):
            for name, command in commands.items():
                took[name].append(_time_s(command))
        rows += [
            [name, f"{median(each) * 1_000:.0f}", f"{min(each) * 1_000:.0f}"]
            for name, each in took.items()
        ]
        say_table(rows)


def _time_s(command: list[str]) -> float:
    started_at = perf_counter()
    subprocess.run(command, check=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return perf_counter() - started_at


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


if __name__ == "__main__":
    main()
