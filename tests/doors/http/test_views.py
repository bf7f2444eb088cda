"""What pages show, as values."""

import pytest

from door_fakes import NOON
from http_fakes import HttpSite
from page_fakes import said
from ringback.doors.http.views import (
    MAX_BARS,
    account_of,
    bars,
    lines_of,
    now_of,
    view_of_call,
)
from ringback.doors.recent import Span
from ringback.values.calls import Call
from ringback.values.query import Purpose, Report
from ringback.values.verdict import Reason


def test_each_line_of_a_dialogue_has_its_speaker() -> None:
    kinds = [line.kind for line in lines_of((said("no"), said("no answer", None)))]

    assert ["place", "client", "server", "note", "client", "fault", "note"] == kinds


def test_an_account_names_its_hosts_once() -> None:
    evidence = (said("no"), said("no"))
    report = Report("a@b.example", Reason.NO_SUCH_MAILBOX, True, NOON, "x", evidence=evidence)
    account = account_of(report)

    assert (("192.0.2.1", "mx.shop.example"),) == account.hosts
    assert "decided by" == account.points[0][0]


def test_a_call_without_an_outcome_may_be_under_way() -> None:
    call = Call("1", "1", NOON, "a@b.example", "b.example", "mx", "192.0.2.1", Purpose.SENDER)

    assert view_of_call(call).outcome.startswith("no answer noted")


def test_what_is_rare_is_one_bar() -> None:
    shown = bars((f"reason {number:02}", 100 - number) for number in range(MAX_BARS + 2))

    assert MAX_BARS + 1 == len(shown)
    assert ("all others", 179, 100.0) == (shown[-1].name, shown[-1].count, shown[-1].part)
    assert () == bars(())


@pytest.mark.parametrize("span", Span)
async def test_nothing_has_happened_yet(site: HttpSite, span: Span) -> None:
    view = await now_of(site.door, span)

    assert (True, False, span.steps) == (view.is_quiet, view.is_in_vain, len(view.steps))
    assert ((), ()) == (view.reasons, view.spent)
    assert view.overall
    assert (5_000, 20_000) == (view.overall.left, view.overall.per_hour)
