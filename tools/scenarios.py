"""Write docs/scenarios.md from tests/scenarios/scenarios.toml, or compare it with that.

Usage: python tools/scenarios.py [--check]
"""

import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SCENARIOS = ROOT / "tests" / "scenarios" / "scenarios.toml"
PAGE = ROOT / "docs" / "scenarios.md"

HEAD = """\
# What a peer does, and what Ringback makes of it

Made by `make docs` from `tests/scenarios/scenarios.toml`; do not edit.

Each row is a test: `tests/scenarios/test_scenarios.py` brings up the hosts and the DNS of the row on
loopback, sends a mail through the policy door in `enforce`, with `call_when = "always"`, and compares what
comes of it.

* **E P M** is what others do with mail from there: Exim 4.96, Postfix 3.7 and mailfromd 8.15, measured in
  November 2026. A accepts, R rejects, D defers, – is not known.
* **Ringback says** is the verdict and its reason; `ringback check --explain` explains both.
* **The mail** is what becomes of it: it *passes* (`DUNNO`), is *refused* with a 550, or *waits*, told to come
  back with a 450: at most `max_deferrals` times, after which it passes.
* **Calls** is how many connections to mail exchangers it took.

A row without a number goes on where the one above it stopped.

| # | the peer | E P M | Ringback says | the mail | calls |
|--:|---|---|---|---|--:|
"""

_MAIL = {"DUNNO": "passes", "550": "refused", "DEFER_IF_PERMIT": "waits", "": "–"}


def write_page() -> str:
    """The whole page."""
    with SCENARIOS.open("rb") as file:
        scenarios = tomllib.load(file)["scenario"]
    lines = [line for scenario in scenarios for line in _rows(scenario)]
    return HEAD + "".join(f"{line}\n" for line in lines)


def _rows(scenario: Mapping[str, Any]) -> Iterator[str]:
    number, peer, others = scenario["number"], scenario["peer"], scenario["others"]
    if "later" in scenario:
        yield _row(number, peer, others, f"comes with {scenario['later']}", "–", "–")
    for step in scenario.get("steps", ()):
        yield _row(number, peer or _difference(step), others, *_outcome(step))
        number = peer = others = ""


def _difference(step: Mapping[str, Any]) -> str:
    return str(step.get("when") or f"and for `{step['ask']}`")


def _outcome(step: Mapping[str, Any]) -> tuple[str, str, str]:
    verb, _, code = step.get("mail", "").partition(" ")
    told = f"{_MAIL[verb]} ({code})" if code else _MAIL[verb]
    return step["says"], told, str(step["connections"])


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def main(arguments: list[str]) -> int:
    """Write the page, or say that it differs. Returns the exit status."""
    page = write_page()
    if "--check" not in arguments:
        PAGE.write_text(page, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        sys.stderr.write("docs/scenarios.md is out of date: run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
