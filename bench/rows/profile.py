"""Where the time goes: the service sampled by py-spy while it calls, and while it answers from its cache.

A sample counts for the innermost of Ringback's own folders, or for the library that it called. Only what
holds the interpreter counts. Needs py-spy on the PATH.
"""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path

from .. import places, usage
from ..figures import say, say_table
from ..machine import describe
from ..options import Options
from ..plots import Bar, draw_bars
from ..systems import ringback
from ..systems.system import System
from ..world import world

ASKERS = 32
KNOWN = 1_000
WARM_UP_ASKERS, WARM_UP_S = 64, 30.0
RATE_HZ = 200
RECORD_S = 8.0
# Until the sampler is at it, and until it has written what it found.
SLACK_S = 4.0
_LEAST_SHARE = 0.01
_SHOWN = 14
_OURS = re.compile(r"ringback/(?P<folder>[a-z]+)/(?P<module>[\w/]+)\.py")
_LIBRARY = re.compile(r"(?:site-packages|python3\.\d+)/(?P<name>[a-z_0-9]+)")


def run(asked: Options) -> None:
    say(f"profile; {describe()}; {ASKERS} askers")
    sampler = shutil.which("py-spy")
    if sampler is None:
        say("not here: py-spy")
        return
    with world() as here:
        system = ringback.start(here, "ringback", places.RINGBACK)
        say(f"ringback: {system.about}")
        system.warm_up(WARM_UP_ASKERS, WARM_UP_S, KNOWN, first=0)
        for state, first, known in (("cold", None, 0), ("cached", 0, KNOWN)):
            record = here.home / f"{state}.stacks"
            _record(sampler, system, record, first, known)
            _report(state, record, asked.plots)


def _record(sampler: str, system: System, path: Path, first: int | None, known: int) -> None:
    options = ["--rate", str(RATE_HZ), "--duration", f"{RECORD_S:g}", "--gil", "--full-filenames"]
    command = [sampler, "record", "--format", "raw", *options, "--output", str(path)]
    before_s = usage.cpu_s(system.pid)
    with subprocess.Popen(
        [*command, "--pid", str(system.pid)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        with system.asked(ASKERS, RECORD_S + SLACK_S, first=first, known=known) as outcome:
            spent_s = usage.cpu_s(system.pid) - before_s
        process.wait(RECORD_S + SLACK_S)
    say(
        f"\n{spent_s * 1_000 / len(outcome.took_ms):.2f} CPU s for 1,000 answers, sampling included"
    )


def _report(state: str, record: Path, plots: Path | None) -> None:
    folders: Counter[str] = Counter()
    places_of: Counter[str] = Counter()
    for line in record.read_text().splitlines():
        stack, _, count = line.rpartition(" ")
        folder, place = _attribute(stack.split(";"))
        folders[folder] += int(count)
        places_of[place] += int(count)
    total = max(sum(folders.values()), 1)
    shares = [(name, count / total) for name, count in folders.most_common()]
    say_table([[state, "share"], *([name, f"{share:.1%}"] for name, share in shares[:_SHOWN])])
    say("\nof it, by module:")
    say_table([[name, f"{count / total:.1%}"] for name, count in places_of.most_common(_SHOWN)])
    if plots:
        bars = [Bar(name, share, f"{share:.0%}") for name, share in shares if share > _LEAST_SHARE]
        draw_bars(plots / f"profile-{state}.svg", f"{state}: share of the CPU time", bars)


def _attribute(stack: list[str]) -> tuple[str, str]:
    """The folder, or library under one, that the innermost frame belongs to; and the module of ours."""
    ours = next((found for frame in reversed(stack) if (found := _OURS.search(frame))), None)
    inner = stack[-1]
    library = None if _OURS.search(inner) else _LIBRARY.search(inner)
    place = f"{ours['folder']}/{ours['module']}" if ours else "the event loop"
    if ours is None:
        return "event loop", place
    if library is None:
        return ours["folder"], place
    return f"{ours['folder']} → {library['name']}", place
