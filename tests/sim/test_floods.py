"""Floods of first contacts: what is remembered of them has bounds, and honest newcomers pass meanwhile."""

from collections.abc import Iterator
from itertools import chain

import pytest

from ringback.lab.dice import Dice
from ringback.lab.harm import Told
from ringback.lab.sites import Land, Manner, Spf
from ringback.lab.traffic import Message, Truth
from ringback.rules import waiting
from ringback.store import memory
from ringback.values.query import Client
from ringback.values.settings import CallWhen

from .stage import HOUR_S, RETRIES, Stage, forged, honest, spread

OVER_S = 2 * HOUR_S
VICTIM, FIRM = "victim.example", "firm.example"
NEWCOMERS = 30


def two_sites() -> Land:
    """One that is forged, and one whose people send through somebody else's server."""
    land = Land()
    land.own(VICTIM, Manner(), Spf.NONE)
    land.own(FIRM, Manner(), Spf.NONE).mailboxes.update(f"ann{n}" for n in range(NEWCOMERS))
    return land


def newcomers(network: str = "85.1.{}") -> Iterator[Message]:
    """Each from a network of his own, who tries again as mail servers do."""
    for number, at in spread(NEWCOMERS, OVER_S, 1_000.0):
        client = Client(f"{network.format(number)}.25", "", "relay")
        yield honest(-number, at, f"ann{number}@{FIRM}", client)


def triples(count: int, networks: list[str], retries: tuple[float, ...] = ()) -> Iterator[Message]:
    dice = Dice("flood")
    for number, at in spread(count, OVER_S):
        client = Client(dice.pick(networks), "", "pc")
        yield forged(number, at, f"made-up-{number}@{VICTIM}", client, retries)


def played(*mail: Iterator[Message]) -> Stage:
    stage = Stage(two_sites(), CallWhen.RETRIED)
    return stage.play(sorted(chain(*mail), key=lambda message: message.at))


def delays_of(stage: Stage) -> list[float]:
    return sorted(fate.delay_s for fate in stage.ends.honest)


@pytest.mark.slow
def test_one_network_is_remembered_as_far_as_its_bound_and_others_are_put_off_once() -> None:
    stage = played(triples(3_000, ["81.0.0.9"]), newcomers())

    assert [] == stage.excesses()
    assert stage.remembered.waits <= waiting.MAX_OF_NETWORK + NEWCOMERS
    assert [300.0] * NEWCOMERS == delays_of(stage)
    assert [] == stage.ends.lost


@pytest.mark.slow
def test_what_surrounds_a_network_has_a_bound_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (waiting, memory):
        monkeypatch.setattr(module, "MAX_OF_WIDE_NETWORK", 1_000)
    networks = [f"2a00:1:{number:x}::9" for number in range(3_000)]
    stage = played(triples(3_000, networks), newcomers())

    assert [] == stage.excesses()
    assert stage.remembered.waits <= 1_000 + NEWCOMERS
    assert [300.0] * NEWCOMERS == delays_of(stage)


@pytest.mark.slow
def test_a_store_that_is_full_puts_nobody_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "MAX_WAITS", 150)
    networks = [f"{first}.{second}.7.9" for first in range(81, 85) for second in range(250)]
    stage = played(triples(3_000, networks), newcomers())

    assert [] == stage.excesses()
    assert 150 == stage.remembered.waits
    assert [0.0] * NEWCOMERS == delays_of(stage)


@pytest.mark.slow
def test_a_newcomer_from_the_network_of_a_flood_passes() -> None:
    stage = played(triples(3_000, ["81.0.0.9"], RETRIES), newcomers("81.0.0"))

    assert [] == stage.excesses()
    assert [] == stage.ends.lost


@pytest.mark.slow
@pytest.mark.parametrize("retries", [(), RETRIES])
def test_bots_that_come_back_learn_no_more_than_the_budget_allows(
    retries: tuple[float, ...],
) -> None:
    networks = [f"{first}.{second}.7.9" for first in range(81, 85) for second in range(250)]
    stage = played(triples(2_000, networks, retries), newcomers())

    assert [] == stage.excesses()
    assert [] == stage.ends.lost
    assert 0 == stage.ends.told[Truth.HONEST, Told.REFUSED]
