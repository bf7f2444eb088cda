"""How often the same mail is told to come back."""

import pytest

from ringback.rules.waiting import (
    ACQUAINTED_S,
    COMES_BACK_WITHIN_S,
    DOUBTED_MISSES,
    MAX_OF_ALL,
    MAX_OF_NETWORK,
    MAX_OF_WIDE_NETWORK,
    MAX_WAIT_S,
    NEWCOMER_S,
    ONE_ATTEMPT_S,
    REMEMBER_S,
    TRUSTED_RETURNS,
    Acquaintance,
    Crowd,
    Greeting,
    Wait,
    greet,
    is_doubted,
    is_trusted,
    may_defer,
    network_of,
    wait_key,
    wide_network,
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
    last = NOON + 2 * ONE_ATTEMPT_S
    at = [NOON, NOON + ONE_ATTEMPT_S, last, last + 5 * 86_400]

    assert deferrals(at) == [True, True, True, False]
    assert deferrals([NOON, NOON + ONE_ATTEMPT_S, NOON + 5 * 86_400]) == [True, True, False]


def test_a_client_that_tries_once_a_day_is_let_through() -> None:
    assert deferrals([NOON, NOON + 86_400, NOON + 2 * 86_400 - 1]) == [True, False, False]


def test_a_mail_is_forgotten_after_its_memory_expires() -> None:
    second = NOON + ONE_ATTEMPT_S

    assert deferrals([NOON, NOON + NEWCOMER_S]) == [True, True]
    assert deferrals([NOON, second, second + REMEMBER_S - 1]) == [True, True, False]
    assert deferrals([NOON, second, second + REMEMBER_S]) == [True, True, True]


def test_no_deferrals_at_all_where_none_are_allowed() -> None:
    assert deferrals([NOON, NOON + 1], max_deferrals=0) == [False, False]


def test_a_lower_limit_holds_within_a_burst_too() -> None:
    counted = Wait(KEY, NOON, 3, NOON + REMEMBER_S)

    assert may_defer(counted, KEY, NOON + 1, 2) == (False, counted)


def test_a_clock_set_back_begins_the_count_anew() -> None:
    ahead = Wait(KEY, NOON, 3, NOON + REMEMBER_S)
    now = NOON - 3_600

    assert may_defer(ahead, KEY, now, 3) == (True, Wait(KEY, now, 1, now + NEWCOMER_S))


def test_the_memory_is_the_same_object_where_nothing_changed() -> None:
    counted = Wait(KEY, NOON, 1, NOON + NEWCOMER_S)
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


# Who has shown that he comes back.


def test_a_first_contact_is_met_and_put_off() -> None:
    greeting = greet(None, None, KEY, NOON, MINUTE)
    wait = Wait(KEY, NOON, 0, NOON + NEWCOMER_S)
    met = Acquaintance("192.0.2.0/24", 1, 0, NOON + REMEMBER_S, 1, NOON)

    assert greeting == Greeting(False, NOON + MINUTE, wait, met)


def test_who_comes_back_too_soon_learns_when_and_is_not_counted_again() -> None:
    wait = Wait(KEY, NOON, 1, NOON + NEWCOMER_S)

    assert greet(wait, None, KEY, NOON + 59, MINUTE) == Greeting(False, NOON + MINUTE)


def test_who_comes_back_after_the_wait_passes_and_is_counted_once() -> None:
    wait = Wait(KEY, NOON, 1, NOON + NEWCOMER_S)
    known = Acquaintance("192.0.2.0/24", 4, 1, NOON + REMEMBER_S)
    now = NOON + MINUTE
    back = greet(wait, known, KEY, now, MINUTE)

    assert back.came_back
    assert back.wait == Wait(KEY, NOON, 1, NOON + REMEMBER_S, returned=True)
    assert back.acquaintance == Acquaintance("192.0.2.0/24", 4, 2, now + ACQUAINTED_S)
    assert greet(back.wait, back.acquaintance, KEY, now, MINUTE) == Greeting(True)


@pytest.mark.parametrize("now", [NOON - 1, NOON + NEWCOMER_S])
def test_a_wait_of_another_time_is_a_first_contact(now: float) -> None:
    wait = Wait(KEY, NOON, 1, NOON + NEWCOMER_S)

    assert not greet(wait, None, KEY, now, MINUTE).came_back


def test_an_acquaintance_that_is_over_begins_anew() -> None:
    old = Acquaintance("192.0.2.0/24", 90, 80, NOON)

    assert greet(None, old, KEY, NOON, MINUTE).acquaintance == Acquaintance(
        "192.0.2.0/24", 1, 0, NOON + REMEMBER_S, 1, NOON
    )


@pytest.mark.parametrize(
    ("contacts", "returned", "trusted"),
    [
        (TRUSTED_RETURNS, TRUSTED_RETURNS, True),
        (TRUSTED_RETURNS - 1, TRUSTED_RETURNS - 1, False),
        (2 * TRUSTED_RETURNS, TRUSTED_RETURNS, True),
        (2 * TRUSTED_RETURNS + 1, TRUSTED_RETURNS, False),
    ],
)
def test_trust_is_for_networks_whose_mail_mostly_comes_back(
    contacts: int, returned: int, trusted: bool
) -> None:
    known = Acquaintance("192.0.2.0/24", contacts, returned, NOON + 1)

    assert is_trusted(known, NOON) is trusted
    assert not is_trusted(known, NOON + 1)
    assert not is_trusted(None, NOON)


@pytest.mark.parametrize(
    ("contacts", "returned", "waiting", "doubted"),
    [
        (DOUBTED_MISSES, 0, 0, True),
        (DOUBTED_MISSES - 1, 0, 0, False),
        (DOUBTED_MISSES, 0, 1, False),  # one may still come back
        (2 * DOUBTED_MISSES, DOUBTED_MISSES, 0, False),
        (2 * DOUBTED_MISSES + 1, DOUBTED_MISSES, 0, True),
    ],
)
def test_doubt_is_for_networks_whose_mail_mostly_stays_away(
    contacts: int, returned: int, waiting: int, doubted: bool
) -> None:
    known = Acquaintance("192.0.2.0/24", contacts, returned, NOON + 9_999, waiting, NOON)

    assert is_doubted(known, NOON) is doubted
    assert not is_doubted(known.but(expires_at=NOON), NOON)
    assert not is_doubted(None, NOON)


def test_who_has_not_come_back_in_time_has_missed() -> None:
    known = None
    for minute in (0, 5, 10):
        known = greet(None, known, KEY, NOON + minute * MINUTE, MINUTE).acquaintance
    assert known is not None

    assert [known.missed(NOON + s) for s in (0, COMES_BACK_WITHIN_S - 1, COMES_BACK_WITHIN_S)] == [
        0,
        0,
        3,
    ]
    later = greet(None, known, KEY, NOON + 2 * COMES_BACK_WITHIN_S, MINUTE).acquaintance
    assert later is not None
    assert (later.contacts, later.waiting, later.missed(later.waiting_since)) == (4, 1, 3)


def test_who_comes_back_waits_no_more() -> None:
    known = Acquaintance("192.0.2.0/24", 4, 1, NOON + REMEMBER_S, 2, NOON)
    back = greet(Wait(KEY, NOON, 1, NOON + NEWCOMER_S), known, KEY, NOON + MINUTE, MINUTE)

    assert back.acquaintance is not None
    assert (back.acquaintance.returned, back.acquaintance.waiting) == (2, 1)


@pytest.mark.parametrize(
    ("crowd", "full"),
    [
        (Crowd(), False),
        (Crowd(of_network=MAX_OF_NETWORK), True),
        (Crowd(of_wide_network=MAX_OF_WIDE_NETWORK), True),
        (Crowd(of_all=MAX_OF_ALL), True),
    ],
)
def test_each_bound_makes_a_crowd(crowd: Crowd, full: bool) -> None:
    assert crowd.is_full is full


@pytest.mark.parametrize(
    ("client", "network", "wide"),
    [
        ("198.51.100.7", "198.51.100.0/24", "198.51.0.0/16"),
        ("::ffff:198.51.100.7", "198.51.100.0/24", "198.51.0.0/16"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8::/32"),
        ("unknown", "unknown", "unknown"),
        ("two words", "two_words", "two_words"),
    ],
)
def test_a_network_and_what_surrounds_it(client: str, network: str, wide: str) -> None:
    assert (network_of(client), wide_network(network)) == (network, wide)
    assert Wait(f"{network} a b", NOON, 0, NOON).network == network
    assert Wait(f"{network} a b", NOON, 0, NOON).wide_network == wide
