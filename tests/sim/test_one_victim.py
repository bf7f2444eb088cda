"""One victim and any number of made-up mailboxes: the host gets its budget, whoever asks, from wherever."""

from collections.abc import Callable, Iterator

import pytest

from ringback.lab.dice import Dice
from ringback.lab.sites import Land, Manner, Spf
from ringback.lab.traffic import Message
from ringback.values.query import Client
from ringback.values.settings import CallWhen

from .stage import HOUR_S, RETRIES, Stage, forged, spread

MESSAGES, OVER_S = 1_500, 3 * HOUR_S
VICTIM = "victim.example"


def from_one_network(dice: Dice) -> Client:
    return Client(f"81.0.0.{dice.below(256)}", "", "pc")


def from_many_networks(dice: Dice) -> Client:
    return Client(f"81.{dice.below(40)}.{dice.below(250)}.{dice.below(256)}", "", "pc")


def from_one_owner_of_ipv6(dice: Dice) -> Client:
    return Client(f"2a00:1:{dice.below(65_536):x}:{dice.below(65_536):x}::1", "", "pc")


Source = Callable[[Dice], Client]
SOURCES = [from_one_network, from_many_networks, from_one_owner_of_ipv6]


def names_made_up(count: int, source: Source, over_s: float = OVER_S) -> Iterator[Message]:
    dice = Dice("one victim")
    for number, at in spread(count, over_s):
        yield forged(number, at, f"made-up-{number}@{VICTIM}", source(dice), RETRIES)


def one_victim(mode: CallWhen, persona: str = "normal", spf: Spf = Spf.NONE) -> Stage:
    land = Land()
    land.own(VICTIM, Manner(persona), spf)
    return Stage(land, mode)


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("mode", [CallWhen.ALWAYS, CallWhen.RETRIED])
def test_it_gets_no_more_than_its_budget(mode: CallWhen, source: Source) -> None:
    stage = one_victim(mode).play(names_made_up(MESSAGES, source))

    assert [] == stage.excesses()
    assert len(stage.street.asked) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    "persona",
    ["has_them_all", "has_them_all_slowly", "accept_all", "greylisting_451", "blocks_us_at_rcpt"],
)
def test_nor_does_it_whatever_it_says(persona: str) -> None:
    stage = one_victim(CallWhen.ALWAYS, persona).play(names_made_up(MESSAGES, from_many_networks))

    assert [] == stage.excesses()
    assert len(stage.street.asked) > 0


@pytest.mark.slow
def test_it_gets_nothing_where_its_domain_must_vouch_for_the_client() -> None:
    stage = one_victim(CallWhen.ALIGNED).play(names_made_up(MESSAGES, from_many_networks))

    assert [] == stage.street.asked
    assert 0 == sum(len(host.connections) for host in stage.land.hosts)


@pytest.mark.slow
def test_a_domain_that_lets_anybody_send_for_it_vouches_for_nobody() -> None:
    asked = {}
    for mode in CallWhen:
        stage = one_victim(mode, spf=Spf.OPEN).play(names_made_up(MESSAGES, from_many_networks))
        asked[mode] = len(stage.street.asked)

        assert [] == stage.excesses()
    assert 0 == asked[CallWhen.ALIGNED]
    assert asked[CallWhen.RETRIED] > 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", CallWhen)
def test_of_made_up_names_that_its_own_client_sends_it_refuses_no_more_than_its_budget(
    mode: CallWhen,
) -> None:
    stage = one_victim(mode, spf=Spf.FAIL)
    (host,) = stage.land.hosts
    mail = names_made_up(MESSAGES, lambda _: Client(host.ip, host.name, host.name))
    stage.play(mail)

    assert [] == stage.excesses(related=[VICTIM])
    assert len(host.refused) > 20
