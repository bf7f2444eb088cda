"""Several plans in one conversation: what each is told, and who is asked for at all."""

import asyncio
from collections.abc import Sequence

import pytest

from fakes import Visitors
from ringback.engine.chain import Chain
from ringback.engine.session import Guest
from ringback.rules.conclude import conclude
from ringback.values.evidence import About, Exchange, Fault, Stage
from ringback.values.settings import TlsPolicy
from ringback.values.verdict import Reason
from ringback.wire.probe import Probe

ANN, BOB, EVE = "ann@shop.example", "bob@shop.example", "eve@club.example"
HELLO = "220 mx\r\n"
RESET = "250 reset\r\n"
EHLO, PIPELINING = "250 mx\r\n", "250-mx\r\n250 PIPELINING\r\n"
OK, NO = "250 2.1.0 Ok\r\n", "550 5.1.1 No such user\r\n"


class Talk:
    """A chain of visits, and what a host says to it."""

    def __init__(self, visitors: Visitors, *people: str, allowed: int | None = None) -> None:
        self.refused = 0
        loop = asyncio.get_running_loop()
        self.walks = [visitors.walk(person) for person in people]
        self.guests = [
            Guest(visitors.visit(walk, host=f"mx{number}"), loop.create_future(), Guest.settle)
            for number, walk in enumerate(self.walks)
        ]
        for number, walk in enumerate(self.walks):
            walk.connections = 7 + number
        self.chain = Chain(self.guests, allowed, self._note)
        first = self.guests[0].visit
        self.probe = Probe(first.endpoint, 7, "verify.example.net", TlsPolicy.NEVER, self.chain)
        self.commands: list[str] = []

    def _note(self, ip: str) -> None:
        self.refused += 1

    def hear(self, *replies: str, lost: Fault | None = None) -> None:
        """Have the host say this, and the connection end."""
        self.probe.connected(0.0)
        for reply in replies:
            out = self.probe.receive(reply.encode(), 0.0)
            self.commands += out.decode().split("\r\n")[:-1]
        if lost:
            self.probe.lose(lost, "gone", 0.0)
        self.chain.end(self.probe.transcript)

    @property
    def recipients(self) -> list[str]:
        return [said[9:-1] for said in self.commands if said.startswith("RCPT")]

    @property
    def reasons(self) -> list[Reason]:
        return [conclude(walk.evidence).reason for walk in self.walks]

    def evidence(self, number: int) -> Sequence[Exchange]:
        return self.walks[number].evidence


async def test_each_is_told_the_start_and_what_was_asked_for_it(visitors: Visitors) -> None:
    talk = Talk(visitors, ANN, EVE)

    talk.hear(HELLO, EHLO, OK, NO, RESET, OK, NO, "221 bye\r\n")

    assert [ANN, EVE] == talk.recipients
    assert [Reason.NO_SUCH_MAILBOX] * 2 == talk.reasons
    assert [Stage.CONNECT, Stage.GREETING, Stage.EHLO] == [
        said.stage for said in talk.evidence(1)[:3]
    ]
    assert {(8, "mx1.club.example", About.ADDRESS)} == {
        (said.connection, said.host, said.about) for said in talk.evidence(1)
    }
    assert {(7, "mx0.shop.example")} == {(it.connection, it.host) for it in talk.evidence(0)}
    assert talk.guests[0].is_gone, "it need not wait for the end"
    assert talk.guests == talk.chain.served


async def test_a_refused_flight_of_commands_answers_all_without_its_void_replies(
    visitors: Visitors,
) -> None:
    talk = Talk(visitors, ANN, EVE)

    talk.hear(HELLO, PIPELINING, "550 5.7.1 Your IP is blocked\r\n503 what?\r\n", "221 bye\r\n")

    assert [Reason.REFUSES_US] * 2 == talk.reasons
    assert Stage.RCPT not in {said.stage for said in talk.evidence(1)}
    assert [] == talk.chain.not_served


async def test_what_breaks_in_the_turn_of_the_first_is_nothing_to_the_next(
    visitors: Visitors,
) -> None:
    talk = Talk(visitors, ANN, EVE)

    talk.hear(HELLO, EHLO, OK, lost=Fault.TIMEOUT)

    assert talk.guests[1:] == talk.chain.not_served
    assert [] == talk.evidence(1)


async def test_nothing_said_answers_nobody_but_the_first(visitors: Visitors) -> None:
    talk = Talk(visitors, ANN, EVE)

    talk.chain.end(())

    assert talk.guests[1:] == talk.chain.not_served


async def test_what_breaks_in_a_later_turn_may_be_for_those_before_it(visitors: Visitors) -> None:
    talk = Talk(visitors, ANN, BOB, EVE)

    talk.hear(HELLO, EHLO, OK, NO, RESET, OK, "421 4.7.0 Too many errors\r\n")

    assert talk.guests[1:] == talk.chain.not_served
    assert [] == talk.evidence(1)


@pytest.mark.parametrize(
    "replies",
    [
        ("500 RSET?\r\n",),
        (RESET, "450 4.7.1 One transaction a session, please\r\n"),
        (RESET, OK, "452 4.5.3 Too many recipients\r\n"),
    ],
)
async def test_that_a_session_is_limited_is_no_word_about_who_comes_second(
    visitors: Visitors, replies: tuple[str, ...]
) -> None:
    talk = Talk(visitors, ANN, EVE)

    talk.hear(HELLO, EHLO, OK, NO, *replies, "221 bye\r\n")

    assert talk.guests[1:] == talk.chain.not_served
    assert talk.guests[:1] == talk.chain.served


async def test_who_has_left_is_passed_over(visitors: Visitors) -> None:
    talk = Talk(visitors, ANN, BOB, EVE)
    talk.guests[1].ended.cancel()

    talk.hear(HELLO, EHLO, OK, NO, RESET, OK, NO, "221 bye\r\n")

    assert [ANN, EVE] == talk.recipients


async def test_after_as_many_refusals_as_are_allowed_nothing_more_is_asked(
    visitors: Visitors,
) -> None:
    talk = Talk(visitors, ANN, BOB, EVE, allowed=2)

    talk.hear(HELLO, EHLO, OK, NO, RESET, OK, NO, "221 bye\r\n")

    assert [ANN, BOB] == talk.recipients
    assert 2 == talk.refused
    assert talk.guests[2:] == talk.chain.not_served


async def test_a_host_that_had_enough_is_asked_nothing_more(visitors: Visitors) -> None:
    talk = Talk(visitors, ANN, EVE)

    talk.hear(HELLO, EHLO, OK, "450 4.7.1 Rate limit exceeded\r\n", "221 bye\r\n")

    assert [ANN] == talk.recipients
    assert talk.guests[1:] == talk.chain.not_served
