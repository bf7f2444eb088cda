"""`ringback trace` on labelled logs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from log_lines import LABELLED

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

POSTFIX = next(str(path) for path in LABELLED if path.stem == "postfix")
EXIM = next(str(path) for path in LABELLED if path.stem == "exim")


def test_callers_are_told(run: Run) -> None:
    status, out, err = run("trace", "--zone", "UTC", POSTFIX)

    assert (0, "") == (status, err)
    assert "8 callbacks by 1 caller; 4 for sure, 4 likely" in out
    assert "127.7.1.0/24  8 callbacks, 4 for sure, the others likely" in out


def test_programs_have_a_line_for_each_and_one_for_all(run: Run) -> None:
    status, out, _ = run("trace", "--json", POSTFIX, EXIM)
    *callers, rest = map(json.loads, out.splitlines())

    assert (0, ["127.7.1.0/24"]) == (status, [caller["caller"] for caller in callers])
    assert (11, 1) == (rest["callbacks"], rest["callers"])


def test_what_a_log_cannot_tell_is_said_beside_it(run: Run) -> None:
    _, out, err = run("trace", "--json", EXIM)

    assert "log_selector" in err
    assert "log_selector" not in out


def test_one_caller_is_shown_alone(run: Run) -> None:
    assert 0 == run("trace", "--caller", "127.7.1.3", POSTFIX)[0]

    status, out, _ = run("trace", "--caller", "other.example", POSTFIX)
    assert (1, True) == (status, "0 callbacks by 0 callers" in out)


def test_the_notice_is_written_and_signed(run: Run, config_file: Path) -> None:
    config_file.write_text('[identity]\ncontact = "postmaster@ours.example"\n')
    status, out, _ = run("trace", "--notice", "127.7.1.3", POSTFIX)

    assert 0 == status
    assert out.startswith("To: (the abuse contact of 127.7.1.0/24")
    assert out.endswith("Kind regards\npostmaster@ours.example\n")


def test_there_is_no_notice_to_who_did_not_call(run: Run) -> None:
    status, out, err = run("trace", "--notice", "other.example", POSTFIX)

    assert (2, "") == (status, out)
    assert "other.example made no callbacks" in err


def test_nobody_called(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("")

    assert 1 == run("trace", str(path))[0]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "missing argument"),
        (["none.log"], "none.log: No such file"),
        (["--zone", "Nowhere/None", POSTFIX], "is no time zone"),
        (["--zone", "../etc", POSTFIX], "is no time zone"),
        (["--since", "soon", POSTFIX], "is no span of time"),
        (["--notice", "x", "--json", POSTFIX], "--notice goes with neither"),
        (["--notice", "x", "--caller", "y", POSTFIX], "--notice goes with neither"),
    ],
)
def test_a_mistake_is_one_line(run: Run, arguments: list[str], complaint: str) -> None:
    status, out, err = run("trace", *arguments)

    assert (2, "", 1) == (status, out, err.count("\n"))
    assert complaint in err


def test_what_is_older_than_since_is_passed_over(run: Run) -> None:
    status, out, _ = run("trace", "--since", "0m", POSTFIX)

    assert (1, True) == (status, "at no time" in out)
