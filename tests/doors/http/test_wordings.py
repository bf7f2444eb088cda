"""Words of closed sets, as people read them."""

import pytest

from ringback.doors.http.wordings import EARLY, action, doing, label, mark, reason_of
from ringback.rules.actions import Kind
from ringback.values.evidence import Stage
from ringback.values.fitness import Severity
from ringback.values.query import Report
from ringback.values.verdict import Reason, Verdict


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_is_words(reason: Reason) -> None:
    assert "_" not in label(reason)


def test_what_words_do_not_tell_is_spelled_as_it_is_spoken() -> None:
    assert ["null MX", "DNS failure", "no such mailbox"] == [
        label(word) for word in ("null_mx", "dns_failure", "no_such_mailbox")
    ]


def test_who_did_not_wait_for_the_control_met_with_no_deadline() -> None:
    late = Report("ann@shop.example", Reason.DEADLINE, False, 0.0, "a rule")

    assert ["deadline", EARLY] == [reason_of(late), reason_of(late.but(settled=True))]


@pytest.mark.parametrize("word", [*Verdict, *Severity])
def test_no_verdict_is_told_by_colour_alone(word: str) -> None:
    assert "•" != mark(word)


def test_an_action_tells_what_becomes_of_the_mail() -> None:
    told = [action(f"{kind} 4.7.1 text") for kind in Kind]

    assert ["passes", "comes back later", "comes back later", "refused"] == told
    assert "PREPEND" == action("PREPEND X: y")


def test_each_step_of_a_callout_is_told_in_words() -> None:
    told = {doing(stage) for stage in (None, *Stage)}

    assert len(Stage) + 1 == len(told)
    assert "waits for the answer to RCPT" == doing(Stage.RCPT)
