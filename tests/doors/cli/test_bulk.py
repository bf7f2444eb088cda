"""`ringback bulk` as a shell runs it, against the lab."""

import csv
import fcntl
import json
import os
import shlex
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pytest

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

MOST_S = 30  # for one run in this process
LIST = """id;email;name
1;ann@shop.example;=1+1
2;invented@shop.example;"Lee; Ann"

3;nonsense;x
4;bob@acceptall.example;y
5;ann@shop.example;again
6;ann@nosuch.example;z
"""
REASONS = [
    "accepted",
    "no_such_mailbox",
    "bad_syntax",
    "accepts_any",
    "accepted",
    "no_such_domain",
]


@pytest.fixture
def settings(lab_settings: Path) -> Path:
    lab_settings.write_text(f"{lab_settings.read_text()}\n[bulk]\nconsent = true\n")
    return lab_settings


@pytest.fixture
def bulk(
    run: Run, settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Run]:
    monkeypatch.chdir(tmp_path)
    Path("list.csv").write_text(LIST)

    def bulk_once(*arguments: str) -> tuple[object, str, str]:
        # Minutes pass before what failed is asked again, and a test that fails is not to wait for them.
        signal.alarm(MOST_S)
        try:
            return run("bulk", "--config", str(settings), *arguments)
        finally:
            signal.alarm(0)

    before = signal.signal(signal.SIGALRM, give_up)
    yield bulk_once
    signal.signal(signal.SIGALRM, before)


def give_up(number: int, _frame: object) -> None:
    raise AssertionError(f"it still runs after {MOST_S} s")


def start(settings: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "ringback", "bulk", "--config", str(settings), *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_rows(running: "subprocess.Popen[str]", out: Path, most: int) -> None:
    """Wait until there are rows below the header, or the run has ended."""
    while running.poll() is None:
        rows = out.read_bytes().count(b"\n") if out.exists() else 0
        if rows > 1:
            assert rows <= most
            return


def octets_in(pipe: IO[str]) -> int:
    (count,) = struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))
    return int(count)


def reasons_in(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["reason"] for row in csv.DictReader(file, delimiter=";") if row["id"]]


def test_a_list_is_worked_through_and_kept_as_it_was(bulk: Run) -> None:
    status, out, told = bulk(
        *("list.csv", "-o", "out.csv", "--report", "page.html", "--delimiter", ";")
    )

    lines = Path("out.csv").read_text().splitlines()
    assert (0, "") == (status, out)
    assert "5 addresses: 1 deliverable, 3 undeliverable, 1 unknown; see out.csv" in told
    assert REASONS == reasons_in(Path("out.csv"))
    assert all(
        there.startswith(was) for there, was in zip(lines, LIST.splitlines(), strict=True) if was
    )
    assert "accepts any address" in Path("page.html").read_text()


def test_the_same_list_again_is_told_from_what_was_kept(bulk: Run) -> None:
    bulk("list.csv", "-o", "out.csv")
    octets = Path("out.csv").read_bytes()

    again = bulk("list.csv", "-o", "out.csv")[0]
    other = bulk("list.csv", "-o", "other.csv")[0]

    assert (0, 0) == (again, other)
    assert octets == Path("out.csv").read_bytes() == Path("other.csv").read_bytes()


def test_it_is_asked_again_only_where_that_is_wished(bulk: Run) -> None:
    bulk("list.csv", "-o", "out.jsonl")
    before = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]

    refused = bulk("list.csv", "-o", "out.jsonl", "--again")
    status = bulk("list.csv", "-o", "out.jsonl", "--again", "--force")[0]

    after = [json.loads(line) for line in Path("out.jsonl").read_text().splitlines()]
    assert (
        2,
        "",
        "ringback: out.jsonl: it exists; what is asked again needs --force as well\n",
    ) == (refused)
    assert 0 == status
    assert [False, True] == [row["from_cache"] for row in (before[0], after[0])]


