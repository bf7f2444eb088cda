"""Conversations with an MTA, packet by packet."""

import struct

import pytest

from ringback.errors import RemoteProtocolError
from ringback.values.query import Client
from ringback.wire.milter import Command, Packet, PacketReader
from ringback.wire.milter_answers import CONTINUE, encode_packet
from ringback.wire.milter_session import (
    MAX_FORGED_HEADERS,
    Envelope,
    MessageEnded,
    MilterSession,
    Move,
    RecipientAsked,
)

ALL_ACTIONS, ALL_STEPS = 0x1FF, 0x1FFFFF
CHANGES, WANTED = 0x111, 0xF73D0  # what we choose of these
CLIENT = Client("192.0.2.1", "mx.shop.example", "helo.shop.example")
ANN = Envelope(CLIENT, "ann@shop.example")


def said(command: Command, octets: bytes = b"") -> Packet:
    return Packet(command, octets)


def options(version: int = 6, actions: int = ALL_ACTIONS, steps: int = ALL_STEPS) -> Packet:
    return said(Command.OPTIONS, struct.pack(">III", version, actions, steps))


CONNECT = said(Command.CONNECT, b"mx.shop.example\x004\0\x19192.0.2.1\0")
HELO = said(Command.HELO, b"helo.shop.example\0")
MAIL = said(Command.MAIL, b"<ann@shop.example>\0SIZE=9\0")
RCPT = said(Command.RCPT, b"<bob@ours.example>\0NOTIFY=NEVER\0")
FORGED = said(Command.HEADER, b"Ringback-RESULT\0 forged\0")
OTHER = said(Command.HEADER, b"Subject\0 test\0")
END = said(Command.END_OF_MESSAGE)
ABORT = said(Command.ABORT)
LOGIN = said(Command.MACRO, b"M{auth_type}\0PLAIN\0{auth_authen}\0ann\0")


def run(session: MilterSession, *packets: Packet) -> list[Move]:
    return [session.take(packet) for packet in packets]


def opened(offer: Packet | None = None) -> MilterSession:
    """A session in which a client has said HELO."""
    session = MilterSession()
    run(session, offer or options(), CONNECT, HELO)
    return session


def within(offer: Packet | None = None) -> MilterSession:
    """A session in a message of Ann's, to one recipient."""
    session = opened(offer)
    run(session, MAIL, RCPT)
    return session


def refusal_of(session: MilterSession, packet: Packet) -> str:
    with pytest.raises(RemoteProtocolError) as caught:
        session.take(packet)
    return str(caught.value)


# What is agreed on.


def test_of_a_full_offer_we_take_what_helps_and_ask_for_the_login() -> None:
    (answer,) = run(MilterSession(), options())
    chosen = struct.pack(">III", 6, CHANGES, WANTED)

    assert encode_packet(b"O", chosen + b"\0\0\0\2{auth_authen} {auth_type}\0") == answer


@pytest.mark.parametrize(
    ("version", "actions", "steps", "chosen"),
    [
        pytest.param(2, 0x3F, 0x7F, (2, 0x11, 0x50), id="Sendmail 8.11"),
        pytest.param(4, 0x3F, 0x3FF, (4, 0x11, 0x3D0), id="Sendmail 8.13"),
        pytest.param(6, 0x1FF, 0x1FFFFF, (6, CHANGES, WANTED), id="Postfix 3"),
        pytest.param(7, 0x1, 0x20, (6, 0x1, 0x20), id="headers cannot be removed"),
        pytest.param(6, 0x10, 0x20, (6, 0x10, 0), id="none can be added"),
        pytest.param(6, 0, 0, (6, 0, 0), id="nothing"),
    ],
)
def test_no_more_is_chosen_than_was_offered(
    version: int, actions: int, steps: int, chosen: tuple[int, int, int]
) -> None:
    (answer,) = run(MilterSession(), options(version, actions, steps))

    assert isinstance(answer, bytes)
    assert chosen == struct.unpack_from(">III", answer, 5)


def test_a_version_of_before_the_flood_is_refused() -> None:
    assert "version 1 of the milter protocol" == refusal_of(MilterSession(), options(version=1))


# What is answered.


def test_where_the_mta_waits_for_nothing_nothing_is_said() -> None:
    session = MilterSession()
    data, end = said(Command.DATA), said(Command.END_OF_HEADERS)
    moves = run(session, options(), CONNECT, HELO, MAIL, RCPT, data, OTHER, end, END, ABORT)

    question, done = RecipientAsked(ANN, "bob@ours.example"), MessageEnded(ANN, 0, True)
    assert [b"", b"", b"", question, b"", b"", b"", done, b""] == moves[1:]


