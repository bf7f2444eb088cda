"""The milter door, with a connection, an engine and a clock that do as they are told."""

import asyncio
import struct
from collections import Counter
from collections.abc import Callable

import pytest

from door_fakes import NOON, FakeConnection, FakeVerifier, Verdict, until
from ringback.doors.all_doors import MILTER_LIMITS
from ringback.doors.milter_server import Limits, MilterServer
from ringback.errors import StoreError
from ringback.lab.clock import HandClock
from ringback.net.descriptors import raise_limit
from ringback.net.listen import listen
from ringback.values.events import Decided, DoorClosed, Event, Trouble
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import Mode, Policy, Recipient, RecipientRoute, Settings, Smtp
from ringback.values.verdict import Reason
from ringback.wire.milter_answers import CONTINUE, encode_packet

ENFORCE = Settings(policy=Policy(mode=Mode.ENFORCE))
OPEN = b"".join(
    [
        encode_packet(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF)),
        encode_packet(b"C", b"mx.shop.example\x004\0\x19198.51.100.7\0"),
        encode_packet(b"H", b"helo.shop.example\0"),
    ]
)
END = encode_packet(b"E")
ABORT = encode_packet(b"A")
QUIT = encode_packet(b"Q")
FORGED = encode_packet(b"L", b"Ringback-Result\0 forged\0")
LOGIN = encode_packet(b"D", b"M{auth_type}\0PLAIN\0{auth_authen}\0ann\0")


def mail(sender: str) -> bytes:
    return encode_packet(b"M", f"<{sender}>\0SIZE=100\0".encode())


def rcpt(recipient: str = "bob@ours.example") -> bytes:
    return encode_packet(b"R", f"<{recipient}>\0".encode())


def letters(octets: bytes) -> str:
    """The letters of packets, in order."""
    return "".join(letter for letter, _ in packets(octets))


def packets(octets: bytes) -> list[tuple[str, bytes]]:
    found = []
    while octets:
        (length,) = struct.unpack_from(">I", octets)
        found.append((octets[4:5].decode(), octets[5 : 4 + length]))
        octets = octets[4 + length :]
    return found


def results(octets: bytes) -> list[str]:
    """The headers that were put on messages, unfolded."""
    values = [held[20:-1].decode() for letter, held in packets(octets) if letter == "i"]
    return [" ".join(value.split()) for value in values]


def replies(octets: bytes) -> list[str]:
    return [held[:-1].decode() for letter, held in packets(octets) if letter == "y"]


class World:
    """A milter with fakes around it."""

    def __init__(
        self, settings: Settings = ENFORCE, limits: Limits | None = None, **verdicts: Verdict
    ) -> None:
        self.verifier = FakeVerifier(**verdicts)
        self.events: list[Event] = []
        self.server = MilterServer(
            self.verifier,
            HandClock(NOON),
            self.events.append,
            settings=settings,
            limits=limits,
        )

    async def told(self, *pieces: bytes) -> bytes:
        """Return what was said after the options were agreed on."""
        connection = FakeConnection(*pieces)
        await self.server.serve(connection)
        said = b"".join(connection.written)
        return said[4 + struct.unpack_from(">I", said)[0] :] if said else b""

    def decided(self) -> list[Decided]:
        return [event for event in self.events if isinstance(event, Decided)]

    def troubles(self) -> list[str]:
        return [event.what for event in self.events if isinstance(event, Trouble)]

    def closed(self) -> list[str]:
        return [event.why for event in self.events if isinstance(event, DoorClosed)]


def report(reason: Reason, **known: object) -> Callable[[Query], Report]:
    return lambda query: Report(query.address, reason, True, NOON, "a rule", **known)  # type: ignore[arg-type]


# One message.


async def test_a_good_sender_goes_on_and_the_message_says_so() -> None:
    said = await World().told(OPEN + mail("ann@shop.example") + rcpt() + END + QUIT)

    assert "cic" == letters(said)
    assert [
        "verify.example.net; sender=deliverable reason=accepted action=pass mode=enforce"
    ] == results(said)


