"""Hosts over real connections: how bytes leave, how connections end, what is recorded."""

import asyncio
import ssl

import aiosmtplib
import pytest

from ringback.lab import mx as mx_module
from ringback.lab.caller import calling
from ringback.lab.clock import HandClock
from ringback.lab.mx import Door, Host
from ringback.lab.personas import Persona, Step, load_personas, parse_personas
from ringback.lab.record import Ending
from ringback.lab.tls import throwaway_context
from ringback.lab.world import has_address

SHIPPED = load_personas()
START = ("EHLO probe.example", "MAIL FROM:<>")
ANN = "RCPT TO:<ann@mx.example>"


def host(
    persona: str | Persona,
    clock: HandClock | None = None,
    *,
    tls: ssl.SSLContext | None = None,
    door: Door = Door.OPEN,
    ip: str = "127.0.0.1",
) -> Host:
    chosen = SHIPPED[persona] if isinstance(persona, str) else persona
    mailboxes = {"mx.example": {"ann", "bob"}}
    return Host("mx.example", ip, chosen, mailboxes, clock or HandClock(), tls=tls, door=door)


def made(toml: str) -> Persona:
    return parse_personas(f"[mine]\n{toml}", "mine", SHIPPED)["mine"]


async def test_a_session_is_recorded_as_it_was() -> None:
    clock = HandClock(start_at=1_000.0)
    async with host("normal", clock) as mx:
        async with calling(mx.ip, mx.port) as caller:
            await caller.hear()
            await caller.ask(*START)
            clock.advance(2)
            await caller.ask(ANN, "RCPT TO:<nobody@mx.example>", "QUIT")
        await mx.wait_ended()
        session = mx.sessions[0]

    assert ("EHLO", "MAIL", "RCPT", "RCPT", "QUIT") == session.verbs
    assert ("ann@mx.example", "nobody@mx.example") == session.recipients
    assert [1_000.0, 1_000.0, 1_002.0, 1_002.0, 1_002.0] == [said.at for said in session.heard]
    assert "250 2.1.5 Ok\r\n" == session.heard[2].answer
    assert "220 mx.example ESMTP\r\n" == session.greeting
    assert session.received.startswith(b"EHLO probe.example\r\nMAIL FROM:<>\r\n")
    assert Ending.QUIT is session.ending
    assert "127.0.0.1" == session.client


async def test_an_independent_client_delivers_a_message() -> None:
    async with host("normal") as mx:
        async with aiosmtplib.SMTP(hostname=mx.ip, port=mx.port, start_tls=False) as client:
            await client.sendmail("x@y.example", ["ann@mx.example"], b"Subject: hi\r\n\r\n.hi\r\n")
        await mx.wait_ended()

        assert ("EHLO", "MAIL", "RCPT", "DATA", "QUIT") == mx.sessions[0].verbs


async def test_commands_in_one_flight_are_answered_in_order_and_noted() -> None:
    async with host("normal") as mx, calling(mx.ip, mx.port) as caller:
        await caller.hear()
        await caller.ask("EHLO probe.example")
        caller.say("MAIL FROM:<>", ANN, "RCPT TO:<nobody@mx.example>", "QUIT")
        replies = [await caller.hear() for _ in range(4)]

        assert ["250", "250", "550", "221"] == [reply[:3] for reply in replies]
        assert [False, False, True, True, True] == [said.pipelined for said in mx.sessions[0].heard]


async def test_a_flight_is_punished_where_pipelining_is_not_offered() -> None:
    async with host("punishes_pipelining") as mx, calling(mx.ip, mx.port) as caller:
        await caller.hear()
        offered = await caller.ask("EHLO probe.example")
        caller.say("MAIL FROM:<>", ANN)
        replies = [await caller.hear() for _ in range(2)]

    assert "PIPELINING" not in offered[0]
    assert ["250", "503"] == [reply[:3] for reply in replies]


@pytest.mark.parametrize(
    ("persona", "lines", "heard"),
    [
        ("closes", (), 0),
        ("resets", (), 0),
        ("busy", (), 1),
        ("closes_at_ehlo", START[:1], 1),
        ("closes_at_mail", START, 2),
        ("closes_at_rcpt", (*START, ANN), 3),
        ("resets_at_rcpt", (*START, ANN), 3),
        ("busy_at_rcpt", (*START, ANN), 4),
        ("closes_at_quit", ("QUIT",), 1),
    ],
)
async def test_hosts_hang_up_at_any_stage(persona: str, lines: tuple[str, ...], heard: int) -> None:
    async with host(persona) as mx, calling(mx.ip, mx.port) as caller:
        replies = []
        try:
            replies.append(await caller.hear())
            for line in lines:
                replies += await caller.ask(line)
            replies.append(await caller.hear())
        except ConnectionResetError:
            assert persona.startswith("resets")

        assert heard == sum(reply != "" for reply in replies)


