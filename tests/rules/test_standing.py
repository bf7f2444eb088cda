"""What is remembered of a host, and what follows for who would call it now."""

import pytest

from ringback.rules.breakers import REFUSAL_COUNTS_S, REFUSAL_PAUSE_S, STRIKES_KEPT_S
from ringback.rules.contrast import FIRST_REST_S
from ringback.rules.outcomes import Then
from ringback.rules.standing import Moment, Standing, live, shown_by, stand
from ringback.values.evidence import Exchange, Meaning, Stage
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.verdict import Outcome

NOON = 1_800_000_000.0
IP = "192.0.2.1"
NOW = Moment(NOON, "ann@shop.example", 360.0)
REFUSAL = Exchange(NOON, Stage.GREETING, ip=IP, code=554, meaning=Meaning.CLIENT_BLOCKED)
DELAY = Exchange(
    NOON,
    Stage.RCPT,
    ip=IP,
    code=450,
    command="RCPT TO:<bob@shop.example>",
    meaning=Meaning.GREYLISTED,
)


def fact(kind: HostFact | DomainFact, said: Exchange = REFUSAL, ago_s: float = 0.0) -> Fact:
    noted_at = NOON - ago_s
    return Fact(IP, kind, noted_at, noted_at + STRIKES_KEPT_S, (said,))


def test_a_stranger_is_called() -> None:
    assert Standing() == stand((), NOW)


def test_an_open_breaker_answers_in_the_place_of_the_host() -> None:
    standing = stand([fact(HostFact.REFUSES_US)], NOW)

    assert standing.finding is not None
    assert (Outcome.REFUSED, Then.ONE_MORE_HOST) == (
        standing.finding.outcome,
        standing.finding.then,
    )
    assert ((REFUSAL,), ()) == (standing.said, standing.tries)


def test_a_half_open_one_is_tried() -> None:
    standing = stand([fact(HostFact.REFUSES_US, ago_s=REFUSAL_PAUSE_S)], NOW)

    assert standing.finding is None
    assert ((REFUSAL,), (IP,)) == (standing.said, standing.tries)


def test_while_one_tries_it_the_others_get_its_last_words() -> None:
    half_open = fact(HostFact.REFUSES_US, ago_s=REFUSAL_PAUSE_S)

    standing = stand([half_open], NOW.but(tried={IP}))

    assert standing.finding is not None
    assert () == standing.tries


def test_a_closed_one_only_counts_against_weak_words() -> None:
    closed = fact(HostFact.REFUSES_US).but(strikes=0)

    assert Standing(said=(REFUSAL,)) == stand([closed], NOW)


def test_so_does_a_refusal_for_some_domain() -> None:
    assert Standing(said=(REFUSAL,)) == stand([fact(HostFact.REFUSES_SOME)], NOW)


@pytest.mark.parametrize("kind", [HostFact.REFUSES_SOME, HostFact.REFUSES_US])
def test_after_a_day_it_counts_no_more(kind: HostFact) -> None:
    old = fact(kind, ago_s=REFUSAL_COUNTS_S).but(strikes=0)

    assert Standing() == stand([old], NOW)


def test_a_host_that_wants_no_callouts_has_opted_out() -> None:
    wish = fact(HostFact.REFUSES_CALLOUTS)

    assert wish == stand([wish], NOW).opted_out


def test_one_address_at_a_time_waits_for_a_host_that_greylists() -> None:
    grey = fact(HostFact.GREYLISTS, DELAY)

    standing = stand([grey], NOW)

    assert standing.finding is not None
    assert Outcome.DEFERRED is standing.finding.outcome
    assert Standing() == stand([grey], NOW.but(address="bob@shop.example"))


@pytest.mark.parametrize(("window_s", "rests"), [(None, True), (300.0, False), (600.0, True)])
def test_it_rests_for_its_window_or_ours(window_s: float | None, rests: bool) -> None:
    grey = fact(HostFact.GREYLISTS, DELAY, ago_s=301).but(window_s=window_s)

    assert rests is (stand([grey], NOW).finding is not None)


def test_what_has_nothing_to_do_with_calling_is_passed_over() -> None:
    assert Standing() == stand([fact(HostFact.BREAKS_TLS)], NOW)


def test_a_fact_that_shows_nothing_answers_nothing() -> None:
    empty = fact(HostFact.REFUSES_US).but(evidence=())

    assert shown_by(empty) is None
    assert stand([empty], NOW).finding is None


@pytest.mark.parametrize(
    ("kind", "ago_s", "holds"),
    [
        (HostFact.GREYLISTS, 0, True),
        (HostFact.GREYLISTS, STRIKES_KEPT_S, False),
        (HostFact.GREYLISTS, -1, False),
        (DomainFact.ACCEPTS_ANY, -1, False),
        (HostFact.REFUSES_US, -1, True),
        (HostFact.REFUSES_CALLOUTS, -1, True),
        (HostFact.REFUSES_CALLOUTS, STRIKES_KEPT_S, False),
    ],
)
def test_of_a_clock_set_back_only_what_keeps_us_away_is_believed(
    kind: HostFact | DomainFact, ago_s: float, holds: bool
) -> None:
    assert holds is bool(live([fact(kind, ago_s=ago_s)], NOON))


def test_a_control_that_settled_nothing_twice_rests_a_while() -> None:
    def after(strikes: int, ago_s: float = 0.0) -> Standing:
        known = fact(HostFact.NO_CONTRAST, DELAY, ago_s).but(strikes=strikes)
        return stand([known], NOW)

    assert (DELAY,) == (resting.evidence if (resting := after(2).no_contrast) else ())
    assert Standing() == after(1) == after(2, FIRST_REST_S)