async def test_a_bad_sender_is_refused_at_each_recipient() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)
    said = await world.told(OPEN + mail("nobody@shop.example") + rcpt() + rcpt("eve@ours.example"))

    assert "yy" == letters(said)
    assert all(reply.startswith("550 5.1.7 sender <nobody@") for reply in replies(said))
    assert 1 == len(world.verifier.queries)
    assert 2 == len(world.decided())


async def test_what_may_be_settled_later_is_deferred_now() -> None:
    said = await World(grey=Reason.GREYLISTED).told(OPEN + mail("grey@shop.example") + rcpt())

    (reply,) = replies(said)
    assert reply.startswith("450 4.1.7 sender <grey@shop.example> cannot be verified now")


async def test_a_percent_sign_is_doubled_as_the_mta_expects() -> None:
    world = World()
    world.verifier.verdicts["50%off"] = Reason.NO_SUCH_MAILBOX
    said = await world.told(OPEN + mail("50%off@shop.example") + rcpt())

    assert b"<50%%off@shop.example>" in said


async def test_the_question_carries_client_recipient_and_patience() -> None:
    world = World()
    await world.told(OPEN + mail("ann@shop.example") + rcpt())

    client = Client("198.51.100.7", "mx.shop.example", "helo.shop.example")
    assert [
        Query("ann@shop.example", Purpose.SENDER, client, "bob@ours.example", NOON + 10.0)
    ] == world.verifier.queries


async def test_a_login_is_passed_on() -> None:
    world = World()
    await world.told(OPEN + LOGIN + mail("ann@shop.example") + rcpt())

    (query,) = world.verifier.queries
    assert query.client is not None
    assert query.client.authenticated


async def test_a_name_without_a_domain_raises_no_question() -> None:
    world = World()
    said = await world.told(OPEN + mail("root") + rcpt() + END)

    assert "cic" == letters(said)
    assert ["verify.example.net; none"] == results(said)
    assert [] == world.events


async def test_a_bounce_is_a_question_like_any_other() -> None:
    world = World()
    await world.told(OPEN + mail("") + rcpt())

    assert [""] == [query.address for query in world.verifier.queries]


async def test_forged_headers_go_and_ours_comes() -> None:
    said = await World().told(OPEN + mail("ann@shop.example") + rcpt() + FORGED * 3 + END)

    assert "cmmmic" == letters(said)


async def test_one_octet_at_a_time_is_as_good_as_all_at_once() -> None:
    stream = OPEN + mail("nobody@shop.example") + rcpt() + ABORT
    stream += mail("ann@shop.example") + rcpt() + FORGED + END + QUIT
    whole = await World(nobody=Reason.NO_SUCH_MAILBOX).told(stream)
    trickled = await World(nobody=Reason.NO_SUCH_MAILBOX).told(
        *[stream[at : at + 1] for at in range(len(stream))]
    )

    assert "ycmic" == letters(whole)
    assert whole == trickled


# Observing.


async def test_observing_tells_nothing_and_the_header_says_what_was_concluded() -> None:
    world = World(Settings(), nobody=Reason.NO_SUCH_MAILBOX)
    said = await world.told(OPEN + mail("nobody@shop.example") + rcpt() + FORGED + END)

    assert "cmic" == letters(said)
    assert [
        "verify.example.net; sender=undeliverable reason=no_such_mailbox action=refuse mode=observe"
    ] == results(said)
    assert ["DUNNO"] == [event.told for event in world.decided()]


# Several recipients.


