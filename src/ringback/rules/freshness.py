"""How long a verdict may be believed, and which of two to keep. Pure functions: callers pass `now`.

Durations are in seconds, instants in Unix seconds. Two ages per verdict, and the first two pairs of
the default numbers, are those of Postfix verify(8).
Not here: where entries are kept (store/), and when a greylisting host is asked again (rules/conclude.py).
"""

import re
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

from ..values.evidence import Exchange
from ..values.record import Record
from ..values.settings import Ages, Cache
from ..values.verdict import VERDICT_OF, Conclusion, Reason, Verdict


class Entry(Record, frozen=True):
    """What is remembered of one address. `key` is Address.key, exact."""

    key: str
    reason: Reason
    final: bool
    rule: str
    checked_at: float
    expires_at: float
    retry_at: float | None = None
    settled: bool = False  # the address itself was accepted; only the contrast is open
    attempts: int = 0  # callouts in a row that were told to come back
    doubted_at: float | None = None  # when a `deliverable` was first refused
    tried_at: float | None = None  # when a callout last learned nothing that could replace this
    rest_ends_at: float | None = None  # and when that callout was told to come back
    because: Exchange | None = None
    evidence: tuple[Exchange, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return VERDICT_OF[self.reason]


# A refusal of an address known as deliverable counts when a second one comes this much later.
SECOND_REFUSAL_AFTER_S = 3_600


class Freshness(Enum):
    """What an entry is good for."""

    FRESH = "fresh"  # answer from the store
    STALE = "stale"  # answer from the store, and call again in the background
    CONFIRM = "confirm"  # an old refusal: call before it rejects mail
    # Known as deliverable, and refused since; or an old refusal that could not be confirmed just now.
    DOUBTFUL = "doubtful"  # defer until it is asked again
    EXPIRED = "expired"  # call before answering


FRESH: Final = Freshness.FRESH  # as SENDER in values/query.py


def judge(entry: Entry, now: float, ages: Mapping[Verdict, Ages]) -> Freshness:
    """Say whether `entry` may still answer a query."""
    age_s = now - entry.checked_at
    due = entry.retry_at is not None and now >= entry.retry_at
    if due or now >= entry.expires_at:
        return Freshness.EXPIRED
    if entry.doubted_at is not None:
        waits = _doubt_is_young(entry.doubted_at, now) or _rests(entry, now)
        return Freshness.DOUBTFUL if waits else Freshness.EXPIRED
    if entry.retry_at is not None and age_s >= 0:
        return FRESH
    if 0 <= age_s < ages[entry.verdict].refresh_s:
        return FRESH
    # Past its refresh, or written by a clock that was ahead of this one.
    if entry.verdict is Verdict.UNDELIVERABLE:
        return Freshness.DOUBTFUL if _rests(entry, now) else Freshness.CONFIRM
    return _stale(entry, now, ages)


def _rests(entry: Entry, now: float) -> bool:
    # A host that greylists, or is down, is not called for every message about one address.
    tried_at, ends_at = entry.tried_at, entry.rest_ends_at
    return tried_at is not None and ends_at is not None and tried_at <= now < ends_at


def _stale(entry: Entry, now: float, ages: Mapping[Verdict, Ages]) -> Freshness:
    # Nor is one that is down for every message that its live entries answer.
    rests = (
        entry.tried_at is not None and 0 <= now - entry.tried_at < ages[Verdict.UNKNOWN].refresh_s
    )
    return Freshness.FRESH if rests else Freshness.STALE


def asked_again_at(entry: Entry) -> float:
    """When an entry that is doubtful may be asked again."""
    doubt_ends_at = 0.0 if entry.doubted_at is None else entry.doubted_at + SECOND_REFUSAL_AFTER_S
    return max(doubt_ends_at, entry.rest_ends_at or 0.0)


def _doubt_is_young(doubted_at: float, now: float) -> bool:
    # An instant ahead of the clock was noted before the clock was set back: nobody waits for it.
    return 0 <= now - doubted_at < SECOND_REFUSAL_AFTER_S


def merge(old: Entry | None, new: Entry) -> Entry:
    """Choose which of two entries for one address to keep.

    A callout that learned nothing must not erase one that did: an MX down for an hour would turn
    every mailbox behind it into an unknown one.
    """
    now = new.checked_at
    if old is None or old.verdict is Verdict.UNKNOWN or now >= old.expires_at:
        return new
    if new.verdict is Verdict.UNKNOWN:
        return old.but(tried_at=now, rest_ends_at=new.retry_at)
    if old.verdict is Verdict.DELIVERABLE and new.verdict is Verdict.UNDELIVERABLE:
        first = old.doubted_at
        if first is None or first > now:
            return old.but(doubted_at=now, rest_ends_at=None)
        if _doubt_is_young(first, now):
            return old
    return new


def remember(
    key: str,
    conclusion: Conclusion,
    evidence: tuple[Exchange, ...],
    now: float,
    old: Entry | None,
    ages: Mapping[Verdict, Ages],
    recheck_after_s: Sequence[float],
    *,
    spared_counts: bool = True,
) -> Entry:
    """Make the entry for what a callout concluded.

    A conclusion that waiting may change gets a `retry_at`: after the time the host itself named, else
    by `recheck_after_s`, one after the other. When those are used up, it is final. Mail does not wait for
    ever while other addresses do at its host; unless `spared_counts`, only rounds with a call use them up.
    """
    attempts = 0
    if old and old.retry_at is not None:
        # While another address waits for the host, this one was not asked again, and not told anything.
        attempts = old.attempts + (spared_counts or not _was_spared(conclusion, evidence))
    retry_at = None
    if not conclusion.final and attempts < len(recheck_after_s):
        because = conclusion.because
        # Of a fault, the text is our own: "no answer within 20 s" names no window.
        named = window_s(because.text) if because and because.fault is None else None
        wait_s = named if named is not None else recheck_after_s[attempts]
        # Counted from the host's word, which may be older than this callout, but not ahead of it.
        said_at = min(because.at, now) if because else now
        retry_at = (said_at if said_at + wait_s > now else now) + wait_s
    return Entry(
        key=key,
        reason=conclusion.reason,
        final=retry_at is None,
        rule=conclusion.rule,
        checked_at=now,
        expires_at=max(now, retry_at or 0.0) + ages[conclusion.verdict].expire_s,
        retry_at=retry_at,
        settled=conclusion.settled,
        attempts=attempts,
        because=conclusion.because,
        evidence=evidence,
    )


def _was_spared(conclusion: Conclusion, evidence: tuple[Exchange, ...]) -> bool:
    """True where nobody was called, for what is remembered of a host."""
    because = conclusion.because
    remembered = because is not None and because.ip != ""
    return remembered and not any(said.connection for said in evidence)


# "try again in 300 seconds", "Greylisted for 5 minutes", "retry after 00:04:30" …
_WINDOW = re.compile(
    r"\b(?:in|for|after|wait|within|another)\s+(?:(\d\d):(\d\d):(\d\d)|(\d{1,6})\s*(s|m|h)[a-z]*)\b",
    re.I | re.ASCII,  # without ASCII, "ſ" is an "s" and has no unit
)
_UNIT_S = {"s": 1, "m": 60, "h": 3_600}
# A host that names less is asked no sooner; one that names more is not waited for.
MIN_WINDOW_S, MAX_WINDOW_S = 30.0, 14_400.0
_READ_CHARS = 1_000


def window_s(text: str) -> float | None:
    """The time to wait that a deferral names, in seconds and within bounds; None if it names none."""
    found = _WINDOW.search(text[:_READ_CHARS])
    if found is None:
        return None
    if found[1]:
        named = int(found[1]) * 3_600 + int(found[2]) * 60 + int(found[3])
    else:
        named = int(found[4]) * _UNIT_S[found[5].lower()]
    return min(max(float(named), MIN_WINDOW_S), MAX_WINDOW_S)


def ages_of(cache: Cache) -> Mapping[Verdict, Ages]:
    return {
        Verdict.DELIVERABLE: cache.deliverable,
        Verdict.UNDELIVERABLE: cache.undeliverable,
        Verdict.UNKNOWN: cache.unknown,
    }
