"""What is remembered of domains and hosts."""

from ringback.values.facts import FIRST_PLACE, DomainFact, Fact, HostFact


def test_facts_are_the_closed_sets() -> None:
    assert {fact.value for fact in DomainFact} == {
        "accepts_any",
        "selective",
        "refuses_null_sender",
        "refuses_vrfy",
        "not_served",
    }
    assert {fact.value for fact in HostFact} == {
        "refuses_us",
        "refuses_some",
        "greylists",
        "no_contrast",
        "breaks_tls",
        "refuses_callouts",
    }


def test_no_kind_of_fact_is_ambiguous_between_domains_and_hosts() -> None:
    assert not set(map(str, DomainFact)) & set(map(str, HostFact))


def test_a_fact_names_no_window_unless_the_host_did() -> None:
    assert Fact("shop.example", DomainFact.SELECTIVE, 0.0, 1.0).window_s is None


def test_facts_stand_by_the_instant_and_then_by_the_subject() -> None:
    facts = [
        Fact(subject, DomainFact.SELECTIVE, at, 9.0) for subject, at in (("b", 1.0), ("a", 2.0))
    ]

    assert [(1.0, "b"), (2.0, "a")] == [fact.place for fact in facts]
    assert all(fact.place < FIRST_PLACE for fact in facts)
