"""How often the same mail is told to come back."""

import pytest

from ringback.rules.waiting import (
    MAX_WAIT_S,
    ONE_ATTEMPT_S,
    REMEMBER_S,
    Wait,
    may_defer,
    wait_key,
)

KEY = "192.0.2.0/24 ann@shop.example bob@ours.example"
NOON = 1_800_000_000.0
MINUTE = 60.0


def deferrals(instants: list[float], max_deferrals: int = 3) -> list[bool]:
    """Play one mail's attempts through; the memory goes from each to the next."""
    wait: Wait | None = None
    said = []
    for now in instants:
        deferred, kept = may_defer(wait, KEY, now, max_deferrals)
        wait = kept if deferred else wait
        said.append(deferred)
    return said


def test_a_mail_is_deferred_three_times_and_then_let_through() -> None:
    attempts = [NOON + minutes * MINUTE for minutes in (0, 5, 15, 35, 75)]

    assert deferrals(attempts) == [True, True, True, False, False]


def test_attempts_within_half_a_minute_count_as_one() -> None:
    burst = [NOON, NOON + 1, NOON + 2, NOON + 3, NOON + 29]

    assert deferrals(burst) == [True] * 5
    assert deferrals([*burst, NOON + 5 * MINUTE, NOON + 15 * MINUTE]) == [True] * 7


def test_who_knocks_every_ten_seconds_is_let_through_in_the_end() -> None:
    said = deferrals([NOON + 10 * attempt for attempt in range(12)])

    assert said == [True] * 9 + [False] * 3


def test_four_hours_end_the_wait_however_few_the_attempts() -> None:
    first = NOON + MAX_WAIT_S - 1

    assert deferrals([NOON, first]) == [True, True]
    assert deferrals([NOON, NOON + MAX_WAIT_S]) == [True, False]


def test_a_late_retry_of_a_mail_let_through_is_not_deferred_anew() -> None:
    five_days = 5 * 86_400

    assert deferrals([NOON, NOON + five_days]) == [True, False]


def test_a_mail_is_forgotten_after_its_memory_expires() -> None:
    assert deferrals([NOON, NOON + REMEMBER_S]) == [True, True]


def test_no_deferrals_at_all_where_none_are_allowed() -> None:
    assert deferrals([NOON, NOON + 1], max_deferrals=0) == [False, False]


def test_a_lower_limit_holds_within_a_burst_too() -> None:
    counted = Wait(KEY, NOON, 3, NOON + REMEMBER_S)

    assert may_defer(counted, KEY, NOON + 1, 2) == (False, counted)


def test_a_clock_set_back_begins_the_count_anew() -> None:
    ahead = Wait(KEY, NOON, 3, NOON + REMEMBER_S)
    now = NOON - 3_600

    assert may_defer(ahead, KEY, now, 3) == (True, Wait(KEY, now, 1, now + REMEMBER_S))


def test_the_memory_is_the_same_object_where_nothing_changed() -> None:
    counted = Wait(KEY, NOON, 1, NOON + REMEMBER_S)
    _, kept = may_defer(counted, KEY, NOON + ONE_ATTEMPT_S - 1, 3)

    assert kept is counted


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.77", "192.0.2.0/24"),
        ("::ffff:192.0.2.77", "192.0.2.0/24"),
        ("2001:db8:0:1::25", "2001:db8:0:1::/64"),
        ("unknown", "unknown"),
        ("bad\x1b[31m", "bad\\x1b[31m"),
    ],
)
def test_a_site_is_known_by_its_network(address: str, network: str) -> None:
    key = wait_key(address, "ann@shop.example", "bob@ours.example")

    assert key == f"{network} ann@shop.example bob@ours.example"


@pytest.mark.parametrize(
    "sender",
    [
        "ann@shop.example",
        "Ann@SHOP.example",
        "prvs=0123456789=ann@shop.example",
        "ann+tag@shop.example",
    ],
)
def test_tags_in_the_sender_do_not_make_another_mail(sender: str) -> None:
    assert wait_key("192.0.2.77", sender, "bob@ours.example") == KEY


def test_what_is_no_address_still_makes_a_bounded_key() -> None:
    key = wait_key("192.0.2.77", "x" * 9_000, "Postmaster")

    assert key.startswith("192.0.2.0/24 xxxx")
    assert key.endswith(" postmaster")
    assert len(key) < 600
