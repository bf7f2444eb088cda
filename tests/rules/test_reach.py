"""What hosts say of us, as findings."""

import pytest

from ringback.rules.reach import gate_of, judge_clock, judge_mailbox, judge_way_out, spare_mailbox
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.fitness import Aspect, Severity

MAILBOX = "ann@shop.example"
ROUTE = Exchange(0, Stage.ROUTE, command="MX shop.example", text="10 mx.shop.example")
HOST, IP = "mx.shop.example", "192.0.2.1"


def fault(what: Fault, text: str = "") -> Exchange:
    return Exchange(0, Stage.CONNECT, host=HOST, ip=IP, fault=what, text=text)


def reply(
    stage: Stage, code: int, meaning: Meaning, text: str = "", about: About = About.ADDRESS
) -> Exchange:
    return Exchange(0, stage, 1, HOST, IP, about=about, code=code, text=text, meaning=meaning)


GREETING = reply(Stage.GREETING, 220, Meaning.ACCEPTED)
ACCEPTED = reply(Stage.RCPT, 250, Meaning.ACCEPTED)
CONTROL_ACCEPTED = reply(Stage.RCPT, 250, Meaning.ACCEPTED, about=About.CONTROL)
UNKNOWN = reply(Stage.RCPT, 550, Meaning.UNKNOWN_USER)
FULL = reply(Stage.RCPT, 452, Meaning.FULL)
NO_BOUNCES = reply(Stage.MAIL, 550, Meaning.NULL_SENDER_REFUSED)
BLOCKED = reply(Stage.GREETING, 554, Meaning.CLIENT_BLOCKED, "go away")
BUSY = reply(Stage.RCPT, 451, Meaning.SERVER_TROUBLE)


@pytest.mark.parametrize(
    ("evidence", "severity", "text"),
    [
        ((ROUTE, GREETING, ACCEPTED), Severity.OK, "takes mail"),
        ((ROUTE, GREETING, ACCEPTED, CONTROL_ACCEPTED), Severity.OK, "takes mail"),
        ((ROUTE, GREETING, UNKNOWN), Severity.WARNING, "does not take mail"),
        ((ROUTE, GREETING, FULL), Severity.WARNING, "does not take mail"),
        ((ROUTE, GREETING, NO_BOUNCES), Severity.WARNING, "takes no bounces"),
        ((ROUTE, GREETING, BUSY), Severity.UNKNOWN, "is not known"),
        ((ROUTE, BLOCKED), Severity.UNKNOWN, "is not known"),
        ((ROUTE, fault(Fault.TIMEOUT)), Severity.UNKNOWN, "is not known"),
        (
            (ROUTE, fault(Fault.FORBIDDEN_NETWORK, "it is us")),
            Severity.OK,
            "not asked for: it is us",
        ),
        ((fault(Fault.FORBIDDEN_NETWORK), UNKNOWN), Severity.WARNING, "does not take mail"),
    ],
)
def test_a_mailbox_of_ours_takes_mail_or_not(
    evidence: tuple[Exchange, ...], severity: Severity, text: str
) -> None:
    found = judge_mailbox(Aspect.CONTACT_MAIL, MAILBOX, evidence)

    assert (Aspect.CONTACT_MAIL, severity, MAILBOX) == (found.what, found.severity, found.subject)
    assert text in found.text
    assert bool(found.remedy) is (severity is not Severity.OK)


def test_a_mailbox_that_comes_to_us_is_not_asked_for() -> None:
    found = spare_mailbox(Aspect.PROBE_SENDER, MAILBOX, "it is ours")

    assert (Severity.OK, "ann@shop.example is not asked for: it is ours") == (
        found.severity,
        found.text,
    )


@pytest.mark.parametrize(
    ("evidence", "severity", "text"),
    [
        ((ROUTE, GREETING, UNKNOWN), Severity.OK, "mx.shop.example at 192.0.2.1 answers"),
        ((ROUTE, fault(Fault.TIMEOUT), GREETING), Severity.OK, "answers"),
        ((ROUTE, BLOCKED), Severity.WARNING, "mx.shop.example refuses us: 554 go away"),
        (
            (ROUTE, fault(Fault.REFUSED, "shut")),
            Severity.WARNING,
            "no connection to mx.shop.example",
        ),
        ((ROUTE, fault(Fault.OVER_BUDGET, "per_host")), Severity.UNKNOWN, "not known: per_host"),
        ((ROUTE,), Severity.UNKNOWN, "no host of others was called"),
        ((), Severity.UNKNOWN, "no host of others was called"),
    ],
)
def test_the_way_out_is_open_or_not(
    evidence: tuple[Exchange, ...], severity: Severity, text: str
) -> None:
    found = judge_way_out(evidence)

    assert (Aspect.PORT, severity) == (found.what, found.severity)
    assert text in found.text


@pytest.mark.parametrize(
    ("synchronised", "severity"),
    [(True, Severity.OK), (False, Severity.WARNING), (None, Severity.UNKNOWN)],
)
def test_a_clock_that_nobody_keeps_is_a_warning(
    synchronised: bool | None, severity: Severity
) -> None:
    assert severity is judge_clock(synchronised).severity


def test_the_audit_tells_which_name_the_doctor_asked_for() -> None:
    assert gate_of("mx.shop.example") == "the doctor asks as mx.shop.example"
