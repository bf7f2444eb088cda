"""The demo's play where it does not go as planned."""

import asyncio
import signal
import sys
from pathlib import Path

import pytest

from ringback.doors.cli import play
from ringback.doors.cli.play import command_line
from ringback.doors.service import Service
from ringback.errors import UsageError
from ringback.lab.world import World
from ringback.values.events import Trouble


def test_a_port_that_cannot_be_had_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    async def start(world: World) -> None:
        raise UsageError("port 25: Permission denied")

    monkeypatch.setattr(World, "start", start)

    with pytest.raises(UsageError, match="port 25: Permission denied"):
        play.run(keep=False)


def test_what_keeps_the_service_from_starting_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(play, "SETTINGS", '[policy]\nlisten = ["192.0.2.1:9"]')

    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1:9"):
        play.run(keep=False)


def test_a_service_that_hangs_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def hang(service: Service) -> None:
        await service._stop_wanted.wait()

    monkeypatch.setattr(Service, "run", hang)
    monkeypatch.setattr(play, "START_TIMEOUT_S", 0.01)

    with pytest.raises(UsageError, match="did not start"):
        play.run(keep=False)


def test_a_signal_while_it_is_kept_up_is_its_end(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(play, "SCENES", play.SCENES[:1])
    say = play._say_how_to_ask

    def say_and_end(stage: play._Stage) -> None:
        say(stage)
        for _ in range(2):  # an impatient user
            asyncio.get_running_loop().call_soon(signal.raise_signal, signal.SIGINT)

    monkeypatch.setattr(play, "_say_how_to_ask", say_and_end)

    assert 0 == play.run(keep=True)
    assert "Still up; Ctrl-C ends it." in capsys.readouterr().out


def test_a_signal_in_the_middle_has_its_status(monkeypatch: pytest.MonkeyPatch) -> None:
    async def end(number: int, scene: play.Scene, stage: play._Stage) -> None:
        signal.raise_signal(signal.SIGTERM)
        await asyncio.Event().wait()

    monkeypatch.setattr(play, "_play_scene", end)

    assert 128 + signal.SIGTERM == play.run(keep=False)


def test_trouble_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    play._Watch()(Trouble("store", "gone"))

    assert "ringback: store: gone\n" == capsys.readouterr().err


def test_the_command_is_what_another_shell_understands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "a b" / "ringback"
    program.parent.mkdir()
    program.touch(mode=0o755)
    monkeypatch.setenv("PATH", "")
    monkeypatch.chdir(program.parent)
    monkeypatch.setattr(sys, "argv", ["./ringback"])
    by_path = command_line()
    monkeypatch.setenv("PATH", str(program.parent))
    by_name = command_line()
    monkeypatch.setattr(sys, "argv", ["/src/ringback/__main__.py"])
    as_module = command_line()

    assert (f"'{program}'", "ringback") == (by_path, by_name)
    assert as_module.endswith(" -m ringback")
