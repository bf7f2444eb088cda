"""What hosts are remembered for, and who tries them again."""

import asyncio
from collections.abc import Sequence

import pytest

from fakes import START, FakeClock
from ringback.engine.host_memory import HostMemory
from ringback.engine.pacer import Pacer
from ringback.rules.breakers import REFUSAL_PAUSE_S
from ringback.rules.lessons import Lessons
from ringback.store.memory import MemoryStore
from ringback.values.events import Event, Trouble
from ringback.values.evidence import Exchange, Meaning, Stage
from ringback.values.facts import HostFact
from ringback.values.settings import Budget, Etiquette

IP, DOMAIN, ANN = "192.0.2.1", "shop.example", "ann@shop.example"
REFUSAL = Exchange(
    START,
    Stage.GREETING,
    1,
    "mx.shop.example",
    IP,
    code=554,
    text="no\x1b[2J",
    meaning=Meaning.CLIENT_BLOCKED,
)
ANSWER = Exchange(START, Stage.RCPT, 1, "mx.shop.example", IP, code=250, meaning=Meaning.ACCEPTED)


class Around:
    """A memory with what is around it; `restart` makes another on the same store."""

    def __init__(self) -> None:
        self.clock, self.store = FakeClock(), MemoryStore()
        self.events: list[Event] = []
        self.memory = self.restart()

    def restart(self) -> HostMemory:
        return HostMemory(Etiquette(), self.store, self.clock, Pacer(Budget()), self.events.append)

    @property
    def troubles(self) -> Sequence[Trouble]:
        return [event for event in self.events if isinstance(event, Trouble)]

    async def rests(self, memory: HostMemory | None = None) -> bool:
        memory = memory or self.memory
        return memory.stand(await memory.load(IP, DOMAIN), ANN).finding is not None


async def test_an_alarm_is_raised_once_for_each_opening() -> None:
    around = Around()
    for _ in range(3):
        await around.memory.learn(DOMAIN, [REFUSAL])
    around.clock.advance(REFUSAL_PAUSE_S)

    await around.memory.learn(DOMAIN, [REFUSAL])

    first, second = around.troubles
    assert "breaker" == first.where
    assert "mx.shop.example (192.0.2.1) refuses us: 554 no\\x1b[2J" == first.what
    assert "for 1 h" in first.remedy
    assert "for 2 h" in second.remedy


async def test_what_is_said_of_one_domain_is_told_with_it() -> None:
    around = Around()
    asked = REFUSAL.but(stage=Stage.RCPT, command=f"RCPT TO:<{ANN}>")

    await around.memory.learn(DOMAIN, [asked])

    (alarm,) = around.troubles
    assert "for shop.example" in alarm.what


async def test_a_breaker_outlasts_a_restart() -> None:
    around = Around()
    await around.memory.learn(DOMAIN, [REFUSAL])

    assert await around.rests(around.restart())


async def test_one_trial_at_a_time() -> None:
    around = Around()
    await around.memory.learn(DOMAIN, [REFUSAL])
    around.clock.advance(REFUSAL_PAUSE_S)
    standing = around.memory.stand(await around.memory.load(IP, DOMAIN), ANN)

    around.memory.begin_trial(standing.tries)
    meanwhile = await around.rests()
    around.memory.end_trial(standing.tries)

    assert standing.finding is None
    assert meanwhile
    assert not await around.rests()


async def test_a_trial_that_is_answered_ends_it() -> None:
    around = Around()
    await around.memory.learn(DOMAIN, [REFUSAL])
    around.clock.advance(REFUSAL_PAUSE_S)
    facts = await around.memory.load(IP, DOMAIN)
    lessons = around.memory.lessons(DOMAIN, [ANSWER], facts)

    await around.memory.learn(DOMAIN, [ANSWER])

    assert lessons != Lessons()
    (closed,) = await around.memory.load(IP, DOMAIN)
    assert (HostFact.REFUSES_US, 0) == (closed.kind, closed.strikes)
    assert 1 == len(around.troubles)
    around.clock.advance(24 * REFUSAL_PAUSE_S)
    assert () == await around.memory.load(IP, DOMAIN)


async def test_an_old_one_is_forgotten_by_its_answer() -> None:
    around = Around()
    await around.memory.learn(DOMAIN, [REFUSAL])
    around.clock.advance(30 * REFUSAL_PAUSE_S)

    await around.memory.learn(DOMAIN, [ANSWER])

    assert () == await around.store.load_facts(IP)


async def test_what_is_known_already_teaches_nothing() -> None:
    around = Around()

    await around.memory.learn(DOMAIN, [])
    await around.memory.learn(DOMAIN, [ANSWER])

    assert Lessons() == around.memory.lessons(DOMAIN, [ANSWER], ())
    assert () == await around.store.load_facts(IP)


async def test_domains_that_are_refused_at_the_same_time_are_all_counted() -> None:
    around = Around()
    domains = ("a.example", "b.example", "c.example")

    await asyncio.gather(
        *(
            around.memory.learn(
                domain, [REFUSAL.but(stage=Stage.RCPT, command=f"RCPT TO:<ann@{domain}>")]
            )
            for domain in domains
        )
    )

    assert await around.rests()


@pytest.mark.parametrize("step_s", [REFUSAL_PAUSE_S / 2, -REFUSAL_PAUSE_S / 2])
async def test_a_small_step_of_the_clock_wakes_no_host(step_s: float) -> None:
    around = Around()
    await around.memory.learn(DOMAIN, [REFUSAL])

    around.clock.step(step_s)

    assert await around.rests()


@pytest.mark.parametrize("step_s", [1e9, -1e9])
async def test_after_a_large_one_a_host_is_not_left_alone_for_ever(step_s: float) -> None:
    around = Around()
    await around.memory.learn(DOMAIN, [REFUSAL])

    around.clock.step(step_s)

    assert not await around.rests()
