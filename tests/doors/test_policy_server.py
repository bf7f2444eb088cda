"""The policy door, with a connection, a verifier and a clock that do as they are told."""

import asyncio

import pytest

from door_fakes import NOON, AttendedConnection, FakeVerifier, turns, until
from ringback.doors.policy_server import PolicyServer
from ringback.doors.policy_session import Limits
from ringback.errors import StoreError
from ringback.lab.clock import HandClock
from ringback.values.events import Decided, DoorClosed, Event, Trouble
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import (
    DeferOrAccept,
    Etiquette,
    Mode,
    Policy,
    Recipient,
    RecipientRoute,
    Settings,
    Smtp,
)
from ringback.values.verdict import Reason
from ringback.wire.policy import PolicyRequest

MINUTE = 60.0
DUNNO = b"action=DUNNO\n\n"
ENFORCE = Settings(policy=Policy(mode=Mode.ENFORCE))


def asked(sender: str, state: str = "RCPT", **attributes: str) -> bytes:
    named = {
        "request": "smtpd_access_policy",
        "protocol_state": state,
        "client_address": "198.51.100.7",
        "client_name": "unknown",
        "helo_name": "mail.shop.example",
        "sender": sender,
        "recipient": "bob@ours.example",
        **attributes,
    }
    return "".join(f"{name}={value}\n" for name, value in named.items()).encode() + b"\n"


class World:
    """A policy server with fakes around it."""

    def __init__(
        self,
        settings: Settings = ENFORCE,
        limits: Limits | None = None,
        **verdicts: Reason | Exception | asyncio.Event,
    ) -> None:
        self.verifier = FakeVerifier(**verdicts)
        self.clock = HandClock(NOON)
        self.events: list[Event] = []
        self.server = PolicyServer(
            self.verifier, self.clock, self.events.append, settings=settings, limits=limits
        )

    async def told(self, *pieces: bytes) -> bytes:
        connection = AttendedConnection(*pieces)
        await connection.served(self.server.serve)
        return b"".join(connection.written)

    def decided(self) -> list[Decided]:
        return [event for event in self.events if isinstance(event, Decided)]

    def troubles(self) -> list[Trouble]:
        return [event for event in self.events if isinstance(event, Trouble)]

    def closed(self) -> list[str]:
        return [event.why for event in self.events if isinstance(event, DoorClosed)]


async def test_a_good_sender_is_no_news_and_a_bad_one_is_refused() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)

    said = await world.told(asked("ann@shop.example") + asked("nobody@shop.example"))

    good, bad, rest = said.split(b"\n\n")
    assert good == b"action=DUNNO"
    assert bad.startswith(b"action=550 5.1.7 sender <nobody@shop.example> does not exist")
    assert rest == b""


async def test_the_question_carries_client_recipient_and_patience() -> None:
    world = World()
    await world.told(asked("ann@shop.example"))

    client = Client("198.51.100.7", name="", helo="mail.shop.example")
    assert world.verifier.queries == [
        Query("ann@shop.example", Purpose.SENDER, client, "bob@ours.example", NOON + 10.0)
    ]


async def test_a_confirmed_name_and_a_login_are_passed_on() -> None:
    world = World()
    await world.told(
        asked("ann@shop.example", client_name="mail.shop.example", sasl_username="ann")
        + asked("ann@shop.example", sasl_method="EXTERNAL")
    )

    first, second = [query.client for query in world.verifier.queries]
    assert first == Client("198.51.100.7", "mail.shop.example", "mail.shop.example", True)
    assert second is not None
    assert second.authenticated


async def test_one_event_a_decision() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)
    await world.told(asked("nobody@shop.example"))

    (event,) = world.events
    assert isinstance(event, Decided)
    assert (event.door, event.purpose, event.client) == ("policy", "sender", "198.51.100.7")
    assert event.address == "nobody@shop.example"
    assert event.action.startswith("550 5.1.7 ")
    assert event.told == event.action
    assert event.report.reason is Reason.NO_SUCH_MAILBOX


async def test_observing_computes_everything_and_says_nothing() -> None:
    world = World(Settings(), nobody=Reason.NO_SUCH_MAILBOX, grey=Reason.GREYLISTED)

    said = await world.told(asked("nobody@shop.example") + asked("grey@shop.example"))

    assert said == DUNNO * 2
    assert [event.told for event in world.decided()] == ["DUNNO", "DUNNO"]
    assert [event.action.split(" ")[0] for event in world.decided()] == ["550", "DEFER_IF_PERMIT"]


