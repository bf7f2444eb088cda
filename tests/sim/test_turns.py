"""Hosts that change their minds, clocks that are set, engines that are replaced: the budgets hold."""

from collections.abc import Iterator
from itertools import chain

import pytest

from ringback.lab.dice import Dice
from ringback.lab.sites import PERSONAS, Land, Manner, Spf
from ringback.lab.traffic import Message
from ringback.lab.zone import Node
from ringback.values.query import Client
from ringback.values.settings import CallWhen

from .stage import HOUR_S, RETRIES, Stage, Turn, add_host, forged, honest, spread

MESSAGES, OVER_S = 800, 6 * HOUR_S
VICTIM, FRIEND = "victim.example", "friend.example"
MODES = [CallWhen.RETRIED, CallWhen.ALWAYS]


def victim(persona: str = "normal") -> Land:
    """A domain that others forge, and one at the same host whose ann writes to us."""
    land = Land()
    (host,) = land.own(VICTIM, Manner(persona), Spf.NONE).hosts
    land.borrowed(FRIEND, host, "mx")
    host.mailboxes = {VICTIM: set(), FRIEND: {"ann"}}
    return land


def mixed(land: Land, seed: str, count: int = MESSAGES) -> Iterator[Message]:
    """Forged mail from everywhere, and twenty honest ones."""
    dice, host = Dice(seed), land.hosts[0]
    own = Client(host.ip, host.name, host.name)
    theirs = [honest(count + n, at, f"ann@{FRIEND}", own) for n, at in spread(20, OVER_S, 60.0)]
    made_up = (
        forged(
            number,
            at,
            f"made-up-{number}@{VICTIM}",
            Client(f"81.{dice.below(40)}.{dice.below(250)}.9", "", "pc"),
            RETRIES,
        )
        for number, at in spread(count, OVER_S)
    )
    yield from sorted(chain(theirs, made_up), key=lambda mail: mail.at)


def becomes(persona: str) -> Turn:
    def turn(stage: Stage) -> None:
        for host in stage.street.hosts.values():
            host.persona = PERSONAS[persona]

    return turn


FLAPPING = (
    ("refuses_us", "normal"),
    ("blocks_us", "accept_all"),
    ("blocks_us_at_rcpt", "normal"),
    ("greylisting_451", "normal", "greylisting"),
    ("trouble_at_rcpt", "refuses_us", "refuses_bounces", "normal"),
)


@pytest.mark.slow
@pytest.mark.parametrize("every_s", [20.0, 600.0, 4_000.0])
@pytest.mark.parametrize("personas", FLAPPING)
def test_a_host_that_refuses_us_now_and_then(personas: tuple[str, ...], every_s: float) -> None:
    land = victim()
    turns = [(at, becomes(personas[n % len(personas)])) for n, at in flapping(every_s)]
    stage = Stage(land, CallWhen.ALWAYS).play(mixed(land, "flapping", 400), turns)

    assert [] == stage.excesses(related=[FRIEND])
    assert [] == stage.ends.lost
    assert len(land.hosts[0].connections) > 0


def flapping(every_s: float) -> Iterator[tuple[int, float]]:
    return spread(int(OVER_S / every_s), OVER_S)


@pytest.mark.slow
def test_a_host_that_refuses_us_at_rcpt_for_hundreds_of_domains() -> None:
    land = Land()
    add_host(land, "mx.victim.example", "62.1.2.3", "blocks_us_at_rcpt")
    for number in range(300):
        land.zone[f"d{number}.example"] = Node({"MX": ("10 mx.victim.example",)})
    land.hosts[0].mailboxes = {f"d{number}.example": set[str]() for number in range(300)}
    mail = (
        forged(n, at, f"made-up-{n}@d{n % 300}.example", Client("81.0.0.1", "", "pc"), RETRIES)
        for n, at in spread(MESSAGES, OVER_S)
    )
    stage = Stage(land, CallWhen.ALWAYS).play(mail)

    assert [] == stage.excesses()
    # Three domains open its breaker, and each trial after its pause shuts it again.
    assert len(land.hosts[0].connections) < 12


@pytest.mark.slow
@pytest.mark.parametrize("window_s", [2.0, 60.0, 3 * 86_400.0])
def test_greylisting_of_seconds_and_of_days(window_s: float) -> None:
    land = victim("greylisting")
    persona = PERSONAS["greylisting"]
    rules = {
        step: tuple(
            rule if not rule.greylist_s else type(rule)(greylist_s=window_s, say="450 4.2.0 Later")
            for rule in of_step
        )
        for step, of_step in persona.rules.items()
    }
    land.hosts[0].persona = type(persona)("greylisting", "", persona.offers, persona.strict, rules)
    stage = Stage(land, CallWhen.ALWAYS).play(mixed(land, "greylisting"))

    assert [] == stage.excesses(related=[FRIEND])
    assert [] == stage.ends.lost


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_a_wall_clock_that_is_set_at_random(seed: str, mode: CallWhen) -> None:
    land, dice = victim("has_them_all"), Dice(f"steps/{seed}")

    def step(by_s: float) -> Turn:
        return lambda stage: stage.clock.step(by_s)

    moments = sorted(dice.draw() * OVER_S for _ in range(40))
    turns = [(at, step(dice.between(-8 * HOUR_S, 8 * HOUR_S))) for at in moments]
    stage = Stage(land, mode).play(mixed(land, seed), turns)

    assert [] == stage.excesses(related=[FRIEND])
    assert [] == stage.ends.lost
    assert len(stage.street.asked) > 0


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_engines_that_take_over_from_each_other(mode: CallWhen) -> None:
    land, dice = victim("has_them_all_slowly"), Dice("reloads")
    moments = sorted(dice.draw() * OVER_S for _ in range(200))
    stage = Stage(land, mode).play(mixed(land, "reloads"), [(at, Stage.reload) for at in moments])

    assert [] == stage.excesses(related=[FRIEND])
    assert [] == stage.ends.lost
    assert len(stage.street.asked) > 0
