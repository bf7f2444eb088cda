"""How often a failing store speaks."""

from ringback.rules.repeats import REPEAT_AFTER_S
from ringback.store.complaints import Complaints
from ringback.values.events import Event, Trouble


def _complaints(now: list[float]) -> tuple[Complaints, list[Event]]:
    told: list[Event] = []
    return Complaints("store", told.append, lambda: now[0]), told


def test_the_first_of_a_kind_is_told_at_once_and_the_next_after_a_minute() -> None:
    now = [1_000.0]
    complaints, told = _complaints(now)
    for _ in range(3):
        complaints.report("saves were lost", "disk full", "make room")
    now[0] += REPEAT_AFTER_S
    complaints.report("saves were lost", "disk full", "make room")

    expected = [
        Trouble("store", "saves were lost: disk full", "make room"),
        Trouble(
            "store",
            "saves were lost: disk full (and 2 more like it since the last report)",
            "make room",
        ),
    ]
    assert expected == told


def test_kinds_do_not_silence_each_other() -> None:
    complaints, told = _complaints([1_000.0])
    complaints.report("saves were lost", "disk full", "")
    complaints.report("saves wait", "locked", "")

    assert 2 == len(told)
