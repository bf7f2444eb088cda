"""The words of evidence.md section 1, and what an Exchange may say."""

import pytest

from ringback.values.evidence import About, Exchange, Fault, Meaning, Reading, Stage

MEANINGS = """
    accepted ambiguous_accept unknown_user disabled_user moved full unknown_domain null_sender_refused
    sender_rejected client_blocked rate_limited greylisted verifying server_trouble tls_required
    auth_required content_or_policy syntax unclear
"""


def test_meanings_are_the_closed_set() -> None:
    assert [meaning.value for meaning in Meaning] == MEANINGS.split()


def test_a_conversation_ends_before_data() -> None:
    assert "data" not in set(Stage)
    assert [stage.value for stage in Stage if stage.value in {"mail", "rcpt", "vrfy"}] == [
        "mail",
        "rcpt",
        "vrfy",
    ]


def test_three_mailboxes_are_asked_for_and_no_other() -> None:
    assert {about.value for about in About} == {"address", "control", "postmaster"}


def test_a_fault_is_no_meaning() -> None:
    assert not {fault.value for fault in Fault} & {meaning.value for meaning in Meaning}


def test_an_exchange_begins_with_nothing_said() -> None:
    exchange = Exchange(0.0, Stage.ROUTE)

    assert (exchange.connection, exchange.code, exchange.meaning, exchange.fault) == (
        0,
        None,
        None,
        None,
    )
    assert exchange.about is About.ADDRESS


def test_evidence_is_not_rewritten() -> None:
    with pytest.raises(AttributeError):
        Exchange(0.0, Stage.RCPT).weak = True  # type: ignore[misc]


def test_a_reading_is_firm_unless_it_says_otherwise() -> None:
    assert not Reading(Meaning.UNKNOWN_USER, "a rule").weak
