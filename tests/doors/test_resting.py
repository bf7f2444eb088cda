"""Which trouble reaches the log when it recurs with every message."""

import tracemalloc

from ringback.doors.resting import Resting
from ringback.rules.repeats import MAX_KINDS, REPEAT_AFTER_S
from ringback.values.events import CalledOut, Event, Lifecycle, Trouble

ANN = CalledOut("ann@shop.example", "sender", 1, ("mx.example",), "accepted", "a rule", 0.5)
SOURCE = Trouble("source address", "cannot use 192.0.2.1 as source", "see the settings")


def hearing(*events: Event | float) -> list[Event]:
    """What is passed on of `events`; a number is a time that passes."""
    told, now = list[Event](), [0.0]
    resting = Resting(told.append, lambda: now[0])
    for event in events:
        if isinstance(event, float):
            now[0] += event
        else:
            resting.hear(event)
    return told


def more(count: int, trouble: Trouble = SOURCE) -> Trouble:
    """The line that tells of so many, and itself."""
    return trouble.but(what=f"{trouble.what} (and {count} more like it since the last report)")


def test_the_same_trouble_is_told_once_a_minute_with_how_often() -> None:
    assert [SOURCE, more(2)] == hearing(SOURCE, SOURCE, SOURCE, REPEAT_AFTER_S, SOURCE)


def test_trouble_that_has_ended_is_told_to_its_end_with_what_comes_next() -> None:
    told = hearing(*[SOURCE] * 4, ANN, REPEAT_AFTER_S, ANN, ANN, REPEAT_AFTER_S, ANN)

    assert [SOURCE, ANN, more(2), ANN, ANN, ANN] == told


def test_other_trouble_tells_of_the_end_of_some_too() -> None:
    other = Trouble("store", "disk full")

    assert [SOURCE, SOURCE, other] == hearing(SOURCE, SOURCE, REPEAT_AFTER_S, other)


def test_what_was_kept_back_is_told_before_the_service_reloads_or_stops() -> None:
    stop = Lifecycle("draining")

    assert [SOURCE, more(1), stop] == hearing(*[SOURCE] * 3, stop)
    assert [SOURCE, stop, SOURCE] == hearing(SOURCE, stop, SOURCE)


def test_two_bugs_with_the_same_words_are_two() -> None:
    one = Trouble.of_bug("milter", KeyError("x"))
    other = one.but(trace="elsewhere")

    assert [one, other] == hearing(one, other, one)


def test_a_flood_of_other_words_costs_no_count() -> None:
    flood = [Trouble("route", f"mx{number}: 550") for number in range(3 * MAX_KINDS)]
    mixed = [one for other in flood for one in (SOURCE, other)]

    told = hearing(*mixed, Lifecycle("draining"))

    assert [SOURCE, more(len(flood) - 2)] == [one for one in told if _is_of(one, "source address")]
    assert [*flood] == [one for one in told if _is_of(one, "route")]


def _is_of(event: Event, where: str) -> bool:
    return isinstance(event, Trouble) and event.where == where


def test_each_host_that_refuses_us_is_told_of() -> None:
    breaker = Trouble("breaker", "mx.example refuses us: 550 no")

    assert [breaker] * 3 == hearing(*[breaker] * 3)


def test_long_words_are_not_held() -> None:
    resting = Resting(lambda _: None, lambda: 0.0)
    tracemalloc.start()
    for number in range(2 * MAX_KINDS):
        resting.hear(Trouble("route", f"{number} {'x' * 50_000}", "see it", "x" * 50_000))
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 1_000_000


def test_other_trouble_and_all_else_is_told_each_time() -> None:
    other = SOURCE.but(what="cannot use 2001:db8::1 as source")
    events = (ANN, SOURCE, ANN, other, ANN)

    assert [*events] == hearing(*events)


def test_who_reloads_hears_what_is_still_amiss() -> None:
    reload = Trouble("reload", "ringback.toml: no such file", "the old settings stay in force")
    once = (Lifecycle("reloading"), reload, Lifecycle("ready"))

    assert [*once, *once] == hearing(*once, *once)