def test_a_list_can_be_forgotten(bulk: Run) -> None:
    Path("list.txt").write_text("nonsense\nann@nosuch.example\n")
    bulk("list.txt", "-o", "out.csv")
    octets = Path("out.csv").read_bytes()

    forgotten = bulk("list.txt", "--forget")
    status, _, told = bulk("list.txt", "-o", "out.csv")

    assert (0, "", "ringback: nothing of this list is kept any more\n") == forgotten
    assert 2 == status
    assert "out.csv: it exists, and is not what this list has come to so far" in told
    assert octets == Path("out.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_who_interrupts_it_is_told_how_to_go_on(
    settings: Path, tmp_path: Path, number: signal.Signals
) -> None:
    path, out = tmp_path / "list.txt", tmp_path / "out.txt"
    path.write_text("ann@shop.example\nann@greylist.example\n")

    running = start(settings, str(path), "-o", str(out))
    assert running.stderr is not None
    assert "addresses" in running.stderr.readline()
    running.send_signal(number)
    _, told = running.communicate(timeout=60)

    assert 128 + number == running.returncode
    assert f"ringback: interrupted; {out} has the first " in told
    assert "run the same command again to go on\n" in told


@pytest.mark.slow
def test_a_killed_run_goes_on_and_ends_with_the_same_octets(
    bulk: Run, settings: Path, tmp_path: Path
) -> None:
    addresses = [f"{local}@shop.example" for local in ("ann", "bob", *(f"x{i}" for i in range(60)))]
    path, out = tmp_path / "many.txt", tmp_path / "many.csv"
    path.write_text("\n".join(addresses))

    sizes = [0]
    for _ in range(2):
        running = start(settings, str(path), "-o", str(out))
        wait_for_rows(running, out, 1 + len(addresses))
        running.kill()
        running.communicate()
        sizes.append(out.stat().st_size)
    with out.open("ab") as file:
        file.truncate(max(0, out.stat().st_size - 5))  # as if a row had been torn
    status = bulk(str(path), "-o", str(out))[0]
    bulk(str(path), "-o", "whole.csv")

    assert 0 == status
    assert sizes == sorted(sizes)
    assert out.read_bytes() == Path("whole.csv").read_bytes()
    assert 1 + len(addresses) == len(out.read_text().splitlines())


