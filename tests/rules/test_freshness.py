"""How long a verdict is believed, and which of two is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.freshness import (
    MAX_WINDOW_S,
    MIN_WINDOW_S,
    SECOND_REFUSAL_AFTER_S,
    Entry,
    Freshness,
    ages_of,
    asked_again_at,
    judge,
    merge,
    remember,
    window_s,
)
from ringback.values.evidence import Exchange, Fault, Meaning, Stage
from ringback.values.settings import Ages, Cache
from ringback.values.verdict import Conclusion, Reason, Verdict

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0
NOON = 1_800_000_000.0
AGES = ages_of(Cache())
RECHECKS = (360.0, 900.0, 3_600.0)
KEY = "ann@shop.example"


def entry(
    reason: Reason,
    at: float = NOON,
    *,
    expires_at: float | None = None,
    retry_at: float | None = None,
    attempts: int = 0,
    doubted_at: float | None = None,
) -> Entry:
    made = Entry(KEY, reason, retry_at is None, "a rule", at, 0.0, retry_at, attempts=attempts)
    expires = expires_at if expires_at is not None else at + AGES[made.verdict].expire_s
    return Entry(
        KEY,
        reason,
        retry_at is None,
        "a rule",
        at,
        expires,
        retry_at,
        attempts=attempts,
        doubted_at=doubted_at,
    )


GOOD, BAD, SILENT = Reason.ACCEPTED, Reason.NO_SUCH_MAILBOX, Reason.UNREACHABLE


# judge


@pytest.mark.parametrize(
    ("reason", "age_s", "expected"),
    [
        (GOOD, 0, Freshness.FRESH),
        (GOOD, 7 * DAY - 1, Freshness.FRESH),
        (GOOD, 7 * DAY, Freshness.STALE),
        (GOOD, 31 * DAY - 1, Freshness.STALE),
        (GOOD, 31 * DAY, Freshness.EXPIRED),
        (BAD, 0, Freshness.FRESH),
        (BAD, 3 * HOUR - 1, Freshness.FRESH),
        (BAD, 3 * HOUR, Freshness.CONFIRM),
        (BAD, 3 * DAY - 1, Freshness.CONFIRM),
        (BAD, 3 * DAY, Freshness.EXPIRED),
        (Reason.ACCEPTS_ANY, 10 * MINUTE - 1, Freshness.FRESH),
        (Reason.ACCEPTS_ANY, 10 * MINUTE, Freshness.STALE),
        (Reason.ACCEPTS_ANY, 1 * HOUR, Freshness.EXPIRED),
    ],
)
def test_two_ages_for_each_verdict(reason: Reason, age_s: float, expected: Freshness) -> None:
    assert judge(entry(reason), NOON + age_s, AGES) is expected


def test_an_old_refusal_is_confirmed_and_never_merely_stale() -> None:
    judged = {judge(entry(BAD), NOON + hours * HOUR, AGES) for hours in range(80)}

    assert judged == {Freshness.FRESH, Freshness.CONFIRM, Freshness.EXPIRED}


@pytest.mark.parametrize(
    ("reason", "expected"),
    [(GOOD, Freshness.STALE), (BAD, Freshness.CONFIRM), (SILENT, Freshness.STALE)],
)
def test_a_clock_that_was_ahead_counts_as_stale(reason: Reason, expected: Freshness) -> None:
    assert judge(entry(reason), NOON - 1, AGES) is expected


def test_until_its_retry_an_unknown_answers_and_then_no_more() -> None:
    waits = entry(Reason.GREYLISTED, retry_at=NOON + 360, expires_at=NOON + 360 + HOUR)

    assert judge(waits, NOON + 359, AGES) is Freshness.FRESH
    assert judge(waits, NOON + 360, AGES) is Freshness.EXPIRED
    assert judge(waits, NOON + 10 * HOUR, AGES) is Freshness.EXPIRED


def test_a_retry_noted_by_a_clock_ahead_is_not_waited_for() -> None:
    waits = entry(Reason.GREYLISTED, retry_at=NOON + 360, expires_at=NOON + HOUR)

    assert judge(waits, NOON - 365 * DAY, AGES) is Freshness.STALE


def test_a_doubted_address_is_doubtful_for_an_hour_and_then_asked() -> None:
    doubted = entry(GOOD, NOON - DAY, doubted_at=NOON)

    assert judge(doubted, NOON, AGES) is Freshness.DOUBTFUL
    assert judge(doubted, NOON + SECOND_REFUSAL_AFTER_S - 1, AGES) is Freshness.DOUBTFUL
    assert judge(doubted, NOON + SECOND_REFUSAL_AFTER_S, AGES) is Freshness.EXPIRED
    assert judge(doubted, NOON + 31 * DAY, AGES) is Freshness.EXPIRED


def test_an_old_refusal_that_could_not_be_confirmed_waits_until_its_host_may_be_asked() -> None:
    deferred = entry(Reason.GREYLISTED, NOON + DAY, retry_at=NOON + DAY + 300)
    kept = merge(entry(BAD), deferred)

    assert BAD == kept.reason
    assert judge(kept, NOON + DAY + 299, AGES) is Freshness.DOUBTFUL
    assert NOON + DAY + 300 == asked_again_at(kept)
    assert judge(kept, NOON + DAY + 300, AGES) is Freshness.CONFIRM
    assert judge(kept, NOON + DAY - 1, AGES) is Freshness.CONFIRM


def test_a_doubted_address_waits_until_its_host_may_be_asked() -> None:
    doubted = entry(GOOD, NOON - DAY, doubted_at=NOON)
    deferred = entry(Reason.GREYLISTED, NOON + HOUR, retry_at=NOON + HOUR + 300)
    kept = merge(doubted, deferred)

    assert judge(kept, NOON + HOUR + 299, AGES) is Freshness.DOUBTFUL
    assert judge(kept, NOON + HOUR + 300, AGES) is Freshness.EXPIRED


def test_a_final_unknown_has_no_old_refusal_wait() -> None:
    kept = merge(entry(BAD), entry(Reason.REFUSES_US, NOON + DAY))

    assert judge(kept, NOON + DAY + 1, AGES) is Freshness.CONFIRM


def test_a_doubt_noted_by_a_clock_ahead_holds_no_mail_up() -> None:
    doubted = entry(GOOD, NOON - 400 * DAY, expires_at=NOON + DAY, doubted_at=NOON)

    assert judge(doubted, NOON - 365 * DAY, AGES) is Freshness.EXPIRED


# merge


def test_ignorance_does_not_erase_knowledge() -> None:
    silence = entry(SILENT, NOON + HOUR)
    for known in (entry(GOOD), entry(BAD)):
        assert merge(known, silence) == known.but(tried_at=NOON + HOUR)


def test_ignorance_replaces_ignorance_and_what_has_expired() -> None:
    silence = entry(SILENT, NOON + 31 * DAY)

    assert merge(None, silence) is silence
    assert merge(entry(Reason.GREYLISTED), silence) is silence
    assert merge(entry(GOOD), silence) is silence
    assert merge(entry(BAD), silence) is silence


def test_knowledge_replaces_all() -> None:
    for new in (entry(GOOD, NOON + HOUR), entry(BAD, NOON + HOUR)):
        for old in (None, entry(SILENT), entry(BAD)):
            assert merge(old, new) is new
    again = entry(GOOD, NOON + HOUR)
    assert merge(entry(GOOD), again) is again


def test_one_refusal_of_a_good_address_only_raises_doubt() -> None:
    known, refused = entry(GOOD), entry(BAD, NOON + DAY)

    kept = merge(known, refused)

    assert (kept.reason, kept.doubted_at, kept.checked_at) == (GOOD, NOON + DAY, NOON)


@pytest.mark.parametrize(
    ("after_s", "reason"),
    [(1, GOOD), (SECOND_REFUSAL_AFTER_S - 1, GOOD), (SECOND_REFUSAL_AFTER_S, BAD), (DAY, BAD)],
)
def test_a_second_refusal_counts_when_it_comes_an_hour_later(
    after_s: float, reason: Reason
) -> None:
    doubted = merge(entry(GOOD), entry(BAD, NOON + DAY))
    kept = merge(doubted, entry(BAD, NOON + DAY + after_s))

    assert kept.reason is reason
    assert kept.doubted_at == (NOON + DAY if reason is GOOD else None)


def test_a_doubt_is_cleared_by_an_acceptance_and_not_by_silence() -> None:
    doubted = merge(entry(GOOD), entry(BAD, NOON + DAY))

    assert merge(doubted, entry(SILENT, NOON + 2 * DAY)).doubted_at == NOON + DAY
    assert merge(doubted, entry(GOOD, NOON + 2 * DAY)).doubted_at is None


def test_a_doubt_ahead_of_the_clock_begins_anew() -> None:
    doubted = entry(GOOD, NOON - DAY, doubted_at=NOON + 365 * DAY)

    kept = merge(doubted, entry(BAD, NOON))

    assert (kept.reason, kept.doubted_at) == (GOOD, NOON)


def test_an_expired_good_address_takes_one_refusal() -> None:
    refused = entry(BAD, NOON + 31 * DAY)

    assert merge(entry(GOOD), refused) is refused


REASONS = st.sampled_from([GOOD, BAD, SILENT, Reason.GREYLISTED, Reason.ACCEPTS_ANY])
ENTRIES = st.lists(st.tuples(REASONS, st.floats(0, 2 * DAY)), min_size=1, max_size=12)


@pytest.mark.slow
@given(ENTRIES)
def test_over_any_history_a_good_address_falls_only_after_two_refusals(
    history: list[tuple[Reason, float]],
) -> None:
    kept: Entry | None = None
    now, refusals = NOON, list[float]()
    for reason, later_s in history:
        now += later_s
        before = kept
        kept = merge(kept, entry(reason, now))
        refusals = [*refusals, now] if reason is BAD else [] if reason is GOOD else refusals
        live_good = before and before.reason is GOOD and now < before.expires_at
        if live_good and kept.reason is BAD:
            assert refusals[-1] - refusals[0] >= SECOND_REFUSAL_AFTER_S
        if before and before.verdict is not Verdict.UNKNOWN and now < before.expires_at:
            assert kept.verdict is not Verdict.UNKNOWN


def test_a_host_that_is_down_is_not_called_for_every_stale_answer() -> None:
    tried = merge(entry(GOOD), entry(SILENT, NOON + 8 * DAY))

    assert judge(tried, NOON + 8 * DAY, AGES) is Freshness.FRESH
    assert judge(tried, NOON + 8 * DAY + 10 * MINUTE, AGES) is Freshness.STALE
    assert judge(tried, NOON + 7.5 * DAY, AGES) is Freshness.STALE


def test_a_refusal_is_confirmed_however_often_that_was_tried() -> None:
    tried = merge(entry(BAD), entry(SILENT, NOON + 4 * HOUR))

    assert judge(tried, NOON + 4 * HOUR + 1, AGES) is Freshness.CONFIRM


# remember


def conclusion(
    reason: Reason = Reason.GREYLISTED,
    *,
    final: bool = False,
    text: str = "later",
    fault: Fault | None = None,
    at: float = NOON,
) -> Conclusion:
    said = Exchange(at, Stage.RCPT, text=text, fault=fault, meaning=Meaning.GREYLISTED)
    return Conclusion(reason, final, "a rule", said, settled=reason is Reason.AMBIGUOUS_REPLY)


def recall(concluded: Conclusion, old: Entry | None = None, now: float = NOON) -> Entry:
    evidence = (concluded.because,) if concluded.because else ()
    return remember(KEY, concluded, evidence, now, old, AGES, RECHECKS)


def test_an_entry_keeps_what_was_concluded() -> None:
    concluded = conclusion(Reason.AMBIGUOUS_REPLY, final=True)
    kept = recall(concluded)

    assert (kept.key, kept.reason, kept.rule, kept.settled) == (
        KEY,
        Reason.AMBIGUOUS_REPLY,
        "a rule",
        True,
    )
    assert (kept.because, kept.evidence) == (concluded.because, (concluded.because,))
    assert (kept.checked_at, kept.expires_at) == (NOON, NOON + HOUR)


@pytest.mark.parametrize(
    ("reason", "expire_s"), [(GOOD, 31 * DAY), (BAD, 3 * DAY), (Reason.REFUSES_US, HOUR)]
)
def test_what_is_final_expires_by_its_verdict(reason: Reason, expire_s: float) -> None:
    kept = recall(conclusion(reason, final=True))

    assert (kept.final, kept.retry_at, kept.expires_at) == (True, None, NOON + expire_s)


def test_retries_follow_the_schedule_and_then_it_is_final() -> None:
    old: Entry | None = None
    waits, now = [], NOON
    for _ in range(4):
        old = recall(conclusion(at=now), old, now)
        waits.append(None if old.retry_at is None else old.retry_at - now)
        now = old.retry_at or now

    assert waits == [*RECHECKS, None]
    assert old is not None
    assert old.final


REMEMBERED = Exchange(NOON, Stage.RCPT, ip="192.0.2.1", meaning=Meaning.GREYLISTED)
CALLED = Exchange(NOON, Stage.CONNECT, 1, ip="192.0.2.2", fault=Fault.TIMEOUT)
UNSAID = Exchange(NOON, Stage.ROUTE, fault=Fault.DNS_FAILURE)


@pytest.mark.parametrize(
    ("said", "spared_counts", "attempts"),
    [
        # Another address waits for the host, and this one was not asked.
        ((REMEMBERED,), False, 2),
        ((REMEMBERED,), True, 3),
        ((CALLED, REMEMBERED), False, 3),
        ((CALLED,), False, 3),
        ((UNSAID,), False, 3),
    ],
)
def test_for_who_can_wait_only_what_was_tried_uses_up_the_schedule(
    said: tuple[Exchange, ...], spared_counts: bool, attempts: int
) -> None:
    old = entry(Reason.GREYLISTED, retry_at=NOON, attempts=2)
    concluded = Conclusion(Reason.GREYLISTED, False, "a rule", said[-1])
    kept = remember(KEY, concluded, said, NOON, old, AGES, RECHECKS, spared_counts=spared_counts)

    assert (attempts, attempts == 3) == (kept.attempts, kept.final)


def test_after_a_final_answer_the_schedule_begins_anew() -> None:
    used_up = recall(conclusion(), entry(Reason.GREYLISTED, retry_at=NOON, attempts=2))

    assert used_up.final
    assert recall(conclusion(), used_up).retry_at == NOON + RECHECKS[0]


def test_the_window_that_the_host_names_comes_first() -> None:
    kept = recall(conclusion(text="Greylisted, try again in 10 minutes"))

    assert kept.retry_at == NOON + 600
    assert kept.expires_at == NOON + 600 + HOUR


def test_the_wait_begins_at_the_hosts_word_and_is_never_over_at_once() -> None:
    assert recall(conclusion(at=NOON - 60)).retry_at == NOON - 60 + RECHECKS[0]
    assert recall(conclusion(at=NOON - DAY)).retry_at == NOON + RECHECKS[0]
    assert recall(conclusion(at=NOON + DAY)).retry_at == NOON + RECHECKS[0]


def test_our_own_words_about_a_fault_name_no_window() -> None:
    silent = conclusion(SILENT, text="no answer within 20 s", fault=Fault.TIMEOUT)

    assert recall(silent).retry_at == NOON + RECHECKS[0]


def test_without_an_exchange_the_schedule_holds() -> None:
    assert recall(Conclusion(SILENT, False, "no host was reached")).retry_at == NOON + RECHECKS[0]


def test_without_a_schedule_all_is_final() -> None:
    kept = remember(KEY, conclusion(), (), NOON, None, AGES, ())

    assert (kept.final, kept.retry_at) == (True, None)


def test_a_callout_of_a_settled_address_starts_the_schedule() -> None:
    assert recall(conclusion(), entry(BAD)).attempts == 0


# window_s


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Greylisted, please try again in 300 seconds", 300.0),
        ("4.2.0 Greylisted for 5 minutes", 300.0),
        ("try again after 300s", 300.0),
        ("please wait 2 hours", 7_200.0),
        ("retry within 5 min.", 300.0),
        ("wait another 90 sec", 90.0),
        ("retry after 00:04:30", 270.0),
        ("TRY AGAIN IN 1 MINUTE", 60.0),
        ("come back\nin 5 minutes", 300.0),
        ("in 1 second", MIN_WINDOW_S),
        ("in 0 seconds", MIN_WINDOW_S),
        ("for 999999 hours", MAX_WINDOW_S),
        ("after 99:99:99", MAX_WINDOW_S),
        ("Greylisted", None),
        ("try again later", None),
        ("", None),
        ("in 5 ſeconds", None),
        ("in ٣ seconds", None),
        ("in 5 days", None),
        ("in 1234567 seconds", None),
        ("x" * 2_000 + " in 300 seconds", None),
    ],
)
def test_the_time_that_a_host_names(text: str, expected: float | None) -> None:
    assert window_s(text) == expected


WORDS = st.sampled_from(
    ["in ", "for", " ", "5", "0", "s", "m", "h", ":", "00", "ſ", "K", "\t", "another"]
)


@given(st.text() | st.lists(WORDS).map("".join))
def test_a_window_is_within_bounds_or_not_named(text: str) -> None:
    window = window_s(text)

    assert window is None or MIN_WINDOW_S <= window <= MAX_WINDOW_S


@pytest.mark.parametrize(
    "text", ["in" + " " * 10**6, "in " * 10**6, "in 1" + " " * 10**6, "in 1s" * 10**6]
)
def test_a_hostile_text_costs_no_more_than_its_beginning(text: str) -> None:
    assert window_s(text) == window_s(text[:1_000])


def test_ages_come_from_the_settings() -> None:
    cache = Cache(unknown=Ages(1.0, 2.0))

    assert set(ages_of(cache)) == set(Verdict)
    assert ages_of(cache)[Verdict.UNKNOWN] == Ages(1.0, 2.0)
