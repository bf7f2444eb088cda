"""`ringback trace` on labelled logs."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from log_lines import LABELLED

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

POSTFIX = next(str(path) for path in LABELLED if path.stem == "postfix")
EXIM = next(str(path) for path in LABELLED if path.stem == "exim")


def log_of(octets: bytes, folder: Path) -> str:
    path = folder / "mail.log"
    path.write_bytes(octets)
    return str(path)


def test_callers_are_told(run: Run) -> None:
    status, out, err = run("trace", "--zone", "UTC", POSTFIX)

    assert (0, "") == (status, err)
    assert "4 callbacks by 1 caller; 1 for sure, 3 likely" in out
    assert "127.7.1.0/24  4 callbacks, 1 for sure, the others likely" in out
    assert "Set aside: 3 sessions of 1 site that bring bounces" in out


def test_programs_have_a_line_for_each_and_one_for_all(run: Run) -> None:
    status, out, _ = run("trace", "--json", POSTFIX, EXIM)
    *callers, rest = map(json.loads, out.splitlines())

    assert (0, ["127.7.1.0/24"]) == (status, [caller["caller"] for caller in callers])
    assert (5, 1) == (rest["callbacks"], rest["callers"])
    assert {"callers": 1, "sessions": 4} == rest["set_aside_as_bounces"]


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


def test_an_address_may_be_one_of_many(run: Run, tmp_path: Path) -> None:
    asked = "".join(
        f"Nov 21 21:00:00 mx sendmail[{n}]: 6ALL00000000{n:02}: from=<>, size=0, class=0, nrcpts=1, "
        f"proto=ESMTP, daemon=MTA, relay={'' if n < 20 else 'mx.caller.example '}[192.0.{n // 20}.{n}]\n"
        for n in range(1, 40)
    )

    path = log_of(asked.encode(), tmp_path)

    assert "192.0.0.0/24  19 callbacks" in run("trace", "--caller", "192.0.0.17", path)[1]
    assert "caller.example  20 callbacks" in run("trace", "--caller", "192.0.1.20", path)[1]
    status, _, err = run("trace", "--caller", "192.0.1.39", path)
    assert (1, True) == (status, "look for the name" in err)
    assert "" == run("trace", "--caller", "other.example", path)[2]


def test_who_was_set_aside_is_told_so(run: Run, tmp_path: Path) -> None:
    log = (
        b"2026-11-21 12:00:00 H=mx.a.example [192.0.2.1] F=<> rejected RCPT <x@ours>: Unknown user\n"
        b"2026-11-21 12:00:09 1xUs7H-00000B-0p <= <> H=mx.a.example [192.0.2.1] P=esmtp S=9\n"
    )
    path = log_of(log, tmp_path)
    status, out, err = run("trace", "--notice", "a.example", path)

    assert (2, "") == (status, out)
    assert "a.example was set aside" in err
    assert "Set aside: 1 session of 1 site" in run("trace", "--caller", "a.example", path)[1]
    assert "Set aside" not in run("trace", "--caller", "b.example", path)[1]


def test_a_stamp_that_no_calendar_has_is_passed_over(run: Run, tmp_path: Path) -> None:
    text = b"%s mx postfix/smtpd[5]: connect from a.example[192.0.2.1]\n"
    stamps = b"9999-12-31T23:59:59-14:00", b"0001-01-01T00:00:00+14:00", b"2026-11-21T12:00:00Z"
    path = log_of(b"".join(text % stamp for stamp in stamps), tmp_path)
    status, out, _ = run("trace", path)

    assert (1, True) == (status, "2026-11-21T12:00:00Z to 2026-11-21T12:00:00Z" in out)


def test_nobody_called(run: Run, tmp_path: Path) -> None:
    status, out, _ = run("trace", log_of(b"", tmp_path))

    assert (1, "0 lines, none of them about mail.\n") == (status, out)


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

    assert (1, True) == (status, "lines, none of them about mail since 20" in out)
