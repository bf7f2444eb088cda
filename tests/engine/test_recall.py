"""What answers without a callout: entries that are old enough to be asked again, and facts."""

import pytest

from fakes import START, FakeOutside
from ringback.engine.recall import Recall
from ringback.rules.freshness import Entry
from ringback.values.address import parse_address
from ringback.values.evidence import About, Exchange, Meaning, Stage
from ringback.values.facts import DomainFact, Fact
from ringback.values.query import Purpose, Query
from ringback.values.verdict import Reason

DAY_S = 86_400.0
BOB = parse_address("bob@ours.example")


class Memory:
    """A Recall on a store, and what it wanted asked again."""

    def __init__(self, world: FakeOutside) -> None:
        self.world, self.again = world, list[Query]()
        self.recall = Recall(world.settings(), world.store, world.clock, self.again.append)

    def keep(self, key: str, reason: Reason, age_s: float) -> None:
        at = START - age_s
        self.world.store.save(Entry(key, reason, True, "a rule", at, at + 90 * DAY_S))

    async def said(self, purpose: Purpose, *, fresh: bool = False) -> Reason | None:
        report, _ = await self.recall.look_up(Query(BOB.key, purpose, fresh=fresh), BOB)
        return report.reason if report else None


@pytest.mark.parametrize(
    ("purpose", "key", "again"),
    [(Purpose.SENDER, "bob@ours.example", 1), (Purpose.RECIPIENT, "to:bob@ours.example", 0)],
)
async def test_an_ageing_entry_answers_for_a_sender_only(
    world: FakeOutside, purpose: Purpose, key: str, again: int
) -> None:
    memory = Memory(world)
    memory.keep(key, Reason.ACCEPTED, 8 * DAY_S)

    said = await memory.said(purpose)

    assert said is (Reason.ACCEPTED if purpose is Purpose.SENDER else None)
    assert again == len(memory.again)


@pytest.mark.parametrize("purpose", [Purpose.SENDER, Purpose.RECIPIENT])
async def test_a_fact_about_the_domain_answers_and_is_sampled(
    world: FakeOutside, purpose: Purpose
) -> None:
    subject = "ours.example" if purpose is Purpose.SENDER else "to:ours.example"
    shown = Exchange(0.0, Stage.RCPT, about=About.CONTROL, code=250, meaning=Meaning.ACCEPTED)
    at = START - 8 * DAY_S
    memory = Memory(world)
    world.store.save_fact(Fact(subject, DomainFact.ACCEPTS_ANY, at, START + DAY_S, (shown,)))

    assert Reason.ACCEPTS_ANY is await memory.said(purpose)
    assert [purpose] == [query.purpose for query in memory.again]
    other = Purpose.RECIPIENT if purpose is Purpose.SENDER else Purpose.SENDER
    assert await memory.said(other) is None


async def test_who_wants_it_fresh_gets_nothing_old(world: FakeOutside) -> None:
    memory = Memory(world)
    memory.keep("to:bob@ours.example", Reason.ACCEPTED, 0.0)

    assert await memory.said(Purpose.RECIPIENT, fresh=True) is None
    assert Reason.ACCEPTED is await memory.said(Purpose.RECIPIENT)