async def test_a_gate_that_is_about_the_recipient_is_asked_for_each() -> None:
    def gate(query: Query) -> Report:
        if query.recipient == "new@ours.example":
            return report(Reason.NOT_ASKED, gate="retried")(query)
        return report(Reason.ACCEPTED)(query)

    world = World(ann=gate)
    to = [rcpt("new@ours.example"), rcpt(), rcpt("eve@ours.example"), rcpt("new@ours.example")]
    said = await world.told(OPEN + mail("ann@shop.example") + b"".join(to) + END)

    # What was learned of the sender holds for those who come after.
    assert "ycccic" == letters(said)
    assert ["new@ours.example", "bob@ours.example"] == [
        query.recipient for query in world.verifier.queries
    ]
    assert ["sender=deliverable"] == [result.split()[1] for result in results(said)]


async def test_each_recipient_has_a_memory_of_its_own() -> None:
    world = World(grey=Reason.GREYLISTED)
    once = OPEN + mail("grey@shop.example") + rcpt() + rcpt("eve@ours.example") + ABORT
    first = await world.told(once)
    world.verifier.patience["198.51.100.7", "grey@shop.example", "eve@ours.example"] = 1
    second = await world.told(once + mail("grey@shop.example") + rcpt() + END)

    assert ("yy", "cycic") == (letters(first), letters(second))
    assert [
        "verify.example.net; sender=unknown reason=greylisted action=pass mode=enforce"
    ] == results(second)


async def test_the_strictest_conclusion_of_those_who_got_it_is_told() -> None:
    def gate(query: Query) -> Report:
        put_off = query.recipient == "new@ours.example"
        return report(Reason.NOT_ASKED, gate="retried" if put_off else "unaligned")(query)

    to = rcpt() + rcpt("new@ours.example") + rcpt("eve@ours.example")
    said = await World(Settings(), ann=gate).told(OPEN + mail("ann@shop.example") + to + END)

    assert [
        "verify.example.net; sender=unknown reason=not_asked gate=retried action=defer mode=observe"
    ] == results(said)


# Several messages.


async def test_nothing_of_one_message_gets_into_the_next() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)
    said = await world.told(
        OPEN
        + (LOGIN + mail("ann@shop.example") + rcpt() + FORGED + ABORT)
        + (mail("nobody@shop.example") + rcpt() + ABORT)
        + (mail("ann@shop.example") + rcpt() + END)
        + (mail("root") + rcpt() + END)
    )

    assert "cycic" + "cic" == letters(said)
    assert ["sender=deliverable", "none"] == [result.split()[1] for result in results(said)]
    assert [True, False, False] == [
        query.client.authenticated for query in world.verifier.queries if query.client
    ]


async def test_a_message_to_nobody_has_nothing_concluded() -> None:
    said = await World().told(OPEN + mail("ann@shop.example") + END)

    assert ["verify.example.net; none"] == results(said)


async def test_what_became_known_meanwhile_is_told_at_the_end() -> None:
    world = World(ann=report(Reason.DEADLINE, settled=True))
    reading = [OPEN + mail("ann@shop.example") + rcpt(), END + QUIT]
    connection = FakeConnection(*reading)

    async def learn() -> None:
        await until(lambda: bool(world.decided()))
        world.verifier.verdicts["ann"] = Reason.ACCEPTED

    await asyncio.gather(learn(), world.server.serve(connection))

    assert [
        "verify.example.net; sender=deliverable reason=accepted action=pass mode=enforce"
    ] == results(b"".join(connection.written))
    assert [NOON + 10, NOON] == [query.answer_by_at for query in world.verifier.queries]
    assert 1 == len(world.decided())


async def test_what_is_still_open_at_the_end_is_told_as_such() -> None:
    world = World(ann=report(Reason.DEADLINE, settled=True))
    said = await world.told(OPEN + mail("ann@shop.example") + rcpt() + END)

    assert [
        "verify.example.net; sender=unknown reason=deadline action=pass mode=enforce"
    ] == results(said)


