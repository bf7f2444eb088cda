"""`make harm`: the command around the measurement."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent.parent
SMALL = ("--jobs", "1", "--messages", "40", "--days", "1", "--retry", "0.2")


@pytest.fixture(scope="module")
def command() -> ModuleType:
    """The script."""
    spec = importlib.util.spec_from_file_location("harm", ROOT / "tools" / "harm.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["harm"] = module  # its dataclasses look themselves up there
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_all_receivers_stand_side_by_side(
    command: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    status = command.main(SMALL)
    rows = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert 0 == status
    for name in ("ringback aligned", "ringback retried", "ringback always"):
        assert any(row.startswith(f"{name} 20% ") for row in rows)
    assert any(row.startswith("Exim (model) 20% ") for row in rows)
    assert any(row.startswith("Postfix (model) 20% ") for row in rows)


@pytest.mark.slow
def test_a_rival_that_loses_mail_is_no_failure_of_ours(command: ModuleType) -> None:
    assert 0 == command.main((*SMALL, "--seeds", "2", "--only", "Exim (model)"))


def test_what_counts_as_failure(command: ModuleType) -> None:
    run = command.Figures(1, 1, 0, 0, 0, 0, 0, 0, 0)
    lost = command.Figures(1, 1, 0, 0, 0, 0, 0, 0, 1)
    over = command.Figures(1, 1, 0, 0, 0, 61, 0, 0, 0)

    assert [False, True, True] == [
        command._fails(command.Line("ringback always", 0.0, [figures]))
        for figures in (run, lost, over)
    ]
    assert not command._fails(command.Line("Exim (model)", 0.0, [lost]))