def test_an_old_mta_is_told_to_go_on_at_every_step() -> None:
    session = MilterSession()
    steps = [CONNECT, HELO, said(Command.UNKNOWN), MAIL, RCPT, said(Command.DATA), OTHER]
    steps += [said(Command.END_OF_HEADERS), said(Command.BODY)]
    moves = run(session, options(2, 0x3F, 0), *steps)

    told = [move for move in moves[1:] if not isinstance(move, RecipientAsked)]
    assert [CONTINUE] * 8 == told


def test_macros_aborts_and_quits_are_never_answered() -> None:
    macros = said(Command.MACRO, b"Cj\0mx\0")
    moves = run(within(options(steps=0)), macros, ABORT, said(Command.QUIT_NEW), said(Command.QUIT))

    assert [b"", b"", b"", None] == moves


# Who asks.


@pytest.mark.parametrize(
    ("connect", "client"),
    [
        (b"mx.shop.example\x004\0\x19192.0.2.1\0", Client("192.0.2.1", "mx.shop.example")),
        (b"[192.0.2.1]\x004\0\x19192.0.2.1\0", Client("192.0.2.1")),
        (b"unknown\x006\0\x19IPv6:2001:db8::1\0", Client("2001:db8::1")),
        (b"localhost\0U", Client("", "localhost")),
        (b"localhost\0L\0\0/run/socket\0", Client("", "localhost")),
    ],
)
def test_a_client_has_the_name_that_the_mta_confirmed(connect: bytes, client: Client) -> None:
    session = MilterSession()
    moves = run(session, options(), said(Command.CONNECT, connect), MAIL, RCPT)

    assert RecipientAsked(Envelope(client, "ann@shop.example"), "bob@ours.example") == moves[-1]


@pytest.mark.parametrize(
    ("macros", "authenticated"),
    [
        (b"M{auth_type}\0PLAIN\0{auth_authen}\0ann\0", True),
        (b"M{auth_authen}\0ann\0", True),
        (b"M{auth_type}\0EXTERNAL\0", True),
        (b"M{auth_type}\0\0{auth_authen}\0\0", False),
        (b"M{mail_addr}\0ann@shop.example\0", False),
        (b"C{auth_authen}\0ann\0", False),
    ],
)
def test_a_login_is_known_by_its_macros(macros: bytes, authenticated: bool) -> None:
    (*_, asked) = run(opened(), said(Command.MACRO, macros), MAIL, RCPT)

    assert isinstance(asked, RecipientAsked)
    assert authenticated == asked.envelope.client.authenticated


@pytest.mark.parametrize("between", [[], [ABORT], [HELO]], ids=["MAIL", "ABORT", "HELO"])
def test_a_login_is_told_anew_for_each_message(between: list[Packet]) -> None:
    session = opened()
    (*_, first) = run(session, LOGIN, MAIL, RCPT)
    (*_, second) = run(session, *between, MAIL, RCPT)

    assert isinstance(first, RecipientAsked)
    assert isinstance(second, RecipientAsked)
    assert (True, False) == (
        first.envelope.client.authenticated,
        second.envelope.client.authenticated,
    )


# Several messages.


def test_an_abort_keeps_the_client_and_forgets_the_message() -> None:
    session = within()
    run(session, FORGED, ABORT)
    moves = run(session, said(Command.MAIL, b"<>\0"), RCPT, END)

    bounce = Envelope(CLIENT, "")
    assert [RecipientAsked(bounce, "bob@ours.example"), MessageEnded(bounce, 0, True)] == moves[1:]


def test_the_end_of_a_message_is_as_good_as_an_abort() -> None:
    session = within()
    first = run(session, FORGED, END)[-1]
    second = run(session, MAIL, RCPT, END)[-1]

    assert [MessageEnded(ANN, 1, True), MessageEnded(ANN, 0, True)] == [first, second]
    assert isinstance(first, MessageEnded)
    assert isinstance(second, MessageEnded)
    assert first.envelope is not second.envelope


def test_a_recipient_that_was_refused_does_not_end_the_message() -> None:
    carol = said(Command.RCPT, b"<carol@ours.example>\0")
    moves = run(opened(), MAIL, RCPT, carol, END)

    assert [
        RecipientAsked(ANN, "bob@ours.example"),
        RecipientAsked(ANN, "carol@ours.example"),
        MessageEnded(ANN, 0, True),
    ] == moves[1:]


@pytest.mark.parametrize("restart", [MAIL, HELO, CONNECT], ids=str)
def test_who_begins_anew_has_given_up_what_was_before(restart: Packet) -> None:
    session = within()
    run(session, FORGED, restart, MAIL, RCPT)

    ended = session.take(END)
    assert isinstance(ended, MessageEnded)
    assert 0 == ended.forged


