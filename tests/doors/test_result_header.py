"""The header for those behind the MTA."""

import re

import pytest

from door_fakes import NOON
from ringback.doors.judging import Ruling
from ringback.doors.result_header import result_lines
from ringback.rules.actions import DUNNO, Action, Kind
from ringback.values.query import Report
from ringback.values.settings import Mode
from ringback.values.verdict import Reason

NAME = "verify.example.net"
_VALUE = re.compile(
    r"verify\.example\.net; sender=(deliverable|undeliverable|unknown) reason=[a-z_0-9]+( gate=[a-z_]+)?"
    r" action=(pass|defer|refuse) mode=(observe|enforce)"
)


def lines(reason: Reason, action: Action = DUNNO, mode: Mode = Mode.ENFORCE, gate: str = "") -> str:
    report = Report("ann@shop.example", reason, True, NOON, "a rule", gate=gate)
    return " ".join(result_lines(NAME, Ruling(report, action, DUNNO), mode))


@pytest.mark.parametrize(
    ("reason", "action", "mode", "gate", "value"),
    [
        (
            Reason.ACCEPTED,
            DUNNO,
            Mode.ENFORCE,
            "",
            "deliverable reason=accepted action=pass mode=enforce",
        ),
        (
            Reason.NO_SUCH_MAILBOX,
            Action(Kind.REFUSE, "5.1.7", "no"),
            Mode.OBSERVE,
            "",
            "undeliverable reason=no_such_mailbox action=refuse mode=observe",
        ),
        (
            Reason.NOT_ASKED,
            Action(Kind.DEFER_IF_PERMIT, "4.1.7", "later"),
            Mode.OBSERVE,
            "retried",
            "unknown reason=not_asked gate=retried action=defer mode=observe",
        ),
    ],
)
def test_what_was_concluded_and_what_follows(
    reason: Reason, action: Action, mode: Mode, gate: str, value: str
) -> None:
    assert f"{NAME}; sender={value}" == lines(reason, action, mode, gate)


@pytest.mark.parametrize("reason", Reason)
@pytest.mark.parametrize("kind", Kind)
def test_every_conclusion_has_its_words(reason: Reason, kind: Kind) -> None:
    assert _VALUE.fullmatch(lines(reason, Action(kind, "", "")))


def test_where_nothing_was_concluded_it_says_so() -> None:
    assert (f"{NAME}; none",) == result_lines(NAME, None, Mode.ENFORCE)


def test_no_line_is_longer_than_mail_likes() -> None:
    gate = "authenticated_client"
    longest = result_lines(
        "a" * 60,
        Ruling(Report("a@b", Reason.REFUSES_NULL_SENDER, True, 0.0, "", gate=gate), DUNNO, DUNNO),
        Mode.ENFORCE,
    )

    assert all(len(line) <= 78 for line in longest)
