"""Pairs of ages, and the file of a store."""

from typing import Any

import pytest

from ringback.errors import SettingError
from ringback.values.settings import Ages, Cache, StoreSettings


def test_nothing_is_believed_for_longer_after_its_refresh_than_at_all() -> None:
    with pytest.raises(SettingError) as refused:
        Ages(refresh_s=10, expire_s=5)

    assert "refresh_s: 10 is more than expire, 5; ask again before it expires" == str(refused.value)


def test_ages_are_written_as_pairs() -> None:
    written: dict[str, Any] = {"unknown": [60, 600]}

    assert Ages(60.0, 600.0) == Cache(**written).unknown


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        (600, "600 is not a pair of durations"),
        ([600], "a list is not a pair of durations"),
        ([600, 60], "600 is more than expire, 60"),
        ([-1, 60], "-1 is out of range"),
        (["1h", 60], '"1h" is not a number of seconds'),
    ],
)
def test_other_pairs_are_refused(written: object, problem: str) -> None:
    given: dict[str, Any] = {"unknown": written}
    with pytest.raises(SettingError) as refused:
        Cache(**given)

    assert ("unknown", problem) == (refused.value.key, refused.value.problem)
    assert "write [refresh, expire] in seconds, refresh no more than expire" == refused.value.remedy


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("sqlite:///var/lib/ringback.db", "/var/lib/ringback.db"),
        ("memory:", None),
        ("postgresql://host/name", None),
    ],
)
def test_only_an_sqlite_store_has_a_file(url: str, path: str | None) -> None:
    assert path == StoreSettings(url=url).sqlite_path