@pytest.mark.parametrize("state", ["CONNECT", "HELO", "DATA", "END-OF-MESSAGE", "VRFY", "ETRN", ""])
async def test_other_stages_raise_no_question(state: str) -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)

    assert await world.told(asked("nobody@shop.example", state)) == DUNNO
    assert world.verifier.queries == []
    assert world.events == []


async def test_mail_is_answered_before_there_is_a_recipient() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)

    said = await world.told(asked("nobody@shop.example", "MAIL", recipient=""))

    assert said.startswith(b"action=550 ")
    assert world.verifier.queries[0].recipient == ""


async def test_one_octet_at_a_time_is_as_good_as_all_at_once() -> None:
    stream = asked("nobody@shop.example") + asked("ann@shop.example")
    whole = await World(nobody=Reason.NO_SUCH_MAILBOX).told(stream)
    trickled = await World(nobody=Reason.NO_SUCH_MAILBOX).told(
        *[stream[at : at + 1] for at in range(len(stream))]
    )

    assert whole == trickled


async def test_what_an_old_client_sends_beyond_utf8_is_answered_too() -> None:
    world = World(Settings(policy=Policy(mode=Mode.ENFORCE)))
    raw = asked("ann@shop.example").replace(b"ann@", b"j\xf6rg@")

    assert await world.told(raw + asked("ann@shop.example")) == DUNNO * 2


async def test_after_a_reload_another_engine_answers() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)
    world.server.adopt(FakeVerifier(), ENFORCE)

    assert await world.told(asked("nobody@shop.example")) == DUNNO


# Pipelining.


async def test_pipelined_requests_are_worked_on_together_and_answered_in_order() -> None:
    slow = asyncio.Event()
    world = World(slow=slow, nobody=Reason.NO_SUCH_MAILBOX)
    connection = AttendedConnection(asked("slow@shop.example") + asked("nobody@shop.example"))
    serving = asyncio.create_task(connection.served(world.server.serve))
    await until(lambda: len(world.decided()) == 1)

    assert connection.written == []
    slow.set()
    await serving
    assert [answer[:10] for answer in connection.written] == [b"action=DUN", b"action=550"]


async def test_only_so_many_are_worked_on_and_then_reading_stops() -> None:
    slow = asyncio.Event()
    world = World(limits=Limits(in_flight=3), slow=slow)
    connection = AttendedConnection(*[asked("slow@shop.example")] * 9)
    serving = asyncio.create_task(connection.served(world.server.serve))
    await until(lambda: world.verifier.under_way == 3)
    await turns()

    assert (world.verifier.under_way, connection.reads) == (3, 3)
    slow.set()
    await serving
    assert connection.written == [DUNNO] * 9
    assert world.verifier.most_under_way == 3


async def test_at_the_end_of_input_what_is_pending_is_answered() -> None:
    slow = asyncio.Event()
    world = World(slow=slow)
    connection = AttendedConnection(asked("slow@shop.example"))
    serving = asyncio.create_task(connection.served(world.server.serve))
    await until(lambda: connection.reads == 2)
    slow.set()
    await serving

    assert connection.written == [DUNNO]
    assert world.closed() == []


# Clients that break the protocol.


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        (b"request=" + b"x" * 100_000 + b"\n\n", "line exceeds 8192 bytes"),
        (b"sender=\0\n\n", "NUL byte in a request"),
        (b"sender=ann@shop.example\n\n", "no request= in a request"),
        (b"GET / HTTP/1.1\r\n\r\n", "not a line of name=value"),
        (b"request=smtpd_access_policy\nsender=", "the input ends within a request"),
    ],
)
async def test_a_bad_request_is_answered_by_closing_after_the_good_ones(
    garbage: bytes, why: str
) -> None:
    world = World()

    assert await world.told(asked("ann@shop.example") + garbage) == DUNNO
    assert world.closed() == [why]


async def test_nothing_after_garbage_is_read() -> None:
    world = World()
    connection = AttendedConnection(b"garbage\n", asked("ann@shop.example"))
    await connection.served(world.server.serve)

    assert connection.reads == 1
    assert connection.written == []
    assert world.events == [DoorClosed("policy", "127.0.0.1:4711", "not a line of name=value")]


async def test_garbage_behind_a_good_request_does_not_wait_for_more_input() -> None:
    world = World()
    connection = AttendedConnection(asked("ann@shop.example") + b"garbage\n", silent_at_end=True)
    await connection.served(world.server.serve)

    assert connection.reads == 1
    assert connection.written == [DUNNO]


