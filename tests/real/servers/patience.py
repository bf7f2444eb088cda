"""Waiting for what takes real time: asked again and again, to a deadline."""

from collections.abc import Callable
from threading import Event
from time import monotonic
from typing import TypeVar

_GLANCE_S = 1.0  # between two looks, so that looking is not what the machine is busy with

T = TypeVar("T")


def eventually(ask: Callable[[], T], wanted: Callable[[T], bool], within_s: float) -> T:
    """Return the first answer that is `wanted`, or the last one when time is up."""
    give_up_at = monotonic() + within_s
    never = Event()
    while not wanted(answer := ask()) and monotonic() < give_up_at:
        never.wait(_GLANCE_S)
    return answer
