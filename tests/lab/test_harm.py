"""Harm, measured on a small stream: counts, delays, and the same result for the same seed."""

from collections import Counter
from dataclasses import dataclass, field

import pytest

from ringback.lab.harm import Answer, Harm, Scene, Told, busiest_hour, measure
from ringback.lab.population import Sizes
from ringback.lab.rival_models import EximModel
from ringback.lab.sim_net import Burden
from ringback.lab.traffic import Message, Truth, Volume
from ringback.values.query import Client

SIZES = Sizes(innocents=50, correspondents=100, bots=20, users=20)
VOLUME = Volume(forged=200, honest=200, own_spam=20, days=2.0)


@dataclass
class Defers:
    """Tells each message to come back so often, then takes it."""

    scene: Scene
    times: int = 2
    seen: Counter[tuple[int, str]] = field(default_factory=Counter)
    closed: bool = False

    async def judge(self, message: Message, client: Client) -> list[Answer]:
        return [self._judge(message, recipient) for recipient in message.recipients]

    def _judge(self, message: Message, recipient: str) -> Answer:
        self.seen[message.serial, recipient] += 1
        count = self.seen[message.serial, recipient]
        if message.truth is Truth.OWN_SPAM:
            return Answer(Told.REFUSED, "spam")
        if count <= self.times:
            return Answer(Told.DEFERRED, f"deferral {count}")
        return Answer(Told.TAKEN)

    async def close(self) -> None:
        self.closed = True


def test_mail_that_is_deferred_comes_back_by_its_schedule() -> None:
    receivers: list[Defers] = []

    def make(scene: Scene) -> Defers:
        receivers.append(Defers(scene))
        return receivers[-1]

    harm = measure(make, "1", VOLUME, SIZES)
    delays = {round(fate.delay_s / fate.message.stretch) for fate in harm.honest_delayed}

    assert receivers[0].closed
    assert {540, 900, 1_200, 1_800, 7_200} == delays  # pool, Postfix, Exchange, Exim, Sendmail
    assert {"deferral 1"} == {fate.why for fate in harm.honest_delayed}
    assert [] == harm.honest_lost


def test_what_is_never_taken_is_lost_and_bots_do_not_come_back() -> None:
    harm = measure(lambda scene: Defers(scene, times=1_000), "1", VOLUME, SIZES)

    assert 200 == len(harm.honest_lost)
    assert 200 == harm.count(Truth.FORGED, Told.DEFERRED)
    assert 0.0 == max(fate.delay_s for fate in harm.of(Truth.FORGED))
    assert 20 == harm.count(Truth.OWN_SPAM, Told.REFUSED)


@dataclass
class IsOfTwoMinds:
    """Refuses a message's first recipient for good, and takes it for the others at the second attempt."""

    scene: Scene
    seen: Counter[int] = field(default_factory=Counter)

    async def judge(self, message: Message, client: Client) -> list[Answer]:
        self.seen[message.serial] += 1
        if self.seen[message.serial] > 1:
            return [Answer(Told.TAKEN) for _ in message.recipients]
        return [Answer(Told.REFUSED, "one"), *(Answer(Told.DEFERRED) for _ in message.others)]

    async def close(self) -> None: ...


def test_of_several_recipients_only_the_deferred_are_tried_again() -> None:
    harm = measure(IsOfTwoMinds, "1", VOLUME, SIZES)
    several = [fate for fate in harm.fates if fate.message.others and fate.message.retries]

    assert {True} == {fate.delay_s > 0 for fate in several}
    assert {Truth.HONEST: {Told.REFUSED}, Truth.OWN_SPAM: {Told.TAKEN}} == {
        truth: {fate.told for fate in several if fate.message.truth is truth}
        for truth in (Truth.HONEST, Truth.OWN_SPAM)
    }


def test_connections_are_laid_at_the_door_of_the_mail_that_raised_them() -> None:
    harm = measure(EximModel, "1", VOLUME, SIZES)

    assert 0 < harm.busiest_innocent <= harm.to_innocents < 220
    assert harm.to_innocents < harm.connections
    assert 0 < harm.refused_at_worst <= harm.refused <= harm.connections
    assert harm.questions > harm.connections


def _ends(harm: Harm) -> list[tuple[int, Told, float]]:
    return [(fate.message.serial, fate.told, fate.delay_s) for fate in harm.fates]


def test_a_seed_reproduces_a_run() -> None:
    first, second = (measure(EximModel, "1", VOLUME, SIZES) for _ in range(2))
    other = measure(EximModel, "2", VOLUME, SIZES)

    assert first == second
    assert _ends(first) != _ends(other)


@pytest.mark.parametrize(
    ("instants", "most"),
    [((), 0), ((5.0,), 1), ((0.0, 3_600.0, 3_601.0), 2), ((9_000.0, 0.0, 9_100.0, 9_001.0), 3)],
)
def test_the_busiest_hour(instants: tuple[float, ...], most: int) -> None:
    assert most == busiest_hour([Burden(at, "") for at in instants])


@pytest.mark.slow
def test_the_model_of_exim_costs_what_exim_was_measured_to_cost() -> None:
    harm = measure(EximModel, "2", Volume(honest=0, own_spam=0))

    # Measured with the real one: 7,819 connections, 6,237 refused recipients, the busiest innocent 1,056.
    assert 7_300 < harm.to_innocents < 8_400
    assert 4_500 < harm.refused < 6_800
    assert 900 < harm.busiest_innocent < 1_200
