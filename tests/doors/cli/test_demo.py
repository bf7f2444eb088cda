"""`ringback demo` as a stranger runs it."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error
README = Path(__file__).parents[3] / "README.md"


def unfolded(shown: str) -> str:
    """What was printed, without its line breaks and its instants."""
    return " ".join(re.sub(r"[0-9-]{10}T[0-9:]{8}Z", "…", shown).split())


def start(*arguments: str, folder: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-u", "-m", "ringback", "demo", *arguments],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_it_plays_to_the_end_and_leaves_nothing_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    status, out, err = run("demo")

    assert (0, "") == (status, err)
    assert [] == [it for it in tmp_path.iterdir() if it.name.startswith("ringback-demo-")]
    assert re.search(
        r"2\. MAIL FROM:<invented@shop\.example> .*\n +The front end refused: 550", out
    )
    assert "10 messages, 6 taken, " in out
    assert "The operator is warned: mx.blocklisted.example (127." in out
    assert "DUNNO as soon as the address was accepted; then:" in out
    assert re.search(r" {5}when .*, over 1 connection; holds until .*\n\n2\.", out)
    assert "  resting on    550 5.1.1 to RCPT at mx.shop.example" in out
    _, _, shown = README.read_text("utf-8").partition("From `make demo`:\n\n```text\n")
    for scene in shown.partition("```")[0].split("\n\n"):
        assert unfolded(scene) in unfolded(out)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_with_keep_it_says_what_to_ask_and_what_it_says_works(
    number: signal.Signals, tmp_path: Path
) -> None:
    with start("--keep", folder=tmp_path) as process:
        assert process.stdout and process.stderr
        printed = ""
        while "broken.example         servfail" not in printed:
            printed += process.stdout.readline()
        asking = re.findall(r"^  (.* (?:check|cache show|config show) .*|bash .*)$", printed, re.M)
        found = re.search(r"^  (http://127\.0\.0\.1:[0-9]+/)$", printed, re.M)
        assert found
        page = httpx.get(found[1], headers={"accept": "text/html"})
        answers = [
            subprocess.run(line, shell=True, capture_output=True, text=True, check=False, cwd="/")
            for line in asking
        ]
        process.send_signal(number)
        status, err = process.wait(), process.stderr.read()

    assert [(0, ""), (0, ""), (0, ""), (0, "")] == [(it.returncode, it.stderr) for it in answers]
    assert answers[0].stdout.startswith("orders@shop.example  deliverable  accepted\n")
    assert "ann@greylist.example" in page.text
    assert answers[3].stdout.startswith("action=550 5.1.7 ")
    assert (0, "") == (status, err)
    assert [] == list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_in_the_middle_takes_all_down(
    number: signal.Signals, status: int, tmp_path: Path
) -> None:
    with start(folder=tmp_path) as process:
        assert process.stdout and process.stderr
        process.stdout.readline()
        process.send_signal(number)
        err = process.stderr.read()

    assert (status, "") == (process.returncode, err)
    assert [] == list(tmp_path.iterdir())
