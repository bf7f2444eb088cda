"""The resolver against the lab's name server, which counts what it is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from door_fakes import until
from ringback.errors import UsageError
from ringback.lab.clock import WallClock
from ringback.lab.dns import DnsServer
from ringback.lab.zone import Behaviour, Node
from ringback.net import resolver
from ringback.net.resolver import DnsResolver
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType

MX, A = RecordType.MX, RecordType.A
SHOP = Node({"MX": ("10 mx.shop.example",), "A": ("192.0.2.1",)})
DEAD = "127.0.0.1:9"


class Hand:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
async def lab() -> AsyncIterator[DnsServer]:
    server = DnsServer({"shop.example": SHOP}, WallClock())
    await server.start()
    yield server
    await server.close()


@pytest.fixture
async def other() -> AsyncIterator[DnsServer]:
    server = DnsServer({"shop.example": SHOP}, WallClock())
    await server.start()
    yield server
    await server.close()


async def test_answer_has_the_records(lab: DnsServer) -> None:
    answer = await DnsResolver([lab.nameserver]).ask("shop.example", MX)

    assert answer.status is DnsStatus.OK
    assert answer.mx == (Mx(10, "mx.shop.example"),)
    assert answer.ttl_s == 300.0


@pytest.mark.parametrize(
    ("behaviour", "status", "detail"),
    [
        (Behaviour.NXDOMAIN, DnsStatus.NXDOMAIN, ""),
        (Behaviour.NODATA, DnsStatus.NODATA, ""),
        (Behaviour.SERVFAIL, DnsStatus.FAILURE, "SERVFAIL"),
        (Behaviour.REFUSED, DnsStatus.FAILURE, "REFUSED"),
    ],
)
async def test_ways_to_have_no_record_are_kept_apart(
    lab: DnsServer, behaviour: Behaviour, status: DnsStatus, detail: str
) -> None:
    lab.zone["shop.example"] = Node(behaviour=behaviour)
    answer = await DnsResolver([lab.nameserver]).ask("shop.example", MX)

    assert answer.status is status
    assert answer.detail == (f"{lab.nameserver}: {detail}" if detail else "")
    assert len(lab.questions) == 1


async def test_servers_that_are_not_there_are_a_failure_at_once() -> None:
    answer = await DnsResolver([DEAD, "127.0.0.2:9"]).ask("shop.example", MX)

    assert answer.detail == "127.0.0.1:9: Connection refused; 127.0.0.2:9: Connection refused"


@pytest.mark.parametrize("behaviour", [Behaviour.SERVFAIL, Behaviour.REFUSED])
async def test_next_server_is_asked_when_one_fails(
    lab: DnsServer, other: DnsServer, behaviour: Behaviour
) -> None:
    lab.zone["shop.example"] = Node(behaviour=behaviour)
    answer = await DnsResolver([DEAD, lab.nameserver, other.nameserver]).ask("shop.example", MX)

    assert answer.status is DnsStatus.OK
    assert len(lab.questions) == 1


@pytest.mark.slow
async def test_next_server_is_asked_when_one_is_silent(lab: DnsServer, other: DnsServer) -> None:
    lab.zone["shop.example"] = Node(behaviour=Behaviour.SILENT)
    answer = await DnsResolver([lab.nameserver, other.nameserver], 2.0).ask("shop.example", MX)

    assert answer.status is DnsStatus.OK


async def test_next_server_is_not_asked_when_one_says_no(lab: DnsServer, other: DnsServer) -> None:
    lab.zone["shop.example"] = Node(behaviour=Behaviour.NXDOMAIN)
    answer = await DnsResolver([lab.nameserver, other.nameserver]).ask("shop.example", MX)

    assert answer.status is DnsStatus.NXDOMAIN
    assert len(other.questions) == 0


async def test_alias_is_followed_by_the_server_or_by_us(lab: DnsServer) -> None:
    lab.zone["alias.example"] = Node(cname="shop.example")
    answer = await DnsResolver([lab.nameserver]).ask("alias.example", MX)

    assert answer.name == "alias.example"
    assert answer.mx == (Mx(10, "mx.shop.example"),)


async def test_loop_of_aliases_is_a_failure(lab: DnsServer) -> None:
    lab.zone["one.example"] = Node(cname="two.example")
    lab.zone["two.example"] = Node(cname="one.example")
    answer = await DnsResolver([lab.nameserver]).ask("one.example", MX)

    assert answer.status is DnsStatus.FAILURE


class Odd(DnsServer):
    """A server that says what `reply` makes of each query, over UDP and TCP."""

    def __init__(self, reply: Callable[[dns.message.Message], bytes | None]) -> None:
        super().__init__({}, WallClock())
        self._reply = reply
        self.heard: list[dns.message.Message] = []

    def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
        query = dns.message.from_wire(wire)
        self.heard.append(query)
        return self._reply(query)


async def ask_odd(odd: Odd, name: str = "one.example") -> DnsAnswer:
    await odd.start()
    try:
        return await DnsResolver([odd.nameserver]).ask(name, MX)
    finally:
        await odd.close()


async def test_silence_is_a_failure_within_the_time_for_one_question(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    loop, hand = asyncio.get_running_loop(), Hand()
    hand.at = loop.time()
    heard: asyncio.Queue[dns.message.Message] = asyncio.Queue()
    odd = Odd(heard.put_nowait)
    await odd.start()
    monkeypatch.setattr(loop, "time", hand)
    asking = DnsResolver([odd.nameserver], 10.0).ask("one.example", MX)
    for try_s in (9.0, 1.0):
        await heard.get()
        hand.at += try_s
    answer = await asking
    await odd.close()

    assert answer.status is DnsStatus.FAILURE
    assert answer.detail == f"{odd.nameserver}: no answer"
    assert len(odd.heard) == 2


def reply_with(query: dns.message.Message, *records: str, rcode: str = "NOERROR") -> bytes:
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.from_text(rcode))
    for record in records:
        owner, ttl_s, _, kind, text = record.split(" ", 4)
        response.answer.append(dns.rrset.from_text(owner, int(ttl_s), "IN", kind, text))
    return response.to_wire()


async def test_alias_that_is_left_to_us_is_followed() -> None:
    def reply(query: dns.message.Message) -> bytes:
        if query.question[0].name.to_text() == "one.example.":
            return reply_with(query, "one.example. 30 IN CNAME two.example.")
        return reply_with(query, "two.example. 300 IN MX 10 mx.example.")

    answer = await ask_odd(Odd(reply))

    assert answer == DnsAnswer(
        "one.example", MX, DnsStatus.OK, mx=(Mx(10, "mx.example"),), ttl_s=30.0
    )


async def test_alias_that_leads_back_holds_as_long_as_the_shortest_of_its_chain() -> None:
    replies = iter(
        [
            "one.example. 300 IN CNAME two.example.",
            "two.example. 30 IN CNAME one.example.",
            "one.example. 300 IN MX 10 mx.example.",
        ]
    )
    answer = await ask_odd(Odd(lambda query: reply_with(query, next(replies))))

    assert answer == DnsAnswer(
        "one.example", MX, DnsStatus.OK, mx=(Mx(10, "mx.example"),), ttl_s=30.0
    )


async def test_aliases_that_are_left_to_us_have_an_end() -> None:
    def reply(query: dns.message.Message) -> bytes:
        name = query.question[0].name.to_text()
        return reply_with(query, f"{name} 30 IN CNAME next.{name}")

    odd = Odd(reply)
    answer = await ask_odd(odd)

    assert (answer.status, answer.detail) == (DnsStatus.FAILURE, "too many aliases")
    assert len(odd.heard) == resolver.MAX_ALIASES


@pytest.mark.parametrize("rcode", ["FORMERR", "NOTIMP"])
async def test_server_that_dislikes_edns_is_asked_without(rcode: str) -> None:
    def reply(query: dns.message.Message) -> bytes:
        if query.edns >= 0:
            return reply_with(query, rcode=rcode)
        return reply_with(query, "one.example. 300 IN MX 10 mx.example.")

    answer = await ask_odd(Odd(reply))

    assert answer.mx == (Mx(10, "mx.example"),)


async def test_server_that_hates_every_query_is_a_failure() -> None:
    odd = Odd(lambda query: reply_with(query, rcode="FORMERR"))
    answer = await ask_odd(odd)

    assert answer.detail == f"{odd.nameserver}: FORMERR"
    assert [query.edns for query in odd.heard] == [0, -1]


async def test_response_that_cannot_be_read_is_a_failure() -> None:
    def reply(query: dns.message.Message) -> bytes:
        return reply_with(query)[:4] + b"\x00\x01\x00\x09\x00\x00\x00\x00junk"

    answer = await ask_odd(Odd(reply))

    assert answer.status is DnsStatus.FAILURE
    assert "not a DNS response" in answer.detail


async def test_server_that_closes_over_tcp_is_a_failure() -> None:
    def reply(query: dns.message.Message) -> bytes:
        response = dns.message.make_response(query)
        response.flags |= dns.flags.TC
        return response.to_wire()

    class Closing(Odd):
        def answer(self, wire: bytes, *, tcp: bool) -> bytes | None:
            if tcp:
                raise ConnectionResetError
            return super().answer(wire, tcp=tcp)

    answer = await ask_odd(Closing(reply))

    assert answer.status is DnsStatus.FAILURE
    assert "closed the connection" in answer.detail


@pytest.mark.parametrize("name", ["", "bücher.example", "x" * 64 + ".example", "a..example"])
async def test_name_that_cannot_exist_is_a_failure_and_no_question(
    lab: DnsServer, name: str
) -> None:
    answer = await DnsResolver([lab.nameserver]).ask(name, MX)

    assert answer.status is DnsStatus.FAILURE
    assert "is no name" in answer.detail
    assert len(lab.questions) == 0


async def test_name_is_absolute_and_its_case_does_not_matter(lab: DnsServer) -> None:
    asker = DnsResolver([lab.nameserver])
    answers = [await asker.ask(name, MX) for name in ("shop.example", "SHOP.example.")]

    assert [answer.name for answer in answers] == ["shop.example"] * 2
    assert len(lab.questions) == 1


async def test_equal_questions_at_once_are_asked_once(lab: DnsServer) -> None:
    asker = DnsResolver([lab.nameserver])
    answers = await asyncio.gather(*[asker.ask("shop.example", MX) for _ in range(50)])

    assert {answer.status for answer in answers} == {DnsStatus.OK}
    assert len(lab.questions) == 1


async def test_asker_who_gives_up_takes_nothing_from_the_others(lab: DnsServer) -> None:
    asker = DnsResolver([lab.nameserver])
    impatient, patient = asker.ask("shop.example", MX), asker.ask("shop.example", MX)
    await asyncio.sleep(0)
    impatient.cancel()

    assert (await patient).status is DnsStatus.OK
    assert impatient.cancelled()


async def test_closed_resolver_asks_no_more(lab: DnsServer) -> None:
    lab.zone["shop.example"] = Node(behaviour=Behaviour.SILENT)
    asker = DnsResolver([lab.nameserver])
    question = asker.ask("shop.example", MX)
    await asker.close()

    # Who waits was not cancelled, and is told so: nobody else would have an answer for the mail.
    assert DnsStatus.FAILURE is (await question).status


async def test_closed_resolver_answers_those_in_line(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_AT_ONCE", 1)
    lab.zone["shop.example"] = Node(behaviour=Behaviour.SILENT)
    asker = DnsResolver([lab.nameserver])
    questions = [asker.ask("shop.example", kind) for kind in (MX, A, MX, A)]
    timer = asker._timer
    await asker.close()

    assert ["nobody asks any more"] * 4 == [(await question).detail for question in questions]
    assert timer is not None
    assert timer.cancelled()


async def test_bug_of_ours_reaches_all_who_wait(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    asker = DnsResolver([lab.nameserver])
    with monkeypatch.context() as broken:
        broken.setattr(resolver, "read_response", break_down)
        questions = [asker.ask("shop.example", MX) for _ in range(2)]
        questions[0].cancel()
        with pytest.raises(ZeroDivisionError):
            await questions[1]

    assert DnsStatus.OK is (await asker.ask("shop.example", MX)).status


async def test_bug_of_ours_is_told_where_nobody_waits(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    told: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.put_nowait(context))
    monkeypatch.setattr(resolver, "read_response", break_down)
    asker = DnsResolver([lab.nameserver])
    asker.ask("shop.example", MX).cancel()

    async with asyncio.timeout(5.0):
        assert isinstance((await told.get())["exception"], ZeroDivisionError)


async def test_question_that_finds_the_line_full_fails_at_once(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_AT_ONCE", 1)
    monkeypatch.setattr(resolver, "MAX_IN_LINE", 1)
    lab.zone.update({f"{name}.example": SHOP for name in "abc"})
    asker = DnsResolver([lab.nameserver])
    questions = [asker.ask(f"{name}.example", MX) for name in "abcb"]

    assert [question.done() for question in questions] == [False, False, True, False]
    assert [(await question).detail for question in questions] == [
        "",
        "",
        "too many questions at once",
        "",
    ]
    assert ["a.example", "b.example"] == [asked.name for asked in lab.questions]
    assert DnsStatus.OK is (await asker.ask("c.example", MX)).status


async def test_question_that_stands_in_line_for_too_long_is_a_failure(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_AT_ONCE", 1)
    monkeypatch.setattr(resolver, "LINE_S", 0.01)
    lab.zone["shop.example"] = Node(behaviour=Behaviour.SILENT)
    asker = DnsResolver([lab.nameserver], 0.05)
    answers = await asyncio.gather(asker.ask("shop.example", MX), asker.ask("shop.example", A))

    assert [f"{lab.nameserver}: no answer", "too many questions at once"] == [
        answer.detail for answer in answers
    ]
    assert {asked.kind for asked in lab.questions} == {"MX"}


async def test_burst_is_worked_off_whatever_it_takes(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_AT_ONCE", 1)
    lab.zone["shop.example"] = Node(behaviour=Behaviour.SILENT)
    lab.zone["club.example"] = SHOP
    asker = DnsResolver([lab.nameserver], 0.05)
    late = asyncio.gather(*[asker.ask("shop.example", kind) for kind in (MX, A)])
    last = await asker.ask("club.example", MX)

    # It stood in line for longer than the name servers have for one question.
    assert DnsStatus.OK is last.status
    assert [DnsStatus.FAILURE] * 2 == [answer.status for answer in await late]


async def test_question_that_nobody_waits_for_leaves_its_place_in_line(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_AT_ONCE", 1)
    monkeypatch.setattr(resolver, "MAX_IN_LINE", 2)
    lab.zone.update({f"{name}.example": SHOP for name in "abcd"})
    asker = DnsResolver([lab.nameserver])
    questions = [asker.ask(f"{name}.example", MX) for name in "abcc"]
    questions[2].cancel()
    await asyncio.sleep(0)
    full = asker.ask("d.example", MX)
    questions[3].cancel()
    await asyncio.sleep(0)
    again = [asker.ask(f"{name}.example", MX) for name in "dc"]
    await asyncio.gather(*questions[:2], again[0])

    assert [question.done() for question in (full, again[1])] == [True, True]
    assert ["a.example", "b.example", "d.example"] == [asked.name for asked in lab.questions]


async def test_question_that_is_given_up_when_its_time_has_come_is_not_asked(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_AT_ONCE", 1)
    asker = DnsResolver([lab.nameserver])
    first, second, third = [asker.ask(f"{name}.example", MX) for name in "abc"]
    (task,) = asker._tasks
    await until(task.done)
    # Who waits learns that he has given up in the next round, and the line moves on in this one.
    second.cancel()
    await asyncio.gather(first, third)

    assert ["a.example", "c.example"] == [asked.name for asked in lab.questions]


async def test_question_in_line_that_nobody_waits_for_is_not_asked(
    lab: DnsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolver, "MAX_AT_ONCE", 1)
    asker = DnsResolver([lab.nameserver])
    questions = [asker.ask(f"{name}.example", MX) for name in "abcb"]
    questions[1].cancel()
    questions[2].cancel()
    await asyncio.gather(questions[0], questions[3])

    assert ["a.example", "b.example"] == [asked.name for asked in lab.questions]


async def test_question_that_was_answered_is_not_put_again_in_its_time(lab: DnsServer) -> None:
    clock = Hand()
    asker = DnsResolver([lab.nameserver], elapsed=clock)
    first = await asker.ask("shop.example", MX)
    clock.at += 299.5
    second = await asker.ask("shop.example", MX)
    asked = len(lab.questions)
    clock.at += 0.5
    await asker.ask("shop.example", MX)

    assert second is first
    assert (asked, len(lab.questions)) == (1, 2)


def test_server_that_is_none_is_a_usage_error() -> None:
    with pytest.raises(UsageError):
        DnsResolver(["ns.example"])
