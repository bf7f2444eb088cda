"""The entries used last, and loads that something newer overtakes."""

import pytest

from ringback.rules.freshness import Entry
from ringback.store import recent as recent_module
from ringback.store.recent import Recent


def test_what_is_saved_is_found_until_others_push_it_out(entry: Entry) -> None:
    recent = Recent(2)
    for number in range(3):
        recent.save(entry.but(key=f"{number}"))

    assert recent.find("0") is None
    assert entry.but(key="2") == recent.find("2")


def test_what_a_load_found_is_kept(entry: Entry) -> None:
    recent = Recent(2)
    with recent.loading(entry.key) as keep:
        keep(entry)

    assert entry == recent.find(entry.key)


def test_what_a_load_found_is_not_kept_if_something_newer_came(entry: Entry) -> None:
    recent, later = Recent(1), entry.but(attempts=9)
    with recent.loading(entry.key) as keep:
        recent.save(later)
        recent.save(entry.but(key="other"))
        keep(entry)

    assert recent.find(entry.key) is None


def test_a_load_that_has_ended_keeps_nothing(entry: Entry) -> None:
    recent = Recent(2)
    with recent.loading(entry.key) as keep:
        pass
    keep(entry)

    assert recent.find(entry.key) is None


def test_of_two_loads_the_newer_one_counts(entry: Entry) -> None:
    recent, later = Recent(2), entry.but(attempts=9)
    with recent.loading(entry.key) as keep_first:
        with recent.loading(entry.key) as keep_second:
            keep_second(later)
        keep_first(entry)

    assert later == recent.find(entry.key)


def test_a_load_during_which_all_was_forgotten_is_not_kept(entry: Entry) -> None:
    recent = Recent(2)
    with recent.loading(entry.key) as keep:
        recent.clear()
        keep(entry)

    assert recent.find(entry.key) is None


def test_an_entry_that_is_no_text_takes_the_older_one_with_it(entry: Entry) -> None:
    recent = Recent(2)
    recent.save(entry)
    recent.save(entry.but(rule="\ud800"))

    assert recent.find(entry.key) is None


def test_an_entry_that_is_saved_again_is_not_answered_as_it_was(entry: Entry) -> None:
    recent, later = Recent(2), entry.but(attempts=9)
    recent.save(entry)
    assert entry == recent.find(entry.key)
    recent.save(later)

    assert later == recent.find(entry.key)
    assert later == recent.find(entry.key)


def test_what_was_saved_stays_for_a_while_and_what_is_asked_for_again_for_long(
    entry: Entry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recent_module, "MAX_UNPACKED", 2)
    recent = Recent(9)
    recent.save(entry.but(key="once"))
    recent.save(entry.but(key="again"))
    recent.find("again")
    for number in range(3):
        recent.save(entry.but(key=f"{number}"))

    assert recent.find("once") is None
    assert entry.but(key="again") == recent.find("again")


def test_a_memory_of_none_remembers_nothing(entry: Entry) -> None:
    recent = Recent(0)
    recent.save(entry)

    assert recent.find(entry.key) is None
