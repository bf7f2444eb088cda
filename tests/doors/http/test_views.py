"""What pages show, as values."""

from door_fakes import NOON
from page_fakes import said
from ringback.doors.http.views import (
    MAX_BARS,
    account_of,
    account_of_entry,
    bars,
    lines_of,
    scope_of,
    view_of_call,
)
from ringback.rules.freshness import Entry
from ringback.values.calls import Call
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.query import Purpose, Report
from ringback.values.settings import Recipient, RecipientRoute, Settings
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


def test_what_is_known_of_a_recipient_names_its_route() -> None:
    entry = Entry("to:ann@ours.example", Reason.ACCEPTED, True, "x", NOON, NOON + 9)
    route = RecipientRoute(domain="ours.example", host=("192.0.2.9", "mx.ours.example"))
    with_route = account_of_entry(entry, Settings(recipient=Recipient((route,))), NOON)
    without = account_of_entry(entry, Settings(), NOON)

    assert "ann@ours.example" == with_route.report.address
    assert "the route of ours.example to 192.0.2.9, mx.ours.example" == with_route.via
    assert "a route that is gone" == without.via


def test_a_fact_may_be_about_a_part_of_its_subject() -> None:
    def about(subject: str, kind: DomainFact | HostFact) -> str:
        return scope_of(Fact(subject, kind, NOON, NOON + 9))

    assert "" == about("shop.example", DomainFact.SELECTIVE)
    assert "of its recipients" in about("to:shop.example", DomainFact.SELECTIVE)
    assert "for shop.example" == about("192.0.2.1 shop.example", HostFact.REFUSES_US)
