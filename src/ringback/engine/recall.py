"""What answers without a callout, or in place of one: entries and facts of the store.

An ageing entry about a sender answers while its host is asked again in the background. That of a recipient
is near and ours: it is asked first, and the entry answers where it does not.
Not here: how long anything holds (rules/freshness.py, rules/forwarding.py), and callouts (engine/callout.py).
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import takewhile

from ..rules import reports
from ..rules.conclude import conclude
from ..rules.forwarding import ages_of_recipients, key_of, stands_in, subject_of
from ..rules.freshness import FRESH, Entry, Freshness, ages_of, judge
from ..rules.lessons import decides
from ..rules.reports import Heading
from ..values.address import Address
from ..values.facts import Fact
from ..values.query import RECIPIENT, SENDER, Purpose, Query, Report
from ..values.settings import Ages, Settings
from ..values.verdict import Verdict
from .ports import Clock, Store

# An ageing fact is a question for its domain, not for each address in it: one sample in this time,
# whatever came of it. Who forges a domain's addresses could have us call it for all of them.
FACT_REST_S = 3_600.0
# Domains that rest. One that finds no room is sampled later: its fact goes on answering.
MAX_RESTING = 10_000


class Recall:
    """One serves all askers. `ask_again` has a question asked in the background.

    What it is given is `fresh`, and a fresh question is never answered from here: so none leads to another.
    """

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, ask_again: Callable[[Query], None]
    ) -> None:
        self._settings, self._store, self._clock = settings, store, clock
        self._ask_again = ask_again
        self._resting: dict[str, float] = {}  # until when, by subject; the first to end comes first
        # How long verdicts for each purpose are believed.
        self.ages: dict[Purpose, Mapping[Verdict, Ages]] = dict.fromkeys(
            Purpose, ages_of(settings.cache)
        )
        self.ages[RECIPIENT] = ages_of_recipients(settings.cache)

    def at_hand(self, query: Query, address: Address) -> Report | None:
        """What `look_up` would answer, if it takes neither the disk nor another callout."""
        entry = None if query.fresh else self._store.load_nowait(key_of(address, query.purpose))
        now = self._clock.now()
        if entry is None or judge(entry, now, self.ages[query.purpose]) is not FRESH:
            return None
        return reports.from_entry(query.address, entry)

    async def look_up(self, query: Query, address: Address) -> tuple[Report | None, Entry | None]:
        """What answers from memory, if the asker wants that, and what is remembered of the address.

        Raises StoreError.
        """
        entry = await self._store.load(key_of(address, query.purpose))
        return await self._answer(query, address, entry), entry

    async def look_again(
        self, query: Query, address: Address, old: Entry | None
    ) -> tuple[Report | None, Entry | None]:
        """The same a moment later, when others have had their answers; `old` is what was remembered.

        What they learned of the address is in memory. Raises StoreError.
        """
        entry = self._store.load_nowait(key_of(address, query.purpose)) or old
        return await self._answer(query, address, entry), entry

    def instead(self, asked: Query, address: Address, entry: Entry | None) -> Report | None:
        """What is remembered of a recipient, where its host gives no answer to `asked` (yet)."""
        forward = asked.purpose is RECIPIENT and not asked.fresh
        if forward and entry is not None and stands_in(entry, self._clock.now()):
            return reports.from_entry(address.key, entry)
        return None

    async def _answer(self, query: Query, address: Address, entry: Entry | None) -> Report | None:
        if query.fresh:
            return None
        heading, purpose = self._heading(address), query.purpose
        freshness = judge(entry, heading.now, self.ages[purpose]) if entry else Freshness.EXPIRED
        if entry is None or _says_nothing(entry, freshness, purpose):
            facts = await self._store.load_facts(subject_of(address.domain, purpose))
            return self._from_facts(heading, query, address, facts)
        if freshness is FRESH:
            return reports.from_entry(address.key, entry)
        match freshness:
            case Freshness.DOUBTFUL:
                return self.instead(query, address, entry) or reports.doubted(address.key, entry)
            case Freshness.STALE if purpose is not RECIPIENT:
                self._ask_again(_again(query, address))
                return reports.from_entry(address.key, entry)
        return None  # a recipient's host is asked first, and an old refusal is confirmed by its own

    def _from_facts(
        self, heading: Heading, query: Query, address: Address, facts: Sequence[Fact]
    ) -> Report | None:
        """Answer from what is known of the domain, without asking about the address."""
        for fact in facts:
            holds = fact.noted_at <= heading.now < fact.expires_at
            if not (holds and decides(fact, self._settings)):
                continue
            if heading.now - fact.noted_at >= self._fact_refresh_s(query.purpose):
                self._sample(fact.subject, _again(query, address), heading.now)
            report = reports.from_conclusion(heading, conclude(fact.evidence), fact.evidence)
            return report.but(checked_at=fact.noted_at, expires_at=fact.expires_at, from_cache=True)
        return None

    def _sample(self, subject: str, question: Query, now: float) -> None:
        """Ask one address of a domain again: its host may have changed its ways."""
        if self._rests(subject, now):
            return
        for rested in [*takewhile(lambda one: not self._rests(one, now), self._resting)]:
            del self._resting[rested]
        if len(self._resting) < MAX_RESTING:
            self._resting[subject] = now + FACT_REST_S
            self._ask_again(question)

    def _rests(self, subject: str, now: float) -> bool:
        # A clock that stepped back must not prolong it.
        return 0 < self._resting.get(subject, now) - now <= FACT_REST_S

    def _fact_refresh_s(self, purpose: Purpose) -> float:
        cache = self._settings.cache
        ages = cache.recipient_deliverable if purpose is RECIPIENT else cache.facts
        return ages.refresh_s

    def _heading(self, address: Address) -> Heading:
        return Heading(address.key, self._clock.now())


def _says_nothing(entry: Entry, freshness: Freshness, purpose: Purpose) -> bool:
    """True where the entry is no answer, but what is known of the domain may be one."""
    if purpose is RECIPIENT:
        silent = freshness not in (FRESH, Freshness.DOUBTFUL)
        return silent and entry.verdict is Verdict.UNKNOWN
    return freshness is Freshness.EXPIRED


def _again(query: Query, address: Address) -> Query:
    """The question as it is asked again in the background, for the mail that met what is old.

    That mail is told nothing of it, so nobody is put off for it.
    """
    forward = query.purpose is RECIPIENT
    return query.but(
        address=address.key,
        purpose=RECIPIENT if forward else SENDER,
        answer_by_at=None,
        fresh=True,
        puts_off=False,
    )
