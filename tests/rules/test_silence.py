"""What follows where the DNS has told nothing."""

import pytest

from ringback.rules.silence import MAX_NAMESERVERS, judge_silence, stay_fatal
from ringback.values.fitness import Aspect, Finding, Severity

IP, IP6 = "192.0.2.7", "2001:db8::7"

LEARNED = {
    (Aspect.DNS, Severity.OK),
    (Aspect.REVERSE_NAME, Severity.OK),
    (Aspect.HELO_NAME, Severity.OK),
    (Aspect.SPF, Severity.OK),
    (Aspect.REVERSE_NAME, Severity.FATAL),
    (Aspect.BLOCK_LIST, Severity.FATAL),
}


def of(severity: Severity, subject: str = IP, what: Aspect = Aspect.REVERSE_NAME) -> Finding:
    return Finding(what, severity, "", "", subject)


# Whether anything was learned.


@pytest.mark.parametrize("severity", Severity)
@pytest.mark.parametrize("what", Aspect)
def test_only_what_takes_an_answer_is_a_sign_of_life(what: Aspect, severity: Severity) -> None:
    silence = judge_silence([of(Severity.UNKNOWN), of(severity, what=what)], ())

    assert ((what, severity) in LEARNED) is (silence == ())


def test_a_silent_dns_is_fatal_and_its_servers_are_named() -> None:
    servers = [f"192.0.2.{number}" for number in range(MAX_NAMESERVERS + 1)]

    [finding] = judge_silence([of(Severity.UNKNOWN)], servers)

    assert (Aspect.DNS, Severity.FATAL) == (finding.what, finding.severity)
    assert "no name server gives an answer of use (192.0.2.0, 192.0.2.1, 192.0.2.2)" == finding.text
    assert "resolvers that answer in dns.nameservers" in finding.remedy


def test_one_that_answers_what_cannot_be_believed_is_not_called_silent() -> None:
    [finding] = judge_silence([of(Severity.WARNING, what=Aspect.DNS)], ())

    assert (Aspect.DNS, Severity.FATAL) == (finding.what, finding.severity)
    assert "no answer of the name servers can be believed (the system's were asked)" == finding.text
    assert "dns.canary" in finding.remedy


# What was fatal before.


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (Severity.UNKNOWN, Severity.FATAL),
        (Severity.OK, Severity.OK),
        (Severity.WARNING, Severity.WARNING),
    ],
)
def test_only_an_answer_mends_what_was_fatal(now: Severity, expected: Severity) -> None:
    kept = stay_fatal([of(Severity.FATAL)], [of(now)], whole=True)

    assert (of(expected),) == kept


def test_what_was_not_fatal_may_become_unknown() -> None:
    kept = stay_fatal([of(Severity.OK)], [of(Severity.UNKNOWN)], whole=True)

    assert (of(Severity.UNKNOWN),) == kept


def test_what_is_not_looked_at_any_more_is_forgotten_unless_there_was_no_time() -> None:
    before, now = [of(Severity.FATAL, IP6)], [of(Severity.OK)]

    assert (of(Severity.OK),) == stay_fatal(before, now, whole=True)
    assert (of(Severity.OK), *before) == stay_fatal(before, now, whole=False)


def test_of_a_silent_dns_each_examination_tells_anew() -> None:
    silence = judge_silence([], ())

    assert () == stay_fatal(silence, [], whole=False)
