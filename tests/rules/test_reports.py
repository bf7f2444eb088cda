"""Conclusions and entries as every door gets them."""

import pytest

from ringback.rules.exemptions import Refusal
from ringback.rules.freshness import SECOND_REFUSAL_AFTER_S, Entry
from ringback.rules.gates import Gate
from ringback.rules.reports import (
    Heading,
    doubted,
    from_callout,
    from_conclusion,
    from_entry,
    refused,
    unasked,
)
from ringback.values.evidence import Exchange, Fault, Meaning, Stage
from ringback.values.query import Report
from ringback.values.verdict import Conclusion, Reason, Verdict

NOON = 1_800_000_000.0
HEADING = Heading("Ann@shop.example", NOON)
SAID = (
    Exchange(NOON, Stage.ROUTE),
    Exchange(NOON, Stage.GREETING, connection=1, code=554),
    Exchange(NOON, Stage.RCPT, connection=2, code=550),
)
ENTRY = Entry(
    "ann@shop.example",
    Reason.ACCEPTED,
    True,
    "a rule",
    NOON - 60,
    NOON + 60,
    because=SAID[2],
    evidence=SAID,
)
REFUSED = ENTRY.but(reason=Reason.NO_SUCH_MAILBOX, checked_at=NOON)


def noted(fault: Fault, gate: str = "") -> Exchange:
    return Exchange(NOON, Stage.CONNECT, rule=gate, fault=fault)


def said_before(meaning: Meaning, code: int = 550) -> Exchange:
    """As a fact brings it along."""
    return Exchange(NOON, Stage.RCPT, code=code, meaning=meaning)


def test_what_was_not_asked_cost_nothing() -> None:
    report = unasked(HEADING, Reason.NOT_ASKED, "a rule", "exempt_senders")

    assert report == Report(
        address="Ann@shop.example",
        reason=Reason.NOT_ASKED,
        final=True,
        checked_at=NOON,
        rule="a rule",
        gate="exempt_senders",
    )
    assert report.callouts == 0


def test_only_a_deadline_is_provisional() -> None:
    assert not unasked(HEADING, Reason.DEADLINE, "a rule").final
    assert unasked(HEADING, Reason.BAD_SYNTAX, "a rule").final


@pytest.mark.parametrize(
    ("because", "gate"),
    [
        (noted(Fault.OPT_OUT_UNKNOWN, Gate.OPT_OUT_UNKNOWN), Gate.OPT_OUT_UNKNOWN),
        (noted(Fault.OPTED_OUT, Gate.OPTED_OUT_DNS), Gate.OPTED_OUT_DNS),
        (noted(Fault.OVER_BUDGET, Gate.CONNECTIONS), Gate.CONNECTIONS),
        (noted(Fault.FORBIDDEN_NETWORK).but(connection=1), Gate.FORBIDDEN_NETWORK),
        (noted(Fault.DNS_FAILURE), ""),
        (said_before(Meaning.CLIENT_BLOCKED), Gate.BREAKER),
        (said_before(Meaning.GREYLISTED, 450), Gate.GREYLIST),
        (said_before(Meaning.UNKNOWN_DOMAIN), ""),
        (said_before(Meaning.CLIENT_BLOCKED).but(connection=1), ""),
        (None, ""),
    ],
)
def test_a_gate_that_a_callout_came_upon_is_named(because: Exchange | None, gate: str) -> None:
    conclusion = Conclusion(Reason.NOT_ASKED, True, "a rule", because)
    new = ENTRY.but(reason=Reason.REFUSES_US, because=because)

    assert from_conclusion(HEADING, conclusion, ()).gate == gate
    assert from_callout(HEADING, new, new).gate == gate
    assert from_entry(HEADING.address, new).gate == ""


def test_a_conclusion_that_is_not_remembered() -> None:
    conclusion = Conclusion(Reason.OVER_BUDGET, True, "a rule", SAID[1], settled=True)

    assert from_conclusion(HEADING, conclusion, SAID) == Report(
        address="Ann@shop.example",
        reason=Reason.OVER_BUDGET,
        final=True,
        checked_at=NOON,
        rule="a rule",
        callouts=2,
        settled=True,
        because=SAID[1],
        evidence=SAID,
    )
    assert from_conclusion(HEADING, conclusion, ()).callouts == 0


def test_an_entry_answers_with_its_own_age_and_no_callout() -> None:
    waits = ENTRY.but(final=False, retry_at=NOON + 30, settled=True)

    assert from_entry(HEADING.address, waits) == Report(
        address="Ann@shop.example",
        reason=Reason.ACCEPTED,
        final=False,
        checked_at=NOON - 60,
        rule="a rule",
        expires_at=NOON + 60,
        retry_at=NOON + 30,
        from_cache=True,
        settled=True,
        because=SAID[2],
        evidence=SAID,
    )


def test_a_callout_answers_with_what_it_learned() -> None:
    report = from_callout(HEADING, REFUSED, REFUSED)

    assert (report.reason, report.from_cache, report.callouts) == (Reason.NO_SUCH_MAILBOX, False, 2)
    assert from_callout(HEADING, REFUSED.but(evidence=()), REFUSED).callouts == 0


def test_a_first_refusal_of_a_good_address_defers() -> None:
    kept = ENTRY.but(doubted_at=NOON)

    report = from_callout(HEADING, REFUSED, kept)

    assert (report.verdict, report.reason) == (Verdict.UNKNOWN, Reason.AMBIGUOUS_REPLY)
    assert (report.final, report.settled) == (False, False)
    assert report.retry_at == NOON + SECOND_REFUSAL_AFTER_S
    assert (report.evidence, report.from_cache, report.callouts) == (SAID, False, 2)
    assert report.because is None


@pytest.mark.parametrize("reason", [Reason.GREYLISTED, Reason.REFUSES_US])
def test_silence_after_a_doubt_answers_for_itself(reason: Reason) -> None:
    """Its retry is ahead; that of the doubt may be over."""
    new = REFUSED.but(reason=reason, final=False, retry_at=NOON + 300)
    kept = ENTRY.but(doubted_at=NOON - 2 * SECOND_REFUSAL_AFTER_S)

    report = from_callout(HEADING, new, kept)

    assert (report.reason, report.retry_at) == (reason, NOON + 300)


def test_silence_about_a_good_address_answers_for_itself() -> None:
    silent = REFUSED.but(reason=Reason.UNREACHABLE)

    assert from_callout(HEADING, silent, ENTRY).reason is Reason.UNREACHABLE


def test_a_doubted_entry_waits_for_the_second_refusal() -> None:
    report = doubted(HEADING.address, ENTRY.but(doubted_at=NOON))

    assert (report.reason, report.final, report.from_cache) == (Reason.AMBIGUOUS_REPLY, False, True)
    assert report.retry_at == NOON + SECOND_REFUSAL_AFTER_S


def test_a_gate_that_waiting_opens_says_when() -> None:
    report = refused(HEADING, Refusal(Reason.NOT_ASKED, Gate.RETRIED, "put off", NOON + 300))

    assert (report.reason, report.gate) == (Reason.NOT_ASKED, "retried")
    assert (report.final, report.retry_at) == (False, NOON + 300)
    assert report.rule == "not called: retried (put off)"


def test_a_gate_that_stays_shut_is_final() -> None:
    report = refused(HEADING, Refusal(Reason.NOT_ASKED, Gate.OWN_DOMAIN))

    assert (report.final, report.retry_at, report.rule) == (True, None, "not called: own_domain")
