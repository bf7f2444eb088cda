"""`ringback lab` as a user runs it: a process of its own, told to stop by a signal."""

import asyncio
import os
import signal
import sys
import tomllib
from pathlib import Path

import aiosmtplib
import dns.message
import dns.query
import pytest
from click.testing import CliRunner

from ringback.doors.cli.lab import introduce, lab, run
from ringback.doors.configuration import load_settings
from ringback.errors import ConfigError, UsageError
from ringback.lab.world import World

CALL = "from ringback.doors.cli.lab import lab; lab()"


async def start(*arguments: str) -> tuple[asyncio.subprocess.Process, str]:
    """Start the lab; return it and what it printed before it was open."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        CALL,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    printed = b""
    while not printed.endswith(b'"memory:"\n\n'):  # the end of it all
        line = await process.stdout.readline()
        assert line, (await process.communicate())[1].decode()
        printed += line
    return process, printed.decode()


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_it_opens_says_where_and_closes_cleanly(number: signal.Signals) -> None:
    process, printed = await start()
    settings = tomllib.loads(printed[printed.index("[identity]") :])
    nameserver, _, port = settings["dns"]["nameservers"][0].rpartition(":")
    question = dns.message.make_query("mx.shop.example", "A")
    answer = await asyncio.to_thread(dns.query.udp, question, nameserver, 2, int(port))
    async with aiosmtplib.SMTP(
        hostname=str(answer.answer[0][0]), port=settings["smtp"]["port"], start_tls=False
    ) as client:
        greeting = await client.ehlo()

    process.send_signal(number)
    _, errors = await process.communicate()

    assert "shop.example" in printed
    assert "memory:" == settings["store"]["url"]
    assert 250 == greeting.code
    assert 0 == process.returncode
    assert [
        "ringback: the lab is open; interrupt (Ctrl-C) to close it",
        "ringback: the lab is closed",
    ] == errors.decode().splitlines()


@pytest.mark.slow
async def test_personas_of_ones_own_get_a_domain(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[my_host]\nabout = "says no"\nrcpt = "550 5.1.1 no"\n', "utf-8")

    process, printed = await start("--personas", str(file))
    process.terminate()
    await process.communicate()

    rows = [line.split() for line in printed.splitlines()]
    assert ["my-host.example", "my_host", "ann,", "bob", "says", "no"] in rows


def test_a_file_with_a_mistake_is_named() -> None:
    result = CliRunner().invoke(lab, ["--personas", "no-such-file.toml"])

    assert isinstance(result.exception, ConfigError)
    assert "no-such-file.toml" in str(result.exception)


async def test_a_signal_closes_the_world() -> None:
    world = World()
    await run(world, lambda opened: signal.raise_signal(signal.SIGTERM))

    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(world.hosts["mx.real.example"].ip, world.smtp_port)


async def test_what_is_printed_is_a_configuration(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    async with World() as world:
        introduce(world)
    printed = capsys.readouterr().out
    file = tmp_path / "ringback.toml"
    file.write_text(printed[printed.index("[identity]") :], "utf-8")
    settings = load_settings(str(file), {}).settings

    assert world.smtp_port == settings.smtp.port
    assert (world.nameserver,) == settings.dns.nameservers
    assert "verify.lab.example" == settings.identity.helo_name


def test_a_taken_port_is_a_clear_error() -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.25.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = CliRunner().invoke(lab, ["--port", str(port)])

    assert isinstance(result.exception, UsageError)
    assert f"port {port}" in str(result.exception)
