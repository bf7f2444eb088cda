"""How the models of Exim and Postfix behave, against what their manuals say."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest

from ringback.lab.dice import Urn
from ringback.lab.harm import Scene, Told
from ringback.lab.mx import Door
from ringback.lab.population import Population
from ringback.lab.rival_models import EximModel, PostfixModel
from ringback.lab.schedules import DAY_S, HOUR_S
from ringback.lab.sim import SimClock, SimLoop, run
from ringback.lab.sim_net import SimDialer, SimHost, SimResolver
from ringback.lab.sites import Land, Manner, Spf
from ringback.lab.traffic import Message, Truth
from ringback.values.query import Client

CLIENT = Client("192.0.2.7")
Rival = EximModel | PostfixModel


class Stage:
    """One domain, and a rival that is asked about its senders."""

    def __init__(self, make: Callable[[Scene], Rival], manner: Manner) -> None:
        self.loop = SimLoop()
        clock, land = SimClock(self.loop), Land()
        site = land.own("shop.example", manner, Spf.NONE)
        site.mailboxes.add("ann")
        self.host: SimHost = site.hosts[0]
        people = Population(land, frozenset(), Urn((), ()), Urn((), ()), (), (), ())
        resolver = SimResolver(land.zone, clock)
        self.scene = Scene("1", people, clock, SimDialer(land.hosts, clock), resolver)
        self.rival = make(self.scene)

    async def mail(self, sender: str, after_s: float = 0.0) -> Told:
        await self.scene.clock.sleep(after_s)
        message = Message(1, 0.0, Truth.HONEST, "", sender, "you@ours.example", (CLIENT,), ())
        (answer,) = await self.rival.judge(message, CLIENT)
        return answer.told

    async def told(self, *mails: tuple[str, float]) -> list[Told]:
        told = [await self.mail(sender, after_s) for sender, after_s in mails]
        await self.rival.close()
        return told

    def play(self, *mails: tuple[str, float]) -> tuple[list[Told], int]:
        """What each mail is told, and the connections that they cost."""
        work: Coroutine[Any, Any, list[Told]] = self.told(*mails)
        return run(self.loop, work), len(self.host.connections)


ANN, EVE = "ann@shop.example", "eve@shop.example"
TAKEN, DEFERRED, REFUSED = Told.TAKEN, Told.DEFERRED, Told.REFUSED


def test_exim_calls_for_each_address_and_remembers_for_a_day_or_two_hours() -> None:
    stage = Stage(EximModel, Manner())
    told, connections = stage.play(
        (ANN, 0), (ANN, 23 * HOUR_S), (ANN, 2 * HOUR_S), (EVE, 0), (EVE, HOUR_S), (EVE, 2 * HOUR_S)
    )

    assert [TAKEN, TAKEN, TAKEN, REFUSED, REFUSED, REFUSED] == told
    assert 4 == connections


def test_exim_remembers_of_the_domain_what_was_refused_before_any_mailbox() -> None:
    stage = Stage(EximModel, Manner("refuses_bounces"))
    told, connections = stage.play((ANN, 0), (EVE, 60), ("bob@shop.example", 4 * HOUR_S))

    assert ([REFUSED] * 3, 2) == (told, connections)


def test_exim_asks_again_each_time_after_a_deferral() -> None:
    stage = Stage(EximModel, Manner("trouble_at_rcpt"))

    assert ([DEFERRED] * 3, 3) == stage.play((ANN, 0), (ANN, 1), (ANN, 1))


def test_exim_does_not_share_callouts() -> None:
    stage = Stage(EximModel, Manner())

    async def work() -> None:
        await asyncio.gather(*(stage.mail(ANN) for _ in range(4)))

    run(stage.loop, work())

    assert 4 == len(stage.host.connections)


def test_postfix_shares_a_probe_and_answers_from_its_cache_for_a_week() -> None:
    stage = Stage(PostfixModel, Manner())
    told, connections = stage.play((ANN, 0), (ANN, 6 * DAY_S), (EVE, 0), (EVE, 2 * HOUR_S))

    assert ([TAKEN, TAKEN, REFUSED, REFUSED], 2) == (told, connections)


def test_postfix_refreshes_behind_the_clients_back() -> None:
    stage = Stage(PostfixModel, Manner())
    told, connections = stage.play((EVE, 0), (EVE, 4 * HOUR_S), (EVE, 60))

    assert ([REFUSED] * 3, 2) == (told, connections)


def test_postfix_defers_what_takes_longer_than_six_seconds() -> None:
    stage = Stage(PostfixModel, Manner(round_trip_s=2.0))
    told, connections = stage.play((ANN, 0), (ANN, 60))

    assert ([DEFERRED, TAKEN], 1) == (told, connections)


def test_postfix_probes_on_when_the_client_has_gone() -> None:
    stage = Stage(PostfixModel, Manner("slow", round_trip_s=2.0))

    assert ([DEFERRED], 1) == stage.play((ANN, 0))
    assert stage.loop.time() > 12.0


def test_postfix_remembers_a_deferral_for_three_hours() -> None:
    stage = Stage(PostfixModel, Manner("trouble_at_rcpt"))
    told, connections = stage.play((ANN, 0), (ANN, HOUR_S), (ANN, HOUR_S))

    assert ([DEFERRED] * 3, 1) == (told, connections)


def test_postfix_asks_with_a_sender_so_that_bounces_may_be_refused() -> None:
    stage = Stage(PostfixModel, Manner("refuses_bounces"))

    assert ([TAKEN, REFUSED], 2) == stage.play((ANN, 0), (EVE, 0))


@pytest.mark.parametrize("make", [EximModel, PostfixModel])
def test_what_cannot_be_called(make: Callable[[Scene], Rival]) -> None:
    stage = Stage(make, Manner(door=Door.SHUT))
    told, _ = stage.play((ANN, 0), ("no address", 0), ("ann@nowhere.example", 0))

    assert [DEFERRED, REFUSED, REFUSED] == told


def test_postfix_keeps_a_good_result_that_a_failed_probe_would_replace() -> None:
    stage = Stage(PostfixModel, Manner())

    async def work() -> list[Told]:
        first = await stage.mail(ANN)
        stage.host.door = Door.SHUT
        refreshed = await stage.mail(ANN, 8 * DAY_S)
        return [first, refreshed, await stage.mail(ANN, 60)]

    assert [TAKEN, TAKEN, TAKEN] == run(stage.loop, work())


@pytest.mark.parametrize("make", [EximModel, PostfixModel])
def test_a_message_to_several_is_answered_for_each_and_costs_one_callout(
    make: Callable[[Scene], Rival],
) -> None:
    stage = Stage(make, Manner("trouble_at_rcpt"))  # a deferral, which Exim does not cache
    one = Message(1, 0.0, Truth.HONEST, "", ANN, "you@ours.example", (CLIENT,), ())
    several = replace(one, others=("we@ours.example", "they@ours.example"))

    async def work() -> list[Told]:
        return [answer.told for answer in await stage.rival.judge(several, CLIENT)]

    assert [DEFERRED] * 3 == run(stage.loop, work())
    assert 1 == len(stage.host.connections)
