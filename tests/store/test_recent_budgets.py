from ringback.rules.pacing import Charge, Rate, Spent
from ringback.store.recent_budgets import MAX_LOOKS, Look, RecentBudgets

ONE = Charge("one", Rate(1), "calls")
UNSPENT = Look(None, None)


def recent_with(charge: Charge, look: Look) -> RecentBudgets:
    recent = RecentBudgets()
    with recent.loading(charge.key) as keep:
        keep(look)
    return recent


def test_a_look_is_remembered() -> None:
    recent = recent_with(ONE, UNSPENT)

    assert recent.find("one") is UNSPENT
    assert recent.find("other") is None


def test_what_happens_is_charged_to_what_is_remembered() -> None:
    recent = recent_with(ONE, UNSPENT)

    recent.charge(ONE, 50.0)

    look = recent.find("one")
    assert look is not None
    assert [True, False] == [look.shows_used_up(ONE, at) for at in (50.0, 50.0 + 3_601.0)]


def test_bursts_that_started_empty_are_empty_here_too() -> None:
    host = Charge("host", Rate(8), "calls")
    look = Look(None, empty_since=50.0)

    assert [True, False] == [look.shows_used_up(host, at) for at in (50.0, 50.0 + 600.0)]


def test_of_what_is_not_remembered_nothing_is_charged() -> None:
    recent = RecentBudgets()

    recent.charge(ONE, 50.0)

    assert recent.find("one") is None


def test_what_is_being_spent_is_looked_at_again() -> None:
    recent = recent_with(ONE, UNSPENT)

    recent.forget([ONE])

    assert recent.find("one") is None


def test_a_look_that_was_overtaken_is_not_kept() -> None:
    recent = RecentBudgets()
    with recent.loading("one") as keep:
        recent.charge(ONE, 50.0)
        keep(UNSPENT)
    with recent.loading("one") as keep:
        recent.forget([ONE])
        keep(UNSPENT)

    assert recent.find("one") is None


def test_when_another_process_has_written_all_is_looked_at_again() -> None:
    recent = recent_with(ONE, Look(Spent(90.0, 10.0), None))
    with recent.loading("two") as keep:
        recent.clear()
        keep(UNSPENT)

    assert recent.find("one") is None
    assert recent.find("two") is None


def test_only_so_many_are_held() -> None:
    recent = recent_with(ONE, UNSPENT)
    for number in range(MAX_LOOKS):
        with recent.loading(f"{number}") as keep:
            keep(UNSPENT)

    assert recent.find("one") is None
