"""Looking into the store of a service."""

from pathlib import Path

import pytest

from ringback.doors.cli.stored import ask_store
from ringback.engine.ports import Store
from ringback.errors import StoreError, UsageError
from ringback.values.settings import Settings, StoreSettings


async def _count(store: Store) -> int:
    return (await store.stats()).waits


def test_a_store_that_keeps_nothing_is_not_asked() -> None:
    with pytest.raises(UsageError, match="keeps nothing between two commands"):
        ask_store(Settings(store=StoreSettings(url="memory:")), _count)


def test_looking_makes_no_store(tmp_path: Path) -> None:
    settings = Settings(store=StoreSettings(url=f"sqlite://{tmp_path}/none.db"))
    with pytest.raises(StoreError, match="there is no store yet"):
        ask_store(settings, _count)

    assert list(tmp_path.iterdir()) == []


def test_a_path_that_nobody_may_look_at_is_one_line() -> None:
    settings = Settings(store=StoreSettings(url=f"sqlite:///{'x' * 300}/a.db"))
    with pytest.raises(StoreError, match="run this as the user of the service"):
        ask_store(settings, _count)
