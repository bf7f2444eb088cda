"""`ringback check` as a shell runs it, against the lab."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ringback.lab.world import World

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

KEYS = {
    "address",
    "verdict",
    "reason",
    "blame",
    "final",
    "retry_at",
    "checked_at",
    "expires_at",
    "from_cache",
    "callouts",
    "flags",
    "evidence",
}


@pytest.fixture
def check(run: Run, lab_settings: Path) -> Run:
    def check_once(*arguments: str) -> tuple[object, str, str]:
        return run("check", "--config", str(lab_settings), *arguments)

    return check_once


def start(settings: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ringback", "check", "--config", str(settings), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize(
    ("addresses", "status"),
    [
        (["ann@shop.example"], 0),
        (["ann@shop.example", "bob@acceptall.example"], 3),
        (["invented@shop.example", "bob@acceptall.example", "ann@shop.example"], 1),
        (["nonsense"], 1),
        ([""], 3),
    ],
)
def test_the_status_tells_the_verdicts(addresses: list[str], status: int, check: Run) -> None:
    ended, out, err = check("--", *addresses)

    assert (status, "") == (ended, err)
    assert len(addresses) == len(out.splitlines())


def test_lines_say_what_decided_in_the_order_of_the_addresses(check: Run) -> None:
    _, out, _ = check("ann@down.example", "invented@shop.example", "nonsense", "a@nosuch.example")

    assert [
        "ann@down.example  unknown  unreachable  the host gave no answer",
        "invented@shop.example  undeliverable  no_such_mailbox  mx.shop.example said: 550 5.1.1 "
        "<invented@shop.example>: Recipient address rejected: User unknown in local recipient table",
        "nonsense  undeliverable  bad_syntax  no local part and domain around an @",
        "a@nosuch.example  undeliverable  no_such_domain  DNS says the domain does not exist",
    ] == out.splitlines()


def test_json_is_one_report_a_line(check: Run) -> None:
    status, out, err = check("--json", "--explain", "ann@shop.example", "ann@nullmx.example")
    reports = [json.loads(line) for line in out.splitlines()]

    assert (1, "") == (status, err)
    assert ["ann@shop.example", "ann@nullmx.example"] == [it["address"] for it in reports]
    assert all(set(report) >= KEYS for report in reports)
    assert ["deliverable", "undeliverable"] == [report["verdict"] for report in reports]


def test_an_account_follows_each_verdict(check: Run) -> None:
    _, out, _ = check("--explain", "ann@shop.example", "ann@nosuch.example")
    first, second = out.split("\n\n")

    assert "ann@shop.example  deliverable  accepted" == first.splitlines()[0]
    assert "    C: RCPT TO:<ann@shop.example>" in first.splitlines()
    assert "  decided by    accepted, where an address that nobody has is refused" in first
    assert "ann@nosuch.example  undeliverable  no_such_domain" == second.splitlines()[0]


def test_what_is_remembered_answers_unless_asked_anew(check: Run) -> None:
    runs = [check("--json", *options, "ann@shop.example")[1] for options in ([], [], ["--fresh"])]

    assert [False, True, False] == [json.loads(out)["from_cache"] for out in runs]


def test_patience_has_its_limit(check: Run) -> None:
    status, out, _ = check("--timeout", "0.05", "ann@silent.example")

    assert 3 == status
    assert "ann@silent.example  unknown  deadline  no answer within 0.05 s\n" == out


def test_enough_patience_changes_nothing(check: Run) -> None:
    assert 0 == check("--timeout", "60", "ann@shop.example")[0]


def test_every_host_gets_its_quit(check: Run, lab: World) -> None:
    check("ann@shop.example", "invented@shop.example")
    sessions = lab.hosts["mx.shop.example"].sessions

    assert ["QUIT", "QUIT"] == [session.verbs[-1] for session in list(sessions)[-2:]]


def test_addresses_from_standard_input_have_their_place(
    check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("bob@shop.example\r\n\n  orders@shop.example")
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        status, out, _ = check("ann@shop.example", "-", "nonsense")

    assert 1 == status
    assert [
        "ann@shop.example",
        "bob@shop.example",
        "orders@shop.example",
        "nonsense",
    ] == [line.split()[0] for line in out.splitlines()]


def test_an_address_may_stand_in_brackets(
    check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("<orders@shop.example>\n")
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        status, out, _ = check("<ann@shop.example>", "-", "<bob@shop.example", "<>")

    assert 1 == status
    assert [
        ["ann@shop.example", "deliverable"],
        ["orders@shop.example", "deliverable"],
        ["<bob@shop.example", "undeliverable"],
        ["<>", "unknown"],
    ] == [line.split()[:2] for line in out.splitlines()]


def test_what_was_asked_before_a_mistake_is_shown(
    check: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "list.txt"
    path.write_text("ann@shop.example\n" + 3_000 * "x")
    with path.open() as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        status, out, err = check("-")

    assert 2 == status
    assert out.startswith("ann@shop.example  deliverable")
    assert "ringback: standard input, line 2: longer than 2000 bytes" in err
    assert 1 == err.count("\n")


def test_an_address_cannot_drive_the_terminal(check: Run) -> None:
    evil = "a\x1b[2J\x07\u202e@shop.example"
    shown = [check(*options, evil)[1] for options in ([], ["--explain"], ["--json"])]

    assert all(line.isprintable() for out in shown for line in out.splitlines())


def test_colour_is_for_terminals(check: Run) -> None:
    assert "\x1b" not in check("ann@shop.example")[1]


def test_a_recipient_without_a_route_is_not_asked_for(check: Run) -> None:
    status, out, _ = check("--purpose", "recipient", "ann@shop.example")

    assert 3 == status
    assert "unknown  not_asked  never asked: no_route" in out


def test_nobody_is_called_without_a_contact(run: Run) -> None:
    status, out, err = run("check", "ann@shop.example")

    assert (2, "") == (status, out)
    assert "identity.contact" in err


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("[store]\nurl = 'sqlite:///no/such/folder/a.db'", "there is no directory /no/such/folder"),
        ("[smtp]\nport = 0", "smtp.port"),
        ("not TOML", "not TOML"),
    ],
)
def test_what_keeps_it_from_asking_is_one_line(
    written: str, told: str, run: Run, tmp_path: Path
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("[identity]\ncontact = 'a@b.example'\nhelo_name = 'b.example'\n" + written)

    status, out, err = run("check", "--config", str(path), "ann@shop.example")

    assert (2, "", 1) == (status, out, err.count("\n"))
    assert told in err


@pytest.mark.slow
def test_a_reader_that_goes_away_ends_it_quietly(lab_settings: Path) -> None:
    with start(lab_settings, "-") as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("ann@shop.example\n")
        process.stdin.flush()
        first = process.stdout.readline()
        process.stdout.close()
        process.stdin.write("bob@shop.example\n")
        process.stdin.flush()
        status = process.wait()
        err = process.stderr.read()

    assert first.startswith("ann@shop.example  deliverable")
    assert (141, "") == (status, err)


@pytest.mark.slow
def test_an_answer_comes_while_more_is_typed_and_an_interrupt_ends_it(lab_settings: Path) -> None:
    with start(lab_settings, "-") as process:
        assert process.stdin and process.stdout and process.stderr
        process.stdin.write("ann@shop.example\n")
        process.stdin.flush()
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        status = process.wait()
        err = process.stderr.read()

    assert first.startswith("ann@shop.example  deliverable")
    assert (130, "") == (status, err.strip())


@pytest.mark.slow
def test_closed_streams_are_no_bug(lab_settings: Path) -> None:
    shell = f'"{sys.executable}" -m ringback check --config "{lab_settings}" ann@shop.example'
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = [
        subprocess.run(
            f"{shell} {closed}", shell=True, env=environment, capture_output=True, check=False
        )
        for closed in (">&-", "- <&-")
    ]

    assert [2, 2] == [it.returncode for it in ended]
    assert [
        b"ringback: output: Bad file descriptor\n",
        b"ringback: standard input: it is closed; give one address a line\n",
    ] == [it.stderr for it in ended]