@pytest.mark.parametrize(
    ("persona", "step"),
    [("silent", None), ("silent_at_ehlo", Step.EHLO), ("silent_at_rcpt", Step.RCPT)],
)
async def test_a_silent_host_stays_and_goes_on_listening(persona: str, step: Step | None) -> None:
    async with host(persona) as mx:
        async with calling(mx.ip, mx.port) as caller:
            if step:
                await caller.hear()
            if step is Step.RCPT:
                await caller.ask(*START)
            caller.say("EHLO x" if step is not Step.RCPT else ANN)
            if step:
                await mx.wait_heard(step)
            caller.say("AND MORE")
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(caller.hear(), 0.02)
        await mx.wait_ended()

        assert Ending.PEER_LEFT is mx.sessions[0].ending
        assert b"AND MORE" in mx.sessions[0].received


async def test_bytes_drip_as_the_clock_says() -> None:
    clock = HandClock()
    async with host("tarpit", clock) as mx, calling(mx.ip, mx.port) as caller:
        heard = b""
        for _ in range(3):
            heard += await caller.reader.readexactly(1)
            await clock.wait_asleep()
            clock.advance(1)

    assert b"220" == heard


async def test_a_reply_in_pieces_arrives_whole() -> None:
    async with host("pieces") as mx, calling(mx.ip, mx.port) as caller:
        greeting = await caller.hear()
        replies = await caller.ask(*START, ANN)

    assert "220 mx.example ESMTP" == greeting
    assert ["250-mx.", "250 2.1", "250 2.1"] == [reply[:7] for reply in replies]


async def test_lines_may_come_one_by_one() -> None:
    clock = HandClock()
    persona = made('greeting = { say = "220 one\\ntwo", manner = "lines", every_s = 5 }')
    async with host(persona, clock) as mx, calling(mx.ip, mx.port) as caller:
        first = await caller.reader.readline()
        await clock.wait_asleep()
        clock.advance(5)
        second = await caller.reader.readline()

    assert (b"220-one\r\n", b"220 two\r\n") == (first, second)


async def test_an_endless_reply_has_no_end() -> None:
    clock = HandClock()
    async with host("endless_lines", clock) as mx, calling(mx.ip, mx.port) as caller:
        await caller.hear()
        await caller.ask(*START)
        caller.say(ANN)
        lines = []
        for _ in range(5):
            lines.append(await caller.reader.readline())
            await clock.wait_asleep()
            clock.advance(1)

    assert {b"250-2.1.5 and\r\n"} == set(lines)


async def test_a_flood_ends_when_the_caller_goes() -> None:
    async with host("flood") as mx:
        async with calling(mx.ip, mx.port) as caller:
            taken = await caller.reader.readexactly(500_000)
        await mx.wait_ended()

    assert {b"220-welcome"} == set(taken.split(b"\r\n")[:-1])
    assert Ending.PEER_LEFT is mx.sessions[0].ending


async def test_a_reply_waits_for_the_clock() -> None:
    clock = HandClock()
    async with host("slow", clock) as mx, calling(mx.ip, mx.port) as caller:
        await clock.wait_asleep()
        caller.say("EHLO early.example")
        clock.advance(5)
        greeting = await caller.hear()

    assert "220 mx.example ESMTP" == greeting


async def test_a_reply_waits_for_the_test() -> None:
    async with host("normal") as mx, calling(mx.ip, mx.port) as caller:
        gate = mx.hold(Step.RCPT)
        await caller.hear()
        await caller.ask(*START)
        caller.say(ANN)
        await mx.wait_heard(Step.RCPT)
        before = mx.sessions[0].heard[-1].answer
        gate.set()
        after = await caller.hear()

    assert ("", "250 2.1.5 Ok") == (before, after)


@pytest.mark.parametrize(
    ("persona", "rcpt"),
    [
        ("odd_code", "850 whatever"),
        ("mixed_codes", "250-one\n550 two"),
        ("bare_refusal", "550"),
        (
            "terminal_escapes",
            "550 5.1.1 \x1b[31mno\x1b[0m \x07\r such \\xe9\\xff user <script>=1+1,\x00",
        ),
        ("foreign_words", "550 5.1.1 Empfänger unbekannt: kein Postfach für <x@mx.example>"),
    ],
)
async def test_odd_replies_are_sent_as_written(persona: str, rcpt: str) -> None:
    async with host(persona) as mx, calling(mx.ip, mx.port) as caller:
        await caller.hear()
        replies = await caller.ask(*START, "RCPT TO:<x@mx.example>")

    assert rcpt == replies[-1]


async def test_long_replies_are_as_long_as_they_say() -> None:
    replies = {}
    for persona in ("long_lines", "very_long_lines", "many_lines", "huge_reply"):
        async with host(persona) as mx, calling(mx.ip, mx.port) as caller:
            await caller.hear()
            replies[persona] = (await caller.ask(*START, "RCPT TO:<x@mx.example>"))[-1]

    assert 600 == len(replies["long_lines"])
    assert 4_000 == len(replies["very_long_lines"])
    assert 200 == replies["many_lines"].count("\n") + 1
    assert 200_000 == len(replies["huge_reply"])