async def test_a_failure_at_the_end_leaves_what_was_found() -> None:
    world = World(ann=report(Reason.DEADLINE, settled=True))
    connection = FakeConnection(OPEN + mail("ann@shop.example") + rcpt(), END + QUIT)

    async def fail() -> None:
        await until(lambda: bool(world.decided()))
        world.verifier.verdicts["ann"] = StoreError("the disk is full")

    await asyncio.gather(fail(), world.server.serve(connection))

    assert ["reason=deadline"] == [
        result.split()[2] for result in results(b"".join(connection.written))
    ]
    assert ["the disk is full"] == world.troubles()


# A reload.


async def test_the_next_question_goes_to_the_new_engine() -> None:
    world = World(nobody=Reason.NO_SUCH_MAILBOX)
    pieces = [OPEN + mail("nobody@shop.example") + rcpt(), ABORT + mail("nobody@shop.example")]
    connection = FakeConnection(*pieces, rcpt() + END + QUIT)

    async def reload() -> None:
        await until(lambda: len(world.decided()) == 1)
        world.server.adopt(FakeVerifier(), Settings())

    await asyncio.gather(reload(), world.server.serve(connection))

    said = b"".join(connection.written)
    assert "Oycic" == letters(said)
    assert ["mode=observe"] == [result.split()[-1] for result in results(said)]


# MTAs that break the protocol, and those that go.


@pytest.mark.parametrize(
    ("garbage", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", "not a packet of the milter protocol"),
        (b"\xff\xff\xff\xffB", "BODY of 4294967295 bytes, where at most 1049600 are read"),
        (rcpt(), "RCPT outside a message"),
        (encode_packet(b"M", b"no end"), "a string without its end"),
        (b"\0\0\0", "the input ends within a packet"),
        (b"\0\0\0\x0fM<ann@", "the input ends within a packet"),
    ],
)
async def test_garbage_ends_the_connection_after_what_was_good(garbage: bytes, why: str) -> None:
    world = World()

    said = await world.told(OPEN + mail("ann@shop.example") + rcpt() + ABORT + garbage)
    assert CONTINUE == said
    assert [why] == world.closed()


async def test_half_a_packet_and_silence_ends_the_connection() -> None:
    world = World(limits=Limits(half_packet_s=0.01))
    await world.server.serve(FakeConnection(OPEN + b"\0\0", silent_at_end=True))

    assert ["a packet that is not whole after 0.01 s"] == world.closed()


async def test_nothing_is_read_after_quit() -> None:
    world = World()
    connection = FakeConnection(OPEN + QUIT + b"garbage", rcpt())
    await world.server.serve(connection)

    assert (1, []) == (connection.reads, world.events)


async def test_an_mta_that_goes_in_the_middle_is_nobodys_trouble() -> None:
    world = World()
    await world.told(OPEN + mail("ann@shop.example") + rcpt())

    assert [] == world.closed()
    assert [] == world.troubles()


async def test_an_idle_connection_is_kept_as_long_as_a_message_takes() -> None:
    connection = FakeConnection(OPEN, silent_at_end=True)
    await World(limits=Limits(idle_s=0.01)).server.serve(connection)

    assert [0.01, 0.01] == connection.patience
    assert Limits().idle_s >= 7_200


async def test_a_connection_that_takes_no_answers_ends_with_its_error() -> None:
    with pytest.raises(ConnectionResetError):
        await World().server.serve(FakeConnection(OPEN, deaf=True))


async def test_one_mta_does_not_wait_for_another() -> None:
    slow = asyncio.Event()
    world = World(slow=slow)
    waiting = FakeConnection(OPEN + mail("slow@shop.example") + rcpt())
    serving = asyncio.create_task(world.server.serve(waiting))
    await until(lambda: world.verifier.under_way == 1)
    said = await world.told(OPEN + mail("ann@shop.example") + rcpt())

    assert CONTINUE == said
    assert "O" == letters(b"".join(waiting.written))
    slow.set()
    await serving
    assert "Oc" == letters(b"".join(waiting.written))


# Failures of ours.


