"""The machine that a figure was measured on, in a few words."""

import os
import platform
import re
from pathlib import Path

_MODEL = re.compile(r"^model name\s*:\s*(.+)$", re.MULTILINE)


def describe() -> str:
    found = _MODEL.search(Path("/proc/cpuinfo").read_text())
    model = found[1].strip() if found else platform.machine()
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, "
        f"Python {platform.python_version()}, load before {load:.1f}"
    )
