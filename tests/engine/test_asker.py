"""Machines that ask the DNS, driven, and no further than is decent."""

import asyncio
from collections.abc import Generator

from fakes import FakeResolver
from ringback.engine.asker import MAX_QUESTIONS, Asker
from ringback.rules.asking import Asking
from ringback.values.dns import DnsAnswer, DnsStatus, Question, RecordType


def _ask_often(times: int) -> Asking[list[DnsStatus]]:
    heard: list[DnsStatus] = []
    for number in range(times):
        answer = yield Question(f"n{number}.shop.example", RecordType.TXT)
        heard.append(answer.status)
    return heard


async def test_a_machine_is_sent_what_dns_says() -> None:
    resolver = FakeResolver()
    resolver.say("n0.shop.example", RecordType.TXT, "v=CALLOUT1")

    heard = await Asker(resolver).run(_ask_often(2))

    assert [DnsStatus.OK, DnsStatus.NXDOMAIN] == heard
    assert ["n0.shop.example", "n1.shop.example"] == [name for name, _ in resolver.asked]


async def test_a_machine_that_asks_nothing_concludes_at_once() -> None:
    resolver = FakeResolver()

    assert [] == await Asker(resolver).run(_ask_often(0))
    assert [] == resolver.asked


async def test_all_machines_share_one_allowance() -> None:
    resolver = FakeResolver()
    asker = Asker(resolver)

    await asker.run(_ask_often(MAX_QUESTIONS - 1))
    heard = await asker.run(_ask_often(3))

    assert [DnsStatus.NXDOMAIN, DnsStatus.FAILURE, DnsStatus.FAILURE] == heard
    assert MAX_QUESTIONS == len(resolver.asked) == asker.asked


async def test_past_the_allowance_the_answer_says_why() -> None:
    def one_question() -> Generator[Question, DnsAnswer, str]:
        answer = yield Question("shop.example", RecordType.TXT)
        return answer.detail

    assert "too many" in await Asker(FakeResolver(), MAX_QUESTIONS).run(one_question())


ADDRESSES = ("mx.shop.example", RecordType.A), ("mx.shop.example", RecordType.AAAA)


async def test_each_of_several_questions_is_answered() -> None:
    resolver = FakeResolver()
    resolver.say("mx.shop.example", RecordType.A, "192.0.2.1")
    asker = Asker(resolver)

    answers = await asker.ask_each(*ADDRESSES)

    assert [("192.0.2.1",), ()] == [answer.texts for answer in answers]
    assert 2 == len(resolver.asked) == asker.asked


class Pending:
    """Answers nothing."""

    def __init__(self) -> None:
        self.turns: list[asyncio.Future[DnsAnswer]] = []

    def ask(self, name: str, kind: RecordType) -> asyncio.Future[DnsAnswer]:
        self.turns.append(asyncio.get_running_loop().create_future())
        return self.turns[-1]

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return None

    async def close(self) -> None:
        """Nobody waits."""


async def test_several_are_asked_at_the_same_time_and_given_up_together() -> None:
    resolver = Pending()
    asking = asyncio.create_task(Asker(resolver).ask_each(*ADDRESSES))
    await asyncio.sleep(0)
    at_once = len(resolver.turns)
    asking.cancel()
    await asyncio.wait({asking})

    assert len(ADDRESSES) == at_once
    assert all(turn.cancelled() for turn in resolver.turns)


async def test_the_last_of_the_allowance_goes_to_the_first() -> None:
    resolver = FakeResolver()
    answers = await Asker(resolver, MAX_QUESTIONS - 1).ask_each(*ADDRESSES)

    assert [DnsStatus.NXDOMAIN, DnsStatus.FAILURE] == [answer.status for answer in answers]
    assert [("mx.shop.example", RecordType.A)] == resolver.asked


async def test_when_its_time_is_up_nothing_more_is_asked() -> None:
    resolver = FakeResolver()
    asker = Asker(resolver)
    await asker.ask("shop.example", RecordType.MX)
    asker.until_at = asyncio.get_running_loop().time()
    answers = [
        await asker.ask("mx.shop.example", RecordType.A),
        *await asker.ask_each(*ADDRESSES),
    ]

    assert [("shop.example", RecordType.MX)] == resolver.asked
    assert [DnsStatus.FAILURE] * 3 == [answer.status for answer in answers]
    assert {"the time for this callout was up"} == {answer.detail for answer in answers}
    assert 1 == asker.asked


class Knowing(FakeResolver):
    """Has everything in memory."""

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return DnsAnswer(name, kind, DnsStatus.NODATA)


async def test_what_is_in_memory_is_answered_out_of_the_allowance_too() -> None:
    resolver = Knowing()
    asker = Asker(resolver, MAX_QUESTIONS - 3)

    within = [*await asker.ask_each(*ADDRESSES), await asker.ask(*ADDRESSES[0])]
    beyond = await asker.ask_each(*ADDRESSES)

    assert [DnsStatus.NODATA] * 3 == [answer.status for answer in within]
    assert [] == resolver.asked
    assert [DnsStatus.FAILURE] * 2 == [answer.status for answer in beyond]
    assert MAX_QUESTIONS == asker.asked