@pytest.mark.slow
def test_a_list_has_one_run_at_a_time(bulk: Run, settings: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("ann@greylist.example\n")
    running = start(settings, str(path), "-o", str(tmp_path / "out.txt"))
    assert running.stderr is not None
    running.stderr.readline()

    status, _, told = bulk(str(path), "-o", "second.txt")
    running.kill()
    running.communicate()

    assert (2, False) == (status, Path("second.txt").exists())
    assert "another run is working on this very list" in told


@pytest.mark.slow
def test_a_pipe_that_nobody_reads_is_no_reason_not_to_end(settings: Path, tmp_path: Path) -> None:
    path = tmp_path / "list.txt"
    path.write_text("nonsense\n" * 10_000 + "ann@nosuch.example\n")
    running = start(settings, str(path), "-o", "-", "--to", "jsonl")
    assert running.stdout is not None
    assert running.stderr is not None
    room = fcntl.fcntl(running.stdout, fcntl.F_GETPIPE_SZ)
    while octets_in(running.stdout) < room // 2:
        assert running.poll() is None
    running.send_signal(signal.SIGTERM)

    assert 128 + signal.SIGTERM == running.wait(60)
    assert "ringback: interrupted; standard output has the first " in running.stderr.read()
    running.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("stderr", ["&-", "/dev/full"])
def test_it_ends_well_though_nobody_hears_of_it(
    settings: Path, tmp_path: Path, stderr: str
) -> None:
    (tmp_path / "list.txt").write_text("nonsense\nann@nosuch.example\n")
    said = shlex.join([sys.executable, "-m", "ringback", "bulk", "--config", str(settings)])
    ended = subprocess.run(
        ["/bin/sh", "-c", f"exec {said} list.txt -o out.txt 2>{stderr}"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        check=False,
        timeout=60,
    )

    assert 0 == ended.returncode
    assert "undeliverable" in (tmp_path / "out.txt").read_text()


def test_without_consent_nobody_is_called(run: Run, lab_settings: Path, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("ann@shop.example\n")

    status, out, told = run(
        "bulk", "--config", str(lab_settings), str(tmp_path / "list.txt"), "-o", str(tmp_path / "o")
    )

    assert (2, "", False) == (status, out, (tmp_path / "o").exists())
    assert told == (
        f"ringback: {lab_settings}: bulk.consent: it is not given, and nobody may be called who has not "
        "agreed to be on a list; if all on yours have, write consent = true under [bulk]\n"
    )


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["list.csv"], "-o OUT is missing: where results go; see ringback bulk --help"),
        (["list.csv", "-o", "list.csv"], "list.csv: FILE, OUT and PAGE are three files"),
        (
            ["list.csv", "-o", "o.csv", "--report", "./o.csv"],
            "o.csv: FILE, OUT and PAGE are three files",
        ),
        (["no.csv", "-o", "o.csv"], "no.csv: No such file or directory"),
        (["list.csv", "-o", "no/o.csv"], "no/o.csv: there is no folder no; make it first"),
        (["list.csv", "-o", "o.parquet"], "o.parquet: Parquet comes with a later version"),
        (["list.csv", "-o", "o.xlsx"], "o.xlsx: spreadsheets open CSV"),
        (["list.csv", "-o", ""], "-o OUT is missing: where results go; see ringback bulk --help"),
        (["list.csv", "-o", "."], ".: Is a directory; OUT is a file that this user may write"),
        ([".", "-o", "o.csv"], ".: Is a directory; FILE is one that this user can read"),
        (["list.csv", "-o", "o.csv", "--report", "."], ".: it is no file; name one"),
        (["list.csv", "-o", "o.csv", "--report", "no/p"], "no/p: there is no folder no; make it"),
        (["list.csv", "-o", "o.csv", "--force", "--report", "no/p"], "no/p: there is no folder no"),
        (["list.csv", "-o", "o.csv", "--report", "-"], "--report -: the page is a file; name it"),
        (["list.csv", "--forget", "-o", "o.csv"], "--forget writes nothing, and asks nobody"),
        (
            ["list.csv", "-o", "o.csv", "--column", "name"],
            "line 2: this can be no address, nor has",
        ),
        (
            ["none.txt", "-o", "o.csv"],
            "none.txt, line 2: it is no address, though ann@shop.example",
        ),
        (
            ["list.csv", "-o", "o.csv", "--report", "taken"],
            "taken: it exists, and is no list report",
        ),
        (["list.csv", "-o", "taken"], "taken: it exists, and is not what this list has come to"),
        (["list.csv", "-o", "o.csv", "--delimiter", "::"], 'one character, or "tab"'),
        (["list.csv", "-o", "o.csv", "--column", "to"], 'there is no column "to" among "id"'),
        (["empty.csv", "-o", "o.csv"], "empty.csv: it is empty"),
    ],
)
def test_a_mistake_is_one_line_and_calls_nobody(
    bulk: Run, arguments: list[str], problem: str
) -> None:
    Path("taken").write_text("mine")
    Path("empty.csv").touch()
    Path("none.txt").write_text("# ours\nAnn <ann@shop.example>\n")

    status, out, told = bulk(*arguments)

    assert (2, "", 1) == (status, out, told.count("\n"))
    assert problem in told
    assert "mine" == Path("taken").read_text()
    assert not Path("o.csv").exists()


@pytest.mark.slow
def test_results_can_be_printed(
    bulk: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Path
) -> None:
    Path("list.tab").write_text("who\temail\nme\tann@nosuch.example\n")
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "ringback", "bulk", "--config", str(settings)),
            *("list.tab", "--format", "csv", "--delimiter", "tab", "-o", "-", "--to", "jsonl"),
        ],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        check=True,
        timeout=60,
    )

    assert {"who": "me", "email": "ann@nosuch.example"} == json.loads(ended.stdout)["input"]
