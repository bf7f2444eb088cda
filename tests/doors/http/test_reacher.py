"""The schema of Reacher, and what can honestly be said in it."""

from typing import Any

import msgspec
import pytest

from door_fakes import NOON
from http_fakes import HttpSite
from ringback.doors.http import answers
from ringback.doors.http.reacher import encode
from ringback.values.evidence import Exchange, Stage
from ringback.values.query import Purpose, Query, Report
from ringback.values.settings import Smtp
from ringback.values.verdict import Reason

SAID = (
    Exchange(NOON, Stage.ROUTE, host="mx2.shop.example"),
    Exchange(NOON, Stage.RCPT, 1, "mx1.shop.example", "192.0.2.1", code=250),
)


def told(reason: Reason, address: str = "ann@shop.example") -> dict[str, Any]:
    return encode(Report(address, reason, True, NOON, "a rule", evidence=SAID))


async def test_a_client_changes_only_a_url(site: HttpSite) -> None:
    site.settings = site.settings.but(smtp=Smtp(callout_deadline_s=45.0))
    body = {
        "to_email": "ann@shop.example",
        "from_email": "me@ours.example",
        "hello_name": "ours.example",
        "proxy": {"host": "198.51.100.1", "port": 1080},
        "smtp_timeout": {"secs": 45, "nanos": 0},
    }
    answer = await site.ask("POST", "/v0/check_email", body)

    assert ("ann@shop.example", "safe") == (answer.json()["input"], answer.json()["is_reachable"])
    assert [Query("ann@shop.example", Purpose.BULK, answer_by_at=NOON + 45)] == site.engine.queries


@pytest.mark.parametrize("body", [{}, {"to_email": 1}, {"to_email": "a\nb"}, []])
async def test_what_is_no_question_is_a_problem(site: HttpSite, body: object) -> None:
    answer = await site.ask("POST", "/v0/check_email", body)

    assert 422 == answer.status_code


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_fits_the_schema(reason: Reason) -> None:
    for address in ("ann@shop.example", "no address"):
        assert msgspec.convert(told(reason, address), answers.ReacherReport)


@pytest.mark.parametrize(
    ("reason", "address", "reachable"),
    [
        (Reason.ACCEPTED, "ann@shop.example", "safe"),
        (Reason.ACCEPTED, "info@shop.example", "risky"),
        (Reason.NO_SUCH_MAILBOX, "ann@shop.example", "invalid"),
        (Reason.NULL_MX, "ann@shop.example", "invalid"),
        (Reason.BAD_SYNTAX, "no address", "invalid"),
        (Reason.ACCEPTS_ANY, "ann@shop.example", "risky"),
        (Reason.MAILBOX_FULL, "ann@shop.example", "risky"),
        (Reason.GREYLISTED, "ann@shop.example", "unknown"),
        (Reason.REFUSES_US, "ann@shop.example", "unknown"),
        (Reason.NOT_ASKED, "ann@shop.example", "unknown"),
        (Reason.DEADLINE, "ann@shop.example", "unknown"),
    ],
)
def test_verdicts_have_their_words(reason: Reason, address: str, reachable: str) -> None:
    assert reachable == told(reason, address)["is_reachable"]


def test_what_was_found_is_told() -> None:
    known = told(Reason.ACCEPTED)

    assert {"accepts_mail": True, "records": ["mx1.shop.example."]} == known["mx"]
    assert {
        "can_connect_smtp": True,
        "has_full_inbox": False,
        "is_catch_all": False,
        "is_deliverable": True,
        "is_disabled": False,
    } == known["smtp"]
    assert told(Reason.ACCEPTS_ANY)["smtp"]["is_catch_all"]
    assert told(Reason.MAILBOX_FULL)["smtp"]["has_full_inbox"]
    assert told(Reason.MAILBOX_DISABLED)["smtp"]["is_disabled"]


def test_what_was_not_found_is_an_error_and_not_a_false() -> None:
    unasked = encode(Report("ann@shop.example", Reason.NOT_ASKED, True, NOON, "no consent"))

    error = {"type": "SmtpError", "message": "not_asked: no consent"}
    assert {"error": error} == unasked["smtp"]
    assert {"error": {**error, "type": "MxError"}} == unasked["mx"]


def test_a_domain_without_hosts_accepts_no_mail() -> None:
    none = encode(Report("ann@shop.example", Reason.NULL_MX, True, NOON, "null MX"))

    assert {"accepts_mail": False, "records": []} == none["mx"]


def test_syntax_is_taken_apart() -> None:
    good, bad = told(Reason.ACCEPTED)["syntax"], told(Reason.BAD_SYNTAX, "no address")["syntax"]

    assert ("ann", "shop.example", True) == (
        good["username"],
        good["domain"],
        good["is_valid_syntax"],
    )
    assert (None, "", False) == (bad["address"], bad["domain"], bad["is_valid_syntax"])
