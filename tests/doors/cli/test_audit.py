"""`ringback audit` on the store of a service that has called."""

import asyncio
import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ringback.net.clock import SystemClock, boot_id
from ringback.store.sqlite import SqliteStore
from ringback.values.calls import Call
from ringback.values.events import Event
from ringback.values.evidence import Exchange, Meaning, Stage
from ringback.values.query import Purpose

Run = Callable[..., tuple[object, str, str]]  # status, standard output, standard error

AT = SystemClock().now() - 3_600
REFUSAL = Exchange(
    at=AT,
    stage=Stage.RCPT,
    connection=1,
    host="mx.shop.example",
    ip="192.0.2.25",
    command="RCPT TO:<ann@shop.example>",
    code=550,
    enhanced="5.1.1",
    text="No \x1b[2Jsuch user",
    meaning=Meaning.UNKNOWN_USER,
    rule="5.1.1",
)
ANN = Call(
    id="a1",
    session="a1",
    at=AT,
    address="ann@shop.example",
    domain="shop.example",
    host="mx.shop.example",
    ip="192.0.2.25",
    purpose=Purpose.SENDER,
    client="198.51.100.7",
    recipient="bob@ours.example",
    gates=("SPF pass", "aligned: an MX of shop.example"),
    outcome="rejected",
    said=(REFUSAL,),
)
EVE = ANN.but(
    id="e1",
    session="e1",
    at=AT - 86_400,
    address="=cmd|'/c calc'!a1@shop.example",
    client="",
    recipient="",
    gates=("an operator asked",),
    outcome="",
    said=(),
)


def complain(event: Event) -> None:
    raise AssertionError(event)


@pytest.fixture(autouse=True)
def store(config_file: Path, tmp_path: Path) -> None:
    path, clock = tmp_path / "ringback.db", SystemClock()
    config_file.write_text(f'[store]\nurl = "sqlite://{path}"\n')

    async def fill() -> None:
        opened = await SqliteStore.open(
            path,
            memory_entries=10,
            audit_keep_s=90 * 86_400,
            sink=complain,
            clock=clock.now,
            elapsed=clock.elapsed,
            boot=boot_id(),
        )
        for call in (EVE, ANN):
            await opened.spend((), call, clock.elapsed())
            opened.save_call(call)
        await opened.close()

    asyncio.run(fill())


def test_a_complaint_is_answered(run: Run) -> None:
    status, out, err = run("audit", "shop.example")

    assert (0, "") == (status, err)
    first, asked_for, let_in, *_ = out.splitlines()
    assert first.endswith("ann@shop.example at mx.shop.example [192.0.2.25]: rejected")
    assert asked_for == "  asked for  a mail from 198.51.100.7 to bob@ours.example"
    assert let_in == "  let in by  SPF pass; aligned: an MX of shop.example"
    assert "RCPT TO:<ann@shop.example>" in out
    assert "\x1b" not in out
    assert "asked for  an operator (sender)" in out
    assert "no answer noted: under way, or stopped in it" in out


@pytest.mark.parametrize(
    "pattern", ["ann@shop.example", "mx.shop.example", "192.0.2.25", "shop.example"]
)
def test_an_address_a_host_and_a_domain_find_their_calls(run: Run, pattern: str) -> None:
    _, out, _ = run("audit", pattern, "--limit", "1", "--json")

    assert json.loads(out)["address"] == "ann@shop.example"


def test_json_is_an_object_a_line(run: Run) -> None:
    status, out, _ = run("audit", "shop.example", "--json")
    ann, eve = (json.loads(line) for line in out.splitlines())

    assert status == 0
    assert (ann["client"], ann["outcome"], ann["said"][0]["code"]) == (
        "198.51.100.7",
        "rejected",
        550,
    )
    assert (eve["client"], eve["outcome"], eve["said"]) == (None, None, [])


def test_a_spreadsheet_finds_no_formula_and_no_line_break(run: Run) -> None:
    _, out, _ = run("audit", "shop.example", "--csv")
    head, ann, eve = csv.reader(io.StringIO(out))

    assert head[:4] == ["at", "id", "session", "address"]
    assert eve[3] == "'=cmd|'/c calc'!a1@shop.example"
    assert ann[-1] == "RCPT TO:<ann@shop.example>: 550 5.1.1 No \\x1b[2Jsuch user"
    assert ann[10] == "SPF pass; aligned: an MX of shop.example"


def test_only_the_last_hours_are_shown_where_that_is_wanted(run: Run) -> None:
    _, out, _ = run("audit", "shop.example", "--since", "2h", "--json")

    assert [json.loads(line)["address"] for line in out.splitlines()] == ["ann@shop.example"]


def test_nobody_called_is_said_and_exits_one(run: Run) -> None:
    assert run("audit", "other.example") == (
        1,
        "",
        "ringback: nobody was called about other.example\n",
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("shop.example", "--since", "soon"), "no span of time; write 30m, 12h, 7d or 4w"),
        (("shop.example", "--csv", "--json"), "--csv and --json exclude each other"),
        (("not a domain",), "name an address, a domain or a host's IP"),
    ],
)
def test_a_mistake_is_one_line(run: Run, arguments: tuple[str, ...], told: str) -> None:
    status, out, err = run("audit", *arguments)

    assert (2, "") == (status, out)
    assert told in err
    assert err.count("\n") == 1
