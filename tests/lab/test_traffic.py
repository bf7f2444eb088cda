"""The stream of mail, and its truth."""

from collections import Counter
from itertools import pairwise

import pytest

from ringback.lab.correspondents import Kind
from ringback.lab.population import Population, Sizes, populate
from ringback.lab.schedules import DAY_S, Schedule
from ringback.lab.traffic import MOST_RECIPIENTS, Message, Truth, Volume, stream

SIZES = Sizes(innocents=100, correspondents=300, bots=100)
VOLUME = Volume(forged=2_000, honest=2_000, own_spam=200, retried_share=0.2)


@pytest.fixture(scope="module")
def people() -> Population:
    return populate("1", SIZES)


@pytest.fixture(scope="module")
def mail(people: Population) -> tuple[Message, ...]:
    return stream("1", people, VOLUME)


def test_there_is_as_much_as_was_asked_for(mail: tuple[Message, ...]) -> None:
    counts = Counter(message.truth for message in mail)

    assert {Truth.FORGED: 2_000, Truth.HONEST: 2_000, Truth.OWN_SPAM: 200} == counts
    assert len(mail) == len({message.serial for message in mail})


def test_it_comes_in_order_and_over_two_weeks(mail: tuple[Message, ...]) -> None:
    assert all(first.at <= second.at for first, second in pairwise(mail))
    assert 0 <= mail[0].at < DAY_S
    assert 13 * DAY_S < mail[-1].at < 14.5 * DAY_S


def test_a_seed_makes_the_same_mail(people: Population, mail: tuple[Message, ...]) -> None:
    assert mail == stream("1", people, VOLUME)
    assert mail != stream("2", people, VOLUME)


def test_the_share_of_bots_that_try_again_changes_nothing_else(
    people: Population, mail: tuple[Message, ...]
) -> None:
    never = stream("1", people, Volume(2_000, 2_000, 200, retried_share=0.0))

    assert [(one.at, one.sender, one.recipients) for one in never] == [
        (one.at, one.sender, one.recipients) for one in mail
    ]
    forged = [one for one in never if one.truth is Truth.FORGED]
    assert not any(one.retries for one in forged)
    persistent = sum(bool(one.retries) for one in mail if one.truth is Truth.FORGED)
    assert 330 < persistent < 470


def test_bots_forge_innocents_and_spammers_do_not(
    people: Population, mail: tuple[Message, ...]
) -> None:
    innocents = {address for addresses in people.forged.things for address in addresses}
    bots = set(people.bots)
    for message in mail:
        forged = message.truth is Truth.FORGED
        assert forged == (message.sender in innocents)
        assert forged == (message.clients[0] in bots)


def test_each_bot_sends_many(mail: tuple[Message, ...]) -> None:
    by_bot = Counter(one.clients[0].address for one in mail if one.truth is Truth.FORGED)

    assert 10 < sum(by_bot.values()) / len(by_bot)


def test_honest_mail_comes_in_all_kinds(mail: tuple[Message, ...]) -> None:
    kinds = Counter(one.why for one in mail if one.truth is Truth.HONEST)

    assert {kind.value for kind in Kind} == set(kinds)
    lists = [one.sender for one in mail if one.why == Kind.LIST]
    assert len(lists) == len(set(lists))
    assert all("=ours.example@" in sender for sender in lists)


def test_some_mail_of_each_truth_goes_to_several(mail: tuple[Message, ...]) -> None:
    several = [one for one in mail if one.others]
    sizes = {len(one.recipients) for one in several}

    assert set(Truth) == {one.truth for one in several}
    assert Kind.LIST not in {one.why for one in several}
    assert 0.02 < len(several) / len(mail) < 0.05
    assert 2 == min(sizes)
    assert MOST_RECIPIENTS >= max(sizes) > 10
    assert all(len(one.recipients) == len(set(one.recipients)) for one in several)


def test_attempts_follow_the_schedule_and_go_round_the_pool(mail: tuple[Message, ...]) -> None:
    pooled = next(one for one in mail if one.why == Kind.POOL)
    attempts = list(pooled.attempts())

    assert len(Schedule.POOL.value) + 1 == len(attempts)
    assert (pooled.at, pooled.clients[0]) == attempts[0]
    assert pytest.approx(180.0 * pooled.stretch) == attempts[1][0] - pooled.at
    assert pooled.clients[1] == attempts[1][1]


def test_an_hour_of_mail_is_an_hour(people: Population) -> None:
    mail = stream("1", people, Volume(500, 500, 50, days=1 / 24))

    assert max(one.at for one in mail if one.truth is Truth.HONEST) < 3_600
