"""The facts used last, and loads that something newer overtakes."""

from ringback.store.recent_facts import MAX_SUBJECTS, RecentFacts
from ringback.values.facts import DomainFact, Fact

SELECTIVE = Fact("shop.example", DomainFact.SELECTIVE, noted_at=1.0, expires_at=9.0)
REFUSES_VRFY = SELECTIVE.but(kind=DomainFact.REFUSES_VRFY)


def recent_with(*facts: Fact) -> RecentFacts:
    recent = RecentFacts()
    with recent.loading(SELECTIVE.subject) as keep:
        keep(facts)
    return recent


def test_what_a_load_found_is_known_and_so_is_that_there_was_nothing() -> None:
    assert recent_with(SELECTIVE).find("shop.example") == (SELECTIVE,)
    assert recent_with().find("shop.example") == ()
    assert RecentFacts().find("shop.example") is None


def test_what_is_known_of_several_is_found_together_or_not_at_all() -> None:
    recent = recent_with(SELECTIVE)
    with recent.loading("192.0.2.1") as keep:
        keep(())

    assert recent.find("192.0.2.1", "shop.example") == (SELECTIVE,)
    assert recent.find("shop.example", "192.0.2.2") is None


def test_what_is_saved_takes_the_place_of_its_kind() -> None:
    recent, later = recent_with(SELECTIVE, REFUSES_VRFY), SELECTIVE.but(noted_at=2.0)

    recent.save(later)

    assert recent.find("shop.example") == (REFUSES_VRFY, later)


def test_what_is_saved_of_a_subject_that_was_not_loaded_is_left_to_the_next_load() -> None:
    recent = RecentFacts()

    recent.save(SELECTIVE)

    assert recent.find("shop.example") is None


def test_what_is_forgotten_is_gone() -> None:
    recent = recent_with(SELECTIVE, REFUSES_VRFY)

    recent.forget("shop.example", SELECTIVE.kind)

    assert recent.find("shop.example") == (REFUSES_VRFY,)


def test_what_a_load_found_is_not_kept_if_something_newer_came() -> None:
    recent = RecentFacts()
    with recent.loading("shop.example") as keep:
        recent.save(SELECTIVE)
        keep((REFUSES_VRFY,))

    assert recent.find("shop.example") is None


def test_a_load_during_which_all_was_forgotten_is_not_kept() -> None:
    recent = RecentFacts()
    with recent.loading("shop.example") as keep:
        recent.clear()
        keep((SELECTIVE,))

    assert recent.find("shop.example") is None


def test_only_so_many_subjects_are_held() -> None:
    recent = recent_with(SELECTIVE)
    for number in range(MAX_SUBJECTS):
        with recent.loading(f"{number}.example") as keep:
            keep(())

    assert recent.find("shop.example") is None
