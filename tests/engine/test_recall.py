"""What answers without a callout: entries that are old enough to be asked again, and facts."""

import pytest

from fakes import START, FakeOutside
from ringback.engine.recall import FACT_REST_S, MAX_RESTING, Recall
from ringback.rules.freshness import Entry
from ringback.values.address import Address, parse_address
from ringback.values.evidence import About, Exchange, Meaning, Stage
from ringback.values.facts import DomainFact, Fact
from ringback.values.query import Purpose, Query
from ringback.values.verdict import Reason

DAY_S = 86_400.0
BOB = parse_address("bob@ours.example")
SHOWN = Exchange(0.0, Stage.RCPT, about=About.CONTROL, code=250, meaning=Meaning.ACCEPTED)


class Memory:
    """A Recall on a store, and what it wanted asked again."""

    def __init__(self, world: FakeOutside) -> None:
        self.world, self.again = world, list[Query]()
        self.recall = Recall(world.settings(), world.store, world.clock, self.again.append)

    def keep(self, key: str, reason: Reason, age_s: float) -> None:
        at = START - age_s
        self.world.store.save(Entry(key, reason, True, "a rule", at, at + 90 * DAY_S))

    def know(self, *domains: str) -> None:
        """Have every address of `domains` be accepted, as was seen so long ago that it is to be sampled."""
        at = START - 8 * DAY_S
        for domain in domains:
            fact = Fact(domain, DomainFact.ACCEPTS_ANY, at, START + 80 * DAY_S, (SHOWN,))
            self.world.store.save_fact(fact)

    async def said(
        self, purpose: Purpose, *, fresh: bool = False, of: Address = BOB
    ) -> Reason | None:
        report, _ = await self.recall.look_up(Query(of.key, purpose, fresh=fresh), of)
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
    memory = Memory(world)
    memory.know(subject)

    assert Reason.ACCEPTS_ANY is await memory.said(purpose)
    assert [purpose] == [query.purpose for query in memory.again]
    other = Purpose.RECIPIENT if purpose is Purpose.SENDER else Purpose.SENDER
    assert await memory.said(other) is None


async def test_a_fact_is_sampled_once_and_then_rests_whatever_came_of_it(
    world: FakeOutside,
) -> None:
    memory = Memory(world)
    memory.know("ours.example", "shop.example")
    for name in (f"forged{n}@{domain}.example" for n in range(50) for domain in ("ours", "shop")):
        await memory.said(Purpose.SENDER, of=parse_address(name))

    assert ["forged0@ours.example", "forged0@shop.example"] == [one.address for one in memory.again]

    world.clock.advance(FACT_REST_S)
    await memory.said(Purpose.SENDER)

    assert "bob@ours.example" == memory.again[-1].address


async def test_a_clock_that_steps_back_prolongs_no_rest(world: FakeOutside) -> None:
    memory = Memory(world)
    memory.know("ours.example")
    await memory.said(Purpose.SENDER)
    world.clock.step(-1.0)
    await memory.said(Purpose.SENDER)

    assert 2 == len(memory.again)


async def test_domains_that_find_too_many_at_rest_are_sampled_later(world: FakeOutside) -> None:
    memory = Memory(world)
    domains = [f"d{n}.example" for n in range(MAX_RESTING + 2)]
    memory.know(*domains)
    for domain in domains:
        assert Reason.ACCEPTS_ANY is await memory.said(
            Purpose.SENDER, of=parse_address(f"ann@{domain}")
        )

    assert MAX_RESTING == len(memory.again)

    world.clock.advance(FACT_REST_S)
    await memory.said(Purpose.SENDER, of=parse_address(f"ann@{domains[-1]}"))

    assert MAX_RESTING + 1 == len(memory.again)


async def test_what_is_asked_again_has_nothing_asked_again(world: FakeOutside) -> None:
    memory = Memory(world)
    memory.know("ours.example")
    await memory.said(Purpose.SENDER)
    memory.keep("bob@ours.example", Reason.ACCEPTED, 8 * DAY_S)
    await memory.said(Purpose.SENDER)
    world.clock.advance(2 * FACT_REST_S)
    for again in list(memory.again):
        await memory.recall.look_up(again, BOB)

    assert 2 == len(memory.again)


async def test_who_wants_it_fresh_gets_nothing_old(world: FakeOutside) -> None:
    memory = Memory(world)
    memory.keep("to:bob@ours.example", Reason.ACCEPTED, 0.0)

    assert await memory.said(Purpose.RECIPIENT, fresh=True) is None
    assert Reason.ACCEPTED is await memory.said(Purpose.RECIPIENT)


@pytest.mark.parametrize(
    ("age_s", "fresh", "expected"),
    [(DAY_S, False, Reason.ACCEPTED), (DAY_S, True, None), (8 * DAY_S, False, None)],
)
def test_at_hand_is_only_what_is_fresh_and_is_not_wanted_fresher(
    world: FakeOutside, age_s: float, fresh: bool, expected: Reason | None
) -> None:
    memory = Memory(world)
    memory.keep(BOB.key, Reason.ACCEPTED, age_s)
    report = memory.recall.at_hand(Query(BOB.key, fresh=fresh), BOB)

    assert expected == (report.reason if report else None)
    assert [] == memory.again


def test_what_is_at_hand_is_told_of_the_address_as_it_was_asked_about(world: FakeOutside) -> None:
    memory = Memory(world)
    memory.keep(BOB.key, Reason.ACCEPTED, 0.0)
    report = memory.recall.at_hand(Query("bob@OURS.example"), BOB)

    assert "bob@OURS.example" == (report.address if report else None)


def test_what_is_not_in_memory_is_not_at_hand(world: FakeOutside) -> None:
    assert Memory(world).recall.at_hand(Query(BOB.key), BOB) is None