async def test_half_a_request_and_silence_ends_the_connection() -> None:
    world = World(limits=Limits(half_request_s=0.01))
    connection = AttendedConnection(asked("ann@shop.example") + b"request=", silent_at_end=True)
    await connection.served(world.server.serve)

    assert connection.written == [DUNNO]
    assert world.closed() == ["a request that is not whole after 0.01 s"]


async def test_who_drips_does_not_win_time() -> None:
    world = World(limits=Limits(half_request_s=0.02))
    connection = AttendedConnection(silent_at_end=True)
    serving = asyncio.create_task(connection.served(world.server.serve))
    await asyncio.sleep(0)
    drops = 0
    while not world.closed():
        drops += 1
        connection.arrive(b"x" if drops % 2_000 else b"=\n")
        await asyncio.sleep(0)
    await serving

    assert world.closed() == ["a request that is not whole after 0.02 s"]


async def test_an_idle_connection_is_kept_and_then_let_go_without_a_word() -> None:
    world = World(limits=Limits(idle_s=0.01))
    connection = AttendedConnection(asked("ann@shop.example"), silent_at_end=True)
    await connection.served(world.server.serve)

    assert connection.written == [DUNNO]
    assert world.closed() == []


def test_idle_connections_are_kept_as_long_as_promised() -> None:
    assert Limits().idle_s >= 600


async def test_a_client_that_went_away_is_nobodys_trouble() -> None:
    slow = asyncio.Event()
    world = World(slow=slow)
    requests = asked("ann@shop.example") + asked("slow@shop.example")
    connection = AttendedConnection(requests, silent_at_end=True, deaf=True)
    await connection.served(world.server.serve)

    assert world.verifier.under_way == 0
    assert world.troubles() == []


async def test_one_client_does_not_disturb_another() -> None:
    world = World()
    good = AttendedConnection(*[asked("ann@shop.example")] * 3)
    bad = [
        AttendedConnection(b"\0\n"),
        AttendedConnection(b"x" * 10_000),
        AttendedConnection(b"request="),
    ]
    async with asyncio.TaskGroup() as tasks:
        for connection in [*bad, good]:
            tasks.create_task(connection.served(world.server.serve))

    assert good.written == [DUNNO] * 3
    assert len(world.closed()) == 3


# Deferrals, and their end.


async def test_a_mail_that_was_deferred_often_enough_is_let_through() -> None:
    world = World(grey=Reason.GREYLISTED)
    said = [await world.told(asked("grey@shop.example")) for _ in range(3)]

    assert said[0].startswith(b"action=DEFER_IF_PERMIT 4.1.7 ")
    assert said[1:] == [DUNNO, DUNNO]
    assert [event.action[:5] for event in world.decided()] == ["DEFER", "DUNNO", "DUNNO"]
    assert set(world.verifier.deferrals) == {
        ("198.51.100.7", "grey@shop.example", "bob@ours.example")
    }


@pytest.mark.parametrize(
    ("on_deadline", "start"),
    [(DeferOrAccept.DEFER, b"action=DEFER_IF_PERMIT 4.1.7 "), (DeferOrAccept.ACCEPT, DUNNO)],
)
async def test_a_late_verdict_is_answered_as_the_settings_say(
    on_deadline: DeferOrAccept, start: bytes
) -> None:
    etiquette = Etiquette(on_deadline=on_deadline)
    world = World(
        Settings(policy=Policy(mode=Mode.ENFORCE), etiquette=etiquette), late=Reason.DEADLINE
    )

    assert (await world.told(asked("late@shop.example"))).startswith(start)


# Failures of ours.


@pytest.mark.parametrize(
    ("error", "what", "traced"),
    [
        (StoreError("the disk is full"), "the disk is full", False),
        (KeyError("x"), "KeyError('x')", True),
        (RuntimeError("never\nmind"), r"RuntimeError('never\nmind')", True),
    ],
)
async def test_our_failure_lets_the_mail_pass_and_keeps_the_connection(
    error: Exception, what: str, traced: bool
) -> None:
    world = World(cursed=error, nobody=Reason.NO_SUCH_MAILBOX)

    said = await world.told(asked("cursed@shop.example") + asked("nobody@shop.example"))

    assert said.startswith(DUNNO + b"action=550 ")
    (trouble,) = world.troubles()
    assert (trouble.where, trouble.what) == ("policy", what)
    assert ("Traceback" in trouble.trace) is traced


async def test_without_a_memory_of_deferrals_nobody_is_deferred() -> None:
    world = World(grey=Reason.GREYLISTED)
    world.verifier.store_failure = StoreError("the store is gone")

    assert await world.told(asked("grey@shop.example")) == DUNNO
    assert [trouble.what for trouble in world.troubles()] == ["the store is gone"]


