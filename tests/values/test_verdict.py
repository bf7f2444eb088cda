"""The closed sets of evidence.md sections 2 and 3."""

from ringback.values.verdict import (
    BLAME_OF,
    VERDICT_OF,
    Blame,
    Conclusion,
    Outcome,
    Reason,
    Verdict,
)

# evidence.md section 3: verdict, blame, reasons.
SECTION_3 = """
    deliverable    address  accepted
    undeliverable  address  bad_syntax no_such_domain no_mail_host null_mx
    undeliverable  address  no_such_mailbox mailbox_disabled mailbox_moved
    unknown        peer     accepts_any refuses_any refuses_null_sender
    unknown        peer     ambiguous_reply policy_refusal domain_not_served
    unknown        peer     greylisted peer_is_verifying peer_trouble
    unknown        peer     protocol_error tls_required needs_smtputf8
    unknown        address  mailbox_full
    unknown        us       refuses_us rate_limited identity_unfit our_trouble
    unknown        network  dns_failure unreachable
    unknown        policy   opted_out over_budget not_asked deadline
"""
OUTCOMES = """
    accepted unsure rejected deferred full no_bounces refused unreachable garbled
"""
ROWS = [line.split() for line in SECTION_3.split("\n") if line.strip()]


def test_there_are_three_verdicts() -> None:
    assert {verdict.value for verdict in Verdict} == {"deliverable", "undeliverable", "unknown"}


def test_every_reason_has_the_verdict_and_the_blame_that_the_design_says() -> None:
    verdicts = {reason: verdict for verdict, _, *reasons in ROWS for reason in reasons}
    blames = {reason: blame for _, blame, *reasons in ROWS for reason in reasons}

    assert verdicts == dict(VERDICT_OF)
    assert blames == dict(BLAME_OF)


def test_no_reason_is_left_out() -> None:
    assert set(VERDICT_OF) == set(BLAME_OF) == set(Reason)
    assert set(BLAME_OF.values()) == set(Blame)


def test_outcomes_are_the_closed_set() -> None:
    assert {outcome.value for outcome in Outcome} == set(OUTCOMES.split())


def test_only_what_is_about_the_address_is_held_against_it() -> None:
    condemned = {reason for reason in Reason if VERDICT_OF[reason] is Verdict.UNDELIVERABLE}

    assert {BLAME_OF[reason] for reason in condemned} == {Blame.ADDRESS}


def test_a_conclusion_has_the_verdict_of_its_reason() -> None:
    assert Conclusion(Reason.NULL_MX, True, "null MX").verdict is Verdict.UNDELIVERABLE
