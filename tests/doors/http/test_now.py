"""What the first page shows, as values."""

import pytest

from door_fakes import NOON
from http_fakes import HttpSite
from page_fakes import IP, said
from ringback.doors.http.now import MAX_UNDER_WAY, doors_of, now_of
from ringback.doors.http.wordings import EARLY
from ringback.doors.recent import Span
from ringback.engine.progress import UnderWay
from ringback.values.events import Answered
from ringback.values.facts import Fact, HostFact
from ringback.values.query import Query, Report
from ringback.values.settings import Milter, Policy, Settings
from ringback.values.verdict import Reason


@pytest.mark.parametrize("span", Span)
async def test_nothing_has_happened_yet(site: HttpSite, span: Span) -> None:
    view = await now_of(site.door, span)

    assert (True, False, span.steps) == (view.is_quiet, view.is_in_vain, len(view.steps))
    assert ((), (), ()) == (view.reasons, view.spent, view.progress)
    assert view.overall
    assert (5_000, 20_000) == (view.overall.left, view.overall.per_hour)


async def test_all_breakers_are_shown_whoever_was_called_lately(site: HttpSite) -> None:
    for number, strikes in enumerate((1, 0, 2)):
        fact = Fact(
            f"192.0.2.{number}",
            HostFact.REFUSES_US,
            NOON - number,
            NOON + 9,
            (said("blocked"),),
            strikes=strikes,
        )
        site.store.save_fact(fact)
    view = await now_of(site.door, Span.HOUR)

    assert [("192.0.2.0", 1), ("192.0.2.2", 2)] == [(it.ip, it.strikes) for it in view.breakers]
    assert "mx.shop.example" == view.breakers[0].host
    assert not view.has_more_breakers
    assert NOON + 3_600 == view.breakers[0].tries_again_at


async def test_answers_that_were_early_stand_apart_from_those_that_were_late(
    site: HttpSite,
) -> None:
    late = Report("ann@shop.example", Reason.DEADLINE, False, NOON, "a rule")
    for report in (late, late.but(settled=True), late.but(settled=True)):
        site.door.recent.hear(Answered("http", "sender", report.address, "", report, 0.1))
    view = await now_of(site.door, Span.HOUR)

    assert [(EARLY, 2), ("deadline", 1)] == [(bar.name, bar.count) for bar in view.reasons]


async def test_of_many_callouts_the_oldest_are_shown(site: HttpSite) -> None:
    site.engine.under_way = 20
    site.engine.progress = (
        UnderWay(Query("ann@shop.example"), "shop.example", NOON, "mx", IP),
    ) * 20
    view = await now_of(site.door, Span.HOUR)

    assert (20, MAX_UNDER_WAY) == (view.under_way, len(view.progress))


def test_a_newcomer_is_told_where_mail_servers_ask() -> None:
    policy, milter = Policy(listen=("127.0.0.1:1", "unix:/run/p")), Milter(listen=("127.0.0.1:2",))

    assert (("policy", "127.0.0.1:1, unix:/run/p"), ("milter", "127.0.0.1:2")) == doors_of(
        Settings(policy=policy, milter=milter)
    )
    assert () == doors_of(Settings(policy=Policy(listen=())))
