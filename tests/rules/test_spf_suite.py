"""The public test suite of RFC 7208, where it lies beside the project: every test of it.

Its rules: a name's records of type SPF stand for TXT where it has no TXT; "TXT: NONE" takes that back;
TIMEOUT silences the types that the name has no records of.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from ringback.rules.spf import evaluate
from rules.spf_zone import Records, Zone

SUITE = (
    Path(__file__).parent.parent.parent.parent / "shared" / "corpora" / "spf" / "rfc7208-tests.yml"
)
ABSENT = "the public test suite of RFC 7208 is not beside the project"


def _cases() -> Iterator[Any]:
    if not SUITE.is_file():
        yield pytest.param({}, {}, id="absent", marks=pytest.mark.skip(ABSENT))
        return
    for scenario in yaml.safe_load_all(SUITE.read_text("utf-8")):
        names = {
            str(name).lower(): _records(entries) for name, entries in scenario["zonedata"].items()
        }
        for name, test in scenario["tests"].items():
            yield pytest.param(names, test, id=f"{scenario['description']}: {name}")


def _records(entries: list[Any]) -> Records:
    records: dict[str, list[str]] = {}
    for entry in entries:
        for kind, record in entry.items() if isinstance(entry, dict) else [("FAIL", "")]:
            records.setdefault(kind, []).append(_text(kind, record))
    standing_in = records.pop("SPF", [])
    if "TXT" not in records and standing_in:
        records["TXT"] = standing_in
    if records.get("TXT") == ["NONE"]:
        del records["TXT"]
    return records


def _text(kind: str, record: Any) -> str:
    match kind:
        case "MX":
            return f"{record[0]} {record[1]}"
        case "TXT" | "SPF":
            joined = record if isinstance(record, str) else "".join(record)
            return joined.encode("latin-1").decode("utf-8", "backslashreplace")
    return str(record).removesuffix(".")


@pytest.mark.parametrize(("names", "test"), list(_cases()))
def test_the_suite(names: dict[str, Records], test: dict[str, Any]) -> None:
    machine = evaluate(test["host"], test["mailfrom"], test["helo"], explain="explanation" in test)
    spf = Zone(names).run(machine)
    expected = test["result"] if isinstance(test["result"], list) else [test["result"]]
    explanation = test.get("explanation", "DEFAULT")

    assert spf.result in expected
    assert spf.explanation == ("" if explanation == "DEFAULT" else explanation)