def test_another_client_can_follow_on_the_same_connection() -> None:
    session = within()
    connect = said(Command.CONNECT, b"unknown\x004\0\x19198.51.100.7\0")
    moves = run(session, said(Command.QUIT_NEW), connect, MAIL, RCPT)

    other = Envelope(Client("198.51.100.7"), "ann@shop.example")
    assert [b"", b"", b"", RecipientAsked(other, "bob@ours.example")] == moves


# Headers.


def test_ours_replaces_whatever_bears_its_name() -> None:
    session = within()
    near = said(Command.HEADER, b"Ringback-Results\0 near\0")
    ended = run(session, FORGED, OTHER, FORGED, near, FORGED, END)[-1]

    assert isinstance(ended, MessageEnded)
    packets = [
        encode_packet(b"m", b"\0\0\0\3Ringback-Result\0\0"),
        encode_packet(b"m", b"\0\0\0\2Ringback-Result\0\0"),
        encode_packet(b"m", b"\0\0\0\1Ringback-Result\0\0"),
        encode_packet(b"i", b"\0\0\0\0Ringback-Result\0a;\n\tb\0"),
        CONTINUE,
    ]
    assert b"".join(packets) == ended.encode(("a;", "b"))


def test_what_may_not_be_done_is_not_done() -> None:
    untouched = run(within(options(actions=0, steps=0)), FORGED, END)[-1]
    removed = run(within(options(actions=0x10)), FORGED, END)[-1]
    added = run(within(options(actions=0x1)), FORGED, END)[-1]

    ours = encode_packet(b"i", b"\0\0\0\0Ringback-Result\0a\0")
    removal = encode_packet(b"m", b"\0\0\0\1Ringback-Result\0\0")
    encoded = [
        move.encode(("a",))
        for move in (untouched, removed, added)
        if isinstance(move, MessageEnded)
    ]
    assert [CONTINUE, removal + CONTINUE, ours + CONTINUE] == encoded


def test_more_forged_headers_than_a_message_can_have_are_no_message() -> None:
    session = within()
    run(session, *[FORGED] * MAX_FORGED_HEADERS)

    assert "more than 10000 headers Ringback-Result" == refusal_of(session, FORGED)


# What may not follow what.


@pytest.mark.parametrize(
    ("before", "packet", "why"),
    [
        ([], CONNECT, "CONNECT before the options"),
        ([], ABORT, "ABORT before the options"),
        ([options()], options(), "OPTIONS before a client was named"),
        ([options()], MAIL, "MAIL before a client was named"),
        ([options()], HELO, "HELO before a client was named"),
        ([options(), CONNECT], RCPT, "RCPT outside a message"),
        ([options(), CONNECT], OTHER, "HEADER outside a message"),
        ([options(), CONNECT], END, "END_OF_MESSAGE outside a message"),
        ([options(), CONNECT], options(), "OPTIONS outside a message"),
        ([options(), CONNECT, MAIL], options(), "OPTIONS within a message"),
        ([options(), CONNECT, MAIL, END], RCPT, "RCPT outside a message"),
        ([options(), CONNECT, MAIL, ABORT], END, "END_OF_MESSAGE outside a message"),
        ([options(), CONNECT, said(Command.QUIT_NEW)], MAIL, "MAIL before a client was named"),
    ],
)
def test_what_comes_out_of_turn_is_refused(before: list[Packet], packet: Packet, why: str) -> None:
    session = MilterSession()
    run(session, *before)

    assert why == refusal_of(session, packet)


def test_an_mta_may_leave_at_any_time() -> None:
    leave = said(Command.QUIT)

    for session in (MilterSession(), opened(), within()):
        assert session.take(leave) is None


def test_an_abort_where_there_is_nothing_to_abort_is_none() -> None:
    assert [b"", b"", b""] == run(opened(), ABORT, ABORT, MAIL)


def test_a_conversation_from_its_octets() -> None:
    stream = b"".join(
        encode_packet(packet.command.value, packet.octets)
        for packet in [options(), CONNECT, HELO, LOGIN, MAIL, RCPT, FORGED, END]
    )
    session, reader = MilterSession(), PacketReader()
    moves = [
        session.take(packet)
        for at in range(len(stream))
        for packet in reader.feed(stream[at : at + 1])
    ]

    logged_in = Envelope(
        Client("192.0.2.1", "mx.shop.example", "helo.shop.example", True), "ann@shop.example"
    )
    assert MessageEnded(logged_in, 1, True) == moves[-1]
