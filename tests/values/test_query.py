"""The question and its answer."""

from ringback.values.query import Client, Flags, Purpose, Query, Report
from ringback.values.verdict import Blame, Reason, Verdict


def test_purposes_are_the_closed_set() -> None:
    assert {purpose.value for purpose in Purpose} == {"sender", "recipient", "bulk"}


def test_a_bare_query_is_an_operator_who_waits() -> None:
    query = Query("ann@shop.example")

    assert (query.purpose, query.client, query.answer_by_at, query.fresh) == (
        Purpose.SENDER,
        None,
        None,
        False,
    )


def test_a_client_is_not_trusted_unless_it_logged_in() -> None:
    assert not Client("192.0.2.1").authenticated


def test_a_report_has_verdict_and_blame_of_its_reason() -> None:
    report = Report("ann@shop.example", Reason.REFUSES_US, True, 0.0, "a rule")

    assert (report.verdict, report.blame) == (Verdict.UNKNOWN, Blame.US)


def test_flags_are_off_by_default() -> None:
    assert Flags() == Flags(False, False, False, False, None)
