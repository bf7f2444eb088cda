"""Uvicorn in our loop, over real sockets on loopback, with clients that dawdle, flood and babble."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from http_fakes import HttpSite
from ringback.doors.http.limits import Limits
from ringback.doors.http.listener import HttpListener, Journal, listen
from ringback.doors.http.opening import open_at
from ringback.errors import UsageError
from ringback.net.bind import open_listener
from ringback.values.events import DoorClosed, Trouble

ANY_PORT = "127.0.0.1:0"
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
METRICS = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"
ASKED = b'{"address":"ann@shop.example"}'
POST = (
    b"POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)


@asynccontextmanager
async def listening(site: HttpSite, address: str = ANY_PORT) -> AsyncIterator[HttpListener]:
    listener = await open_at(site.door, address)
    try:
        yield listener
    finally:
        await listener.stop(0.0)


async def connect(listener: HttpListener) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = listener.address.rpartition(":")
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # little is under way at a time
    sock.setblocking(False)
    await asyncio.get_running_loop().sock_connect(sock, (host, int(port)))
    return await asyncio.open_connection(sock=sock)


async def say(listener: HttpListener, *octets: bytes) -> bytes:
    """Send and read to the end."""
    reader, writer = await connect(listener)
    for part in octets:
        writer.write(part)
        await asyncio.sleep(0)
    try:
        async with asyncio.timeout(5):
            return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def sent_away(site: HttpSite) -> list[str]:
    return [event.why for event in site.events if isinstance(event, DoorClosed)]


async def test_it_answers_on_a_kept_connection(site: HttpSite) -> None:
    async with (
        listening(site) as listener,
        httpx.AsyncClient(base_url=f"http://{listener.address}") as client,
    ):
        answers = [await client.get("/healthz") for _ in range(2)]
        asked = await client.post("/v1/verify", json={"address": "ann@shop.example"})

    assert [200, 200, 200] == [answer.status_code for answer in (*answers, asked)]
    assert "server" not in asked.headers
    assert 1 == len(asked.headers.get_list("date"))


async def test_a_unix_socket_asks_for_no_host(site: HttpSite, tmp_path: Path) -> None:
    path = tmp_path / "http"
    async with listening(site, f"unix:{path}"):
        mode = path.stat().st_mode & 0o777
        transport = httpx.AsyncHTTPTransport(uds=str(path))
        async with httpx.AsyncClient(base_url="http://any", transport=transport) as client:
            answer = await client.get("/readyz")

    assert (0o660, 200) == (mode, answer.status_code)
    assert not path.exists()


async def test_a_socket_that_was_inherited_keeps_its_path(site: HttpSite, tmp_path: Path) -> None:
    path = tmp_path / "http"
    sock = open_listener(f"unix:{path}", 0o600)
    listener = await open_at(site.door, f"unix:{path}", sock)
    await listener.stop(0.0)
    await listener.stop(0.0)

    assert path.exists()


async def test_an_address_that_cannot_be_had_says_why(site: HttpSite) -> None:
    with pytest.raises(UsageError, match="cannot listen on"):
        await open_at(site.door, "192.0.2.1:80")


@pytest.mark.parametrize(
    "octets",
    [
        b"EHLO mx.example\r\n\r\n",
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000,
        b"GET " + b"/" * 20_000 + b" HTTP/1.1\r\n",
        b"POST /v1/verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_a_problem_and_the_end(site: HttpSite, octets: bytes) -> None:
    async with listening(site) as listener:
        said = await say(listener, octets)

    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"application/problem+json" in said
    assert ["not HTTP, or a head that is too large"] == sent_away(site)


async def test_a_head_has_no_body_and_the_connection_goes_on(site: HttpSite) -> None:
    last = REQUEST.replace(b"Host", b"Connection: close\r\nHost")
    async with listening(site) as listener:
        said = await say(listener, METRICS.replace(b"GET", b"HEAD"), last)

    assert 2 == said.count(b"HTTP/1.1 200 ")
    assert b"# TYPE" not in said
    assert said.endswith(b"ok\n")


async def test_a_body_of_two_lengths_ends_the_connection(site: HttpSite) -> None:
    head = POST.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n") % 5
    async with listening(site) as listener:
        said = await say(listener, head + b"0\r\n\r\n" + REQUEST)

    assert said.startswith(b"HTTP/1.1 400 ")
    assert b"two lengths" in said
    assert 1 == said.count(b"HTTP/1.1 ")


async def test_babble_behind_a_request_ends_the_connection(site: HttpSite) -> None:
    async with listening(site) as listener:
        said = await say(listener, REQUEST + b"\0\0\r\n\r\n")

    assert said.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    "octets", [b"", b"GET /heal", REQUEST[:-2], POST % 30, POST % 30 + ASKED[:10]]
)
async def test_who_dawdles_over_a_request_is_cut_off(site: HttpSite, octets: bytes) -> None:
    site.limits = Limits(read_s=0.02)
    async with listening(site) as listener:
        said = await say(listener, octets)

    assert b"" == said
    assert ["a request that is not whole after 0.02 s"] == sent_away(site)


async def test_dawdling_begins_anew_with_each_request(site: HttpSite) -> None:
    site.limits = Limits(read_s=0.05)
    async with listening(site) as listener:
        said = await say(listener, REQUEST, b"GET /heal")

    assert said.startswith(b"HTTP/1.1 200 ")
    assert 1 == len(sent_away(site))


async def test_an_answer_may_take_longer_than_a_request(site: HttpSite) -> None:
    site.limits = Limits(read_s=0.01)
    done = asyncio.Event()
    site.engine.verdicts["ann"] = done
    async with listening(site) as listener:
        asking = asyncio.create_task(say(listener, POST % len(ASKED) + ASKED))
        await site.engine.arrivals.get()
        reader, writer = await connect(listener)
        writer.write(b"GET /heal")  # this one is cut off, after as long as the other has waited
        await reader.read()
        writer.close()
        done.set()
        await listener.stop(1.0)
        said = await asking

    assert said.startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("stage", [0, 1])
async def test_a_broken_body_is_the_clients_fault(site: HttpSite, stage: int) -> None:
    head = POST.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked")
    async with listening(site) as listener:
        said = (
            await say(listener, head, b"zz\r\n") if stage else await say(listener, head + b"zz\r\n")
        )

    assert said.startswith(b"HTTP/1.1 400 ")
    assert [] == [event for event in site.events if isinstance(event, Trouble)]


@pytest.mark.parametrize("head", [POST, POST.replace(b"application/json", b"text/plain"), METRICS])
async def test_a_broken_body_that_nobody_would_have_read_is_the_clients_fault(
    site: HttpSite, head: bytes
) -> None:
    head = head.replace(b"Content-Length: %d\r\n", b"")
    chunked = head.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n")
    async with listening(site) as listener:
        said = await say(listener, chunked + b"zz\r\n")

    assert said.startswith(b"HTTP/1.1 400 ")
    assert 1 == said.count(b"HTTP/1.1")
    assert [] == [event for event in site.events if isinstance(event, Trouble)]


async def test_a_broken_body_ends_an_answer_that_has_begun(site: HttpSite) -> None:
    begun = asyncio.Event()

    async def begin(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"first", "more_body": True})
        begun.set()
        await asyncio.Event().wait()

    listener = await listen(ANY_PORT, begin, site.door)
    reader, writer = await connect(listener)
    writer.write(POST.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked"))
    await begun.wait()
    writer.write(b"zz\r\n")
    async with asyncio.timeout(5):
        said = await reader.read()
    writer.close()
    await listener.stop(0.0)

    assert b"first" in said
    assert 1 == said.count(b"HTTP/1.1")


@pytest.mark.slow  # it fills the buffers of the system
async def test_a_slow_reader_is_waited_for(site: HttpSite) -> None:
    site.limits = Limits(per_hour_each=10**9)
    async with listening(site) as listener:
        reader, writer = await connect(listener)
        transport = writer.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(METRICS * 1_000)
        for _ in range(2_000):
            await asyncio.sleep(0)
        transport.resume_reading()  # type: ignore[attr-defined]
        writer.write(REQUEST.replace(b"Host", b"Connection: close\r\nHost"))
        async with asyncio.timeout(20):
            said = await reader.read()
        writer.close()

    assert 1_001 == said.count(b"HTTP/1.1 200 ")
    assert [] == sent_away(site)


async def test_a_body_that_nobody_reads_ends_the_connection(site: HttpSite) -> None:
    async with listening(site) as listener:
        said = await say(listener, POST % 1_000_000 + b"x" * 10)

    assert said.startswith(b"HTTP/1.1 413 ")


async def test_connections_are_counted(site: HttpSite) -> None:
    site.limits = Limits(connections=1)
    async with listening(site) as listener:
        _, writer = await connect(listener)
        writer.write(REQUEST)
        second = await say(listener, REQUEST)
        writer.close()

    assert b"" == second
    assert ["1 connections are open, the most that are served"] == sent_away(site)


@pytest.mark.slow  # it fills the buffers of the system
async def test_who_takes_nothing_of_an_answer_is_cut_off(site: HttpSite) -> None:
    site.limits = Limits(write_s=0.02, per_hour_each=10**9)
    async with listening(site) as listener:
        reader, writer = await connect(listener)
        transport = writer.transport
        transport.pause_reading()  # type: ignore[attr-defined]
        writer.write(METRICS * 3_000)
        async with asyncio.timeout(20):
            await site.told.wait()
        writer.close()

    assert ["it took nothing of its answer for 0.02 s"] == sent_away(site)
    assert reader


@pytest.mark.slow
async def test_what_is_under_way_ends_and_what_does_not_is_cut_off(site: HttpSite) -> None:
    done = asyncio.Event()
    site.engine.verdicts |= {"ann": done, "bob": asyncio.Event()}
    listener = await open_at(site.door, ANY_PORT)
    never = b'{"address":"bob@shop.example"}'
    asking = [
        asyncio.create_task(say(listener, POST % len(body) + body)) for body in (ASKED, never)
    ]
    for _ in asking:
        await site.engine.arrivals.get()
    stopping = asyncio.create_task(listener.stop(1.0))
    await asyncio.sleep(0)
    done.set()
    await stopping
    ended, cut = await asyncio.gather(*asking)

    assert ended.startswith(b"HTTP/1.1 200 ")
    assert b"" == cut


def test_what_uvicorn_finds_wrong_with_us_is_told(site: HttpSite) -> None:
    journal = Journal(site.door)
    for error in (None, ValueError("x"), asyncio.CancelledError()):
        exc_info = error and (type(error), error, None)
        journal.handle(logging.makeLogRecord({"msg": "told by uvicorn", "exc_info": exc_info}))

    assert ["ValueError('x')"] == [
        event.what for event in site.events if isinstance(event, Trouble)
    ]
