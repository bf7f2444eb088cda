"""Compare what the tests covered with what each layer owes. Reads .coverage, prints what is short.

A module of values, wire and rules answers to its own test file alone, branches included: what only other
tests reach is not tested. Usage: python tools/coverage_gate.py
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import NoDataError

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "src" / "ringback"


@dataclass(frozen=True, slots=True)
class Owed:
    """What a layer owes, in per cent of its lines and branches, and by whose tests."""

    percent: float
    by_its_own_test: bool


GATES = {
    "values": Owed(100, by_its_own_test=True),
    "wire": Owed(100, by_its_own_test=True),
    "rules": Owed(100, by_its_own_test=True),
    "engine": Owed(100, by_its_own_test=False),
    "store": Owed(95, by_its_own_test=False),
    "net": Owed(90, by_its_own_test=False),
    "doors": Owed(95, by_its_own_test=False),
    "lab": Owed(90, by_its_own_test=False),
}


def main() -> int:
    """Return the exit status: 1 if a module is short of what it owes."""
    coverage = Coverage()
    coverage.load()
    short = list(_short(coverage))
    sys.stdout.writelines(f"{line}\n" for line in short)
    return 1 if short else 0


def _short(coverage: Coverage) -> Iterator[str]:
    for layer, owed in GATES.items():
        for path in sorted((SOURCE / layer).rglob("*.py")):
            test = _test_of(path)
            # The empty context is what ran at import.
            contexts = [f"^{test}$", "^$"] if owed.by_its_own_test else None
            percent, missing = _measure(coverage, path, contexts)
            if percent < owed.percent:
                by = f" by {test}" if owed.by_its_own_test else ""
                name = path.relative_to(ROOT)
                yield f"{name}: {percent:.1f} %{by}, owes {owed.percent:g}: {missing}"


def _test_of(path: Path) -> str:
    *folders, name = path.relative_to(SOURCE).parts
    return "/".join(["tests", *folders, f"test_{name}"])


def _measure(coverage: Coverage, path: Path, contexts: list[str] | None) -> tuple[float, str]:
    """Return the percentage of `path` that was covered, and the lines and branches that were not."""
    table = StringIO()
    try:
        percent = coverage.report(
            [str(path)], contexts=contexts, show_missing=True, skip_covered=False, file=table
        )
    except NoDataError:
        return 0.0, "nothing measured it"
    # A head and a rule come first.
    row = table.getvalue().splitlines()[2]
    return percent, row.partition("%")[2].strip()


if __name__ == "__main__":
    sys.exit(main())