@pytest.mark.parametrize("error", [StoreError("the disk is full"), KeyError("x")])
async def test_our_failure_lets_the_mail_pass(error: Exception) -> None:
    world = World(cursed=error)
    said = await world.told(OPEN + mail("cursed@shop.example") + rcpt() + FORGED + END)

    assert "cmic" == letters(said)
    assert ["verify.example.net; none"] == results(said)
    assert 1 == len(world.troubles())


async def test_an_engine_that_is_stuck_is_not_waited_for() -> None:
    settings = Settings(policy=Policy(mode=Mode.ENFORCE), smtp=Smtp(answer_within_s=1.0))
    world = World(settings, Limits(grace_s=-0.99), stuck=asyncio.Event())

    assert CONTINUE == await world.told(OPEN + mail("stuck@shop.example") + rcpt())
    assert ["no verdict within 0.01 s"] == world.troubles()


# Recipients with a route.

ROUTED = ENFORCE.but(recipient=Recipient(route=(RecipientRoute("ours.example", ("10.0.0.1",)),)))


async def test_an_unknown_recipient_is_refused_and_no_sender_is_bothered() -> None:
    world = World(ROUTED, x=Reason.NO_SUCH_MAILBOX)
    said = await world.told(
        OPEN + mail("ann@shop.example") + rcpt("x@ours.example") + rcpt() + END + QUIT
    )

    assert "ycic" == letters(said)
    assert replies(said)[0].startswith("550 5.1.1 recipient <x@ours.example>")
    refused, *rest = world.verifier.queries
    assert "ann@shop.example" == refused.sender
    assert [Purpose.RECIPIENT, Purpose.SENDER] == [query.purpose for query in rest]


async def test_of_two_answers_the_stricter_one_is_told() -> None:
    world = World(ROUTED, later=Reason.DEADLINE, nobody=Reason.NO_SUCH_MAILBOX)
    said = await world.told(
        OPEN
        + mail("ann@shop.example")
        + rcpt("later@ours.example")
        + ABORT
        + mail("nobody@shop.example")
        + rcpt("later@ours.example")
        + QUIT
    )

    deferred, refused = replies(said)
    assert deferred.startswith("450 4.1.1 recipient <later@ours.example>")
    assert refused.startswith("550 5.1.7 sender <nobody@shop.example>")


async def test_a_bounce_to_an_unknown_recipient_is_refused() -> None:
    said = await World(ROUTED, x=Reason.NO_SUCH_MAILBOX).told(
        OPEN + mail("") + rcpt("x@ours.example") + QUIT
    )

    assert "y" == letters(said)


# Many at once, over real sockets.

THOUSANDS = 3_000  # an MTA may hold a connection for each of its own


async def read_packet(reader: asyncio.StreamReader) -> bytes:
    (length,) = struct.unpack(">I", await reader.readexactly(4))
    return await reader.readexactly(length)


@pytest.mark.slow
async def test_thousands_of_connections_at_once_each_get_their_answer() -> None:
    raise_limit()
    world = World(nobody=Reason.NO_SUCH_MAILBOX)
    listener = await listen(
        "127.0.0.1:0", world.server.serve, MILTER_LIMITS, sink=world.events.append
    )
    host, _, port = listener.address.rpartition(":")
    dialling, all_in = asyncio.Semaphore(100), asyncio.Barrier(THOUSANDS)

    async def told(sender: str) -> str:
        async with dialling:
            reader, writer = await asyncio.open_connection(host, int(port))
            writer.write(OPEN)
            await read_packet(reader)
        await all_in.wait()
        writer.write(mail(sender) + rcpt() + QUIT)
        said = await reader.read()
        writer.close()
        return letters(said)

    async with asyncio.timeout(60):
        said = await asyncio.gather(
            *(told("ann@shop.example") for _ in range(THOUSANDS // 2)),
            *(told("nobody@shop.example") for _ in range(THOUSANDS // 2)),
        )
    await listener.stop(0.0)

    assert {"c": THOUSANDS // 2, "y": THOUSANDS // 2} == Counter(said)
    assert [] == world.closed() + world.troubles()