async def test_a_verifier_that_is_stuck_is_not_waited_for() -> None:
    settings = Settings(policy=Policy(mode=Mode.ENFORCE), smtp=Smtp(answer_within_s=1.0))
    world = World(settings, Limits(grace_s=-0.99), stuck=asyncio.Event())

    assert await world.told(asked("stuck@shop.example") + asked("ann@shop.example")) == DUNNO * 2
    assert [trouble.what for trouble in world.troubles()] == ["no verdict within 0.01 s"]


# Recipients with a route.

ROUTED = ENFORCE.but(recipient=Recipient(route=(RecipientRoute("ours.example", ("10.0.0.1",)),)))


async def test_the_recipient_is_asked_for_first_and_then_the_sender() -> None:
    world = World(ROUTED)
    await world.told(asked("ann@shop.example"))

    recipient, sender = world.verifier.queries
    assert ("bob@ours.example", Purpose.RECIPIENT) == (recipient.address, recipient.purpose)
    assert "ann@shop.example" == recipient.sender == sender.address


async def test_for_a_refused_recipient_no_sender_is_bothered() -> None:
    world = World(ROUTED, bob=Reason.NO_SUCH_MAILBOX)

    assert (await world.told(asked("ann@shop.example"))).startswith(b"action=550 5.1.1 recipient")
    assert 1 == len(world.verifier.queries)


async def test_the_stricter_answer_holds_and_of_equals_the_recipients() -> None:
    world = World(ROUTED, bob=Reason.DEADLINE, nobody=Reason.NO_SUCH_MAILBOX, late=Reason.DEADLINE)

    said = await world.told(asked("nobody@shop.example") + asked("late@shop.example"))

    refused, deferred, _ = said.split(b"\n\n")
    assert refused.startswith(b"action=550 5.1.7 sender")
    assert deferred.startswith(b"action=DEFER 4.1.1 recipient")


async def test_a_failure_of_ours_has_the_mail_of_a_recipient_come_back() -> None:
    world = World(ROUTED, bob=ValueError("a bug"))

    assert (await world.told(asked("ann@shop.example"))).startswith(b"action=DEFER 4.1.1 recipient")


async def test_while_observing_a_failure_says_nothing_either() -> None:
    world = World(Settings(recipient=ROUTED.recipient), bob=ValueError("a bug"))

    assert DUNNO == await world.told(asked("ann@shop.example"))


async def test_a_recipient_without_a_route_raises_no_question() -> None:
    world = World(ROUTED)
    await world.told(asked("ann@shop.example", recipient="bob@other.example"))

    assert [Purpose.SENDER] == [query.purpose for query in world.verifier.queries]


def at_hand(world: World, sender: str, reason: Reason) -> None:
    world.verifier.at_hand[sender] = Report(sender, reason, True, NOON, "a rule")


async def test_what_is_at_hand_is_answered_without_waiting() -> None:
    world = World()
    at_hand(world, "nobody@shop.example", Reason.NO_SUCH_MAILBOX)

    said = await world.told(asked("nobody@shop.example") * 40)

    assert 40 == said.count(b"action=550 5.1.7")
    assert 40 == len(world.decided())
    assert [] == world.verifier.queries


async def test_what_is_at_hand_does_not_overtake_what_is_not() -> None:
    may_answer = asyncio.Event()
    world = World(slow=may_answer, nobody=Reason.NO_SUCH_MAILBOX)
    at_hand(world, "nobody@shop.example", Reason.NO_SUCH_MAILBOX)
    nobody = asked("nobody@shop.example")
    connection = AttendedConnection(nobody, asked("slow@shop.example") + nobody, nobody)
    serving = asyncio.create_task(connection.served(world.server.serve))
    await turns()
    assert 1 == len(connection.written)
    may_answer.set()
    await serving

    assert [b"550", b"DUN", b"550", b"550"] == [told[7:10] for told in connection.written]


async def test_where_two_are_asked_about_none_is_judged_twice() -> None:
    world = World(ROUTED)
    at_hand(world, "ann@shop.example", Reason.ACCEPTED)
    at_hand(world, "bob@ours.example", Reason.ACCEPTED)
    await world.told(asked("ann@shop.example"))

    assert ["bob@ours.example", "ann@shop.example"] == [it.address for it in world.decided()]


async def test_one_request_can_be_answered_without_a_connection() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)
    request = PolicyRequest(protocol_state="RCPT", sender="nobody@shop.example")

    assert (await world.server.answer(request)).startswith(b"action=550 ")
