"""What processes cost, from /proc: CPU seconds and memory of a process and all that it started.

Not here: whose processes they are.
"""

import os
import re
from collections import defaultdict
from pathlib import Path

_TICKS_A_S = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
_PSS = re.compile(r"^Pss:\s+(\d+) kB", re.MULTILINE)
# proc(5), counted behind the name, which may hold blanks: utime, stime, cutime, cstime.
_PARENT_AT, _TIMES_AT = 1, slice(11, 15)


def children() -> set[int]:
    """The processes that this one has started and that are there."""
    us = str(os.getpid())
    return {pid for pid, fields in _all() if fields[_PARENT_AT] == us}


def family(pid: int) -> list[int]:
    """The process and its descendants."""
    children: defaultdict[int, list[int]] = defaultdict(list)
    for child, fields in _all():
        children[int(fields[_PARENT_AT])].append(child)
    found = [pid]
    for each in found:
        found += children[each]
    return found


def cpu_s(pid: int) -> float:
    """CPU seconds of the family so far, those that have ended and were waited for included."""
    stats = dict(_all())
    return sum(_cpu_s(member, stats[member]) for member in family(pid) if member in stats)


def _cpu_s(pid: int, fields: list[str]) -> float:
    """Of one process and its dead children. Hundreds that ran for less than a tick each do count."""
    ticks = [int(each) for each in fields[_TIMES_AT]]
    own_s, dead_s = sum(ticks[:2]) / _TICKS_A_S, sum(ticks[2:]) / _TICKS_A_S
    return max(own_s, _scheduled_s(pid)) + dead_s


def _scheduled_s(pid: int) -> float:
    """What the scheduler counted of its threads, in nanoseconds."""
    try:
        threads = list((_PROC / str(pid) / "task").glob("*/schedstat"))
        return sum(int(thread.read_text().split()[0]) for thread in threads) / 1e9
    except (OSError, IndexError):  # it has just ended, or this kernel does not count
        return 0.0


def pss_mib(pid: int) -> tuple[int, float]:
    """How many processes the family has, and their memory, what they share counted once."""
    members, kib = family(pid), 0
    for member in members:
        try:
            found = _PSS.search((_PROC / str(member) / "smaps_rollup").read_text())
        except OSError:  # it has just ended
            continue
        kib += int(found[1]) if found else 0
    return len(members), kib / 1_024


def _all() -> list[tuple[int, list[str]]]:
    read = []
    for place in _PROC.glob("[0-9]*"):
        try:
            text = (place / "stat").read_text()
        except OSError:
            continue
        read.append((int(place.name), text.rpartition(")")[2].split()))
    return read