async def test_a_web_server_speaks_its_own_tongue() -> None:
    async with host("web_server") as mx, calling(mx.ip, mx.port) as caller:
        said = await caller.reader.read()

    assert said.startswith(b"HTTP/1.1 400 Bad Request\r\n")


async def test_starttls_gives_an_encrypted_session() -> None:
    async with host("tls_required", tls=throwaway_context()) as mx:
        async with aiosmtplib.SMTP(
            hostname=mx.ip, port=mx.port, start_tls=True, validate_certs=False
        ) as client:
            await client.ehlo()
            await client.mail("")
            response = await client.rcpt("ann@mx.example")
        await mx.wait_ended()
        session = mx.sessions[0]

    assert 250 == response.code
    assert session.secure
    assert Ending.QUIT is session.ending
    assert b"RCPT TO:<ann@mx.example>" in session.received


@pytest.mark.parametrize(
    "persona", ["tls_garbage", "tls_old", "tls_required_garbage", "tls_offered"]
)
async def test_handshakes_fail_where_a_persona_says_so_or_has_no_certificate(persona: str) -> None:
    async with host(persona) as mx:
        client = aiosmtplib.SMTP(hostname=mx.ip, port=mx.port, start_tls=True, validate_certs=False)
        with pytest.raises(ssl.SSLError):
            await client.connect()
        client.close()
        await mx.wait_ended()

    assert not mx.sessions[0].secure


async def test_a_client_that_leaves_in_the_handshake_is_let_go() -> None:
    async with host("tls_offered", tls=throwaway_context()) as mx:
        async with calling(mx.ip, mx.port) as caller:
            await caller.hear()
            await caller.ask("EHLO x", "STARTTLS")
            caller.say("this is no handshake")
            rest = await caller.reader.read()
        await mx.wait_ended()

    assert Ending.PEER_LEFT is mx.sessions[0].ending
    assert b"220" not in rest


async def test_replies_in_clear_may_stand_behind_the_220() -> None:
    async with (
        host("tls_injects", tls=throwaway_context()) as mx,
        calling(mx.ip, mx.port) as caller,
    ):
        await caller.hear()
        await caller.ask("EHLO x")
        caller.say("STARTTLS")
        said = await caller.reader.readexactly(
            len("220 2.0.0 Ready to start TLS\r\n250 2.1.5 Ok\r\n")
        )

    assert said.endswith(b"\r\n250 2.1.5 Ok\r\n")


async def test_a_persona_may_change_between_two_sessions() -> None:
    async with host("accept_all") as mx:
        codes = []
        for persona in ("accept_all", "normal"):
            mx.persona = SHIPPED[persona]
            async with calling(mx.ip, mx.port) as caller:
                await caller.hear()
                codes += (await caller.codes(*START, "RCPT TO:<x@mx.example>"))[-1:]

    assert [250, 550] == codes


async def test_a_shut_door_refuses_and_a_stuck_one_hangs() -> None:
    async with host("normal", ip="127.25.77.1") as mx:
        await mx.set_door(Door.SHUT)
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(mx.ip, mx.port)
        await mx.set_door(Door.STUCK)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.open_connection(mx.ip, mx.port), 0.05)
        await mx.set_door(Door.OPEN)
        async with calling(mx.ip, mx.port) as caller:
            greeting = await caller.hear()

    assert "220 mx.example ESMTP" == greeting
    assert 1 == mx.connections


@pytest.mark.skipif(not has_address("::1"), reason="this machine has no ::1")
async def test_ipv6_works_as_ipv4_does() -> None:
    async with host("normal", ip="::1") as mx, calling(mx.ip, mx.port) as caller:
        await caller.hear()

        assert "::1" == mx.sessions[0].client


async def test_a_line_without_end_ends_the_session() -> None:
    async with host("normal") as mx:
        async with calling(mx.ip, mx.port) as caller:
            await caller.hear()
            caller.say("X" * 100_000)
            rest = await caller.hear()
        await mx.wait_ended()

    assert "" == rest
    assert Ending.WE_LEFT is mx.sessions[0].ending


async def test_a_half_closed_caller_still_gets_its_answers() -> None:
    async with host("normal") as mx, calling(mx.ip, mx.port) as caller:
        caller.say("EHLO x", "MAIL FROM:<>", ANN)
        caller.writer.write_eof()
        everything = await caller.reader.read()

    assert everything.endswith(b"250 2.1.0 Ok\r\n250 2.1.5 Ok\r\n")


async def test_closing_drops_whoever_is_there() -> None:
    mx = host("silent")
    await mx.start(0)
    reader, writer = await asyncio.open_connection(mx.ip, mx.port)
    writer.write(b"EHLO x\r\n")
    await mx.close()
    with pytest.raises(ConnectionResetError):
        await reader.read()
    writer.close()

    assert not mx._open


async def test_connections_beyond_the_limit_are_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mx_module, "MAX_OPEN", 0)
    async with host("normal") as mx, calling(mx.ip, mx.port) as caller:
        with pytest.raises(ConnectionResetError):
            await caller.hear()

    assert 0 == mx.connections
