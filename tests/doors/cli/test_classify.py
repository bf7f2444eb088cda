"""`ringback classify`: replies in, meanings out, line by line."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ringback.doors.cli.classify import MAX_LINE_BYTES

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error


@pytest.fixture
def feed(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """Put octets on standard input."""

    def put(octets: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(octets)))

    return put


Feed = Callable[[bytes], None]


def test_records_come_back_with_their_meaning(run: Run, tmp_path: Path) -> None:
    record = {"id": 7, "stage": "rcpt", "code": 550, "enhanced": "5.1.1", "text": "No such user"}
    file = tmp_path / "replies.jsonl"
    file.write_text(json.dumps(record) + "\n")
    status, out, _ = run("classify", str(file))

    assert status == 0
    assert json.loads(out) == record | {
        "meaning": "unknown_user",
        "rule": "phrase no-such-user",
        "weak": False,
    }


def test_logs_and_bare_replies_are_read_from_standard_input(run: Run, feed: Feed) -> None:
    feed(
        b"\nstarted\n550 Mailbox unavailable\r\nmx said: 452 4.2.2 full (in reply to RCPT TO command)"
    )
    _, out, _ = run("classify")

    first, second = map(json.loads, out.splitlines())

    assert (first["stage"], first["meaning"], first["weak"]) == ("unknown", "unknown_user", True)
    assert (second["stage"], second["enhanced"], second["meaning"]) == ("rcpt", "4.2.2", "full")


def test_the_null_sender_makes_a_difference(run: Run, feed: Feed) -> None:
    reply = b'{"stage": "mail", "code": 550, "enhanced": "5.7.1", "text": ""}\n'
    feed(reply)
    _, without, _ = run("classify", "-")
    feed(reply)
    _, with_it, _ = run("classify", "--null-sender", "-")

    assert json.loads(without)["meaning"] == "unclear"
    assert json.loads(with_it)["meaning"] == "null_sender_refused"


def test_what_a_server_says_cannot_reach_the_terminal(run: Run, feed: Feed) -> None:
    feed(b"550 \x1b[2J\xff no such user\n")
    _, out, _ = run("classify")

    assert out.isascii() and "\x1b" not in out


@pytest.mark.parametrize(
    ("octets", "complaint"),
    [
        (b'550 ok\n{"stage"\n', "line 2: not JSON"),
        (b'{"text": "\xff"}\n', "line 1: not JSON"),
        (b'{"stage": "lunch", "code": 550}\n', 'line 1: "stage"'),
        (b"550 ok\n" + b"x" * (MAX_LINE_BYTES + 1), "line 2: longer than"),
        (b"550 " + b"x" * 70_000, "line 1: "),
    ],
)
def test_a_mistake_names_its_line(run: Run, feed: Feed, octets: bytes, complaint: str) -> None:
    feed(octets)
    status, _, err = run("classify")

    assert status == 2
    assert err.count("\n") == 1
    assert complaint in err


def test_a_file_that_is_not_there(run: Run, tmp_path: Path) -> None:
    status, _, err = run("classify", str(tmp_path / "none"))

    assert status == 2
    assert "none" in err


@pytest.mark.parametrize("arguments", [[], ["-"]])
def test_a_closed_standard_input_is_a_mistake(
    arguments: list[str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    assert (2, "", "ringback: standard input: it is closed; give one reply a line\n") == run(
        "classify", *arguments
    )
