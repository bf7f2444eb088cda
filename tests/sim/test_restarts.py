"""Restarts at random moments, clean and unclean, on the store that outlives them: budgets do, too."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ringback.lab.dice import Dice
from ringback.lab.sites import Land, Manner, Spf
from ringback.lab.traffic import Message
from ringback.values.query import Client
from ringback.values.settings import CallWhen

from .files import copy_committed, open_file
from .stage import HOUR_S, RETRIES, Stage, Turn, forged, spread

MESSAGES, OVER_S = 500, 4 * HOUR_S
VICTIM = "victim.example"


def mail() -> Iterator[Message]:
    dice = Dice("restarts")
    for number, at in spread(MESSAGES, OVER_S):
        client = Client(f"81.{dice.below(40)}.{dice.below(250)}.9", "", "pc")
        yield forged(number, at, f"made-up-{number}@{VICTIM}", client, RETRIES)


def victim(persona: str) -> Land:
    land = Land()
    land.own(VICTIM, Manner(persona), Spf.NONE)
    return land


class Files:
    """The store of one service after the other."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._number = folder, 0

    @property
    def path(self) -> Path:
        return self._folder / f"{self._number}.db"

    async def restart(self, stage: Stage) -> None:
        await stage.restart(open_file(self.path))

    async def kill(self, stage: Stage) -> None:
        old = self.path
        self._number += 1
        copy_committed(old, self.path)
        await stage.kill(open_file(self.path))

    async def fail(self, stage: Stage) -> None:
        """The machine goes down, and its clock begins anew."""
        old = self.path
        self._number += 1
        copy_committed(old, self.path)
        await stage.kill(open_file(self.path, boot=f"run {self._number}"))


def at_random(seed: str, count: int, turns: list[Turn]) -> list[tuple[float, Turn]]:
    dice = Dice(f"restarts/{seed}")
    return [(at, dice.pick(turns)) for at in sorted(dice.draw() * OVER_S for _ in range(count))]


@pytest.mark.slow
@pytest.mark.parametrize("persona", ["normal", "has_them_all", "has_them_all_slowly"])
@pytest.mark.parametrize("mode", [CallWhen.ALWAYS, CallWhen.RETRIED])
def test_clean_restarts_lose_nothing(tmp_path: Path, persona: str, mode: CallWhen) -> None:
    land, files = victim(persona), Files(tmp_path)
    stage = Stage(land, mode, open_store=open_file(files.path))
    stage.play(mail(), at_random("clean", 30, [files.restart]))

    assert [] == stage.excesses()
    assert len(stage.street.asked) > 0


@pytest.mark.slow
@pytest.mark.parametrize("persona", ["normal", "has_them_all", "has_them_all_slowly"])
@pytest.mark.parametrize("seed", ["1", "2"])
def test_after_a_kill_bursts_start_empty(tmp_path: Path, persona: str, seed: str) -> None:
    land, files = victim(persona), Files(tmp_path)
    stage = Stage(land, CallWhen.ALWAYS, open_store=open_file(files.path))
    stage.play(mail(), at_random(seed, 30, [files.restart, files.kill, files.fail]))

    assert [] == stage.excesses()
    assert len(stage.street.asked) > 0
