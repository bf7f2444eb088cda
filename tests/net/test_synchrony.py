"""What the kernel says of the clock."""

import ctypes
from types import SimpleNamespace

import pytest

from ringback.net.synchrony import is_synchronised


@pytest.mark.parametrize(("state", "expected"), [(0, True), (4, True), (5, False), (-1, None)])
def test_the_state_of_the_clock_says_whether_it_is_kept_right(
    state: int, expected: bool | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    libc = SimpleNamespace(adjtimex=lambda _: state)
    monkeypatch.setattr(ctypes, "CDLL", lambda _: libc)

    assert expected is is_synchronised()


def test_a_system_without_that_call_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: SimpleNamespace())

    assert is_synchronised() is None


def test_it_may_be_asked_here_without_harm() -> None:
    assert is_synchronised() in (True, False, None)
