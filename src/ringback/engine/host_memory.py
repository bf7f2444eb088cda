"""What is remembered of hosts: looked up before they are called, and learned when they have spoken.

Not here: what follows from it (rules/standing.py, rules/lessons.py).
"""

import asyncio
from collections.abc import Iterable, Sequence

from ..rules.breakers import pause_s
from ..rules.lessons import Lessons, learn_of_host, pair
from ..rules.standing import UNKNOWN, Moment, Standing, live, stand
from ..values.events import Trouble
from ..values.evidence import Exchange
from ..values.facts import Fact, HostFact
from ..values.settings import Etiquette
from ..values.text import printable
from .pacer import Pacer
from .ports import Clock, Sink, Store

HOUR_S = 3_600


class HostMemory:
    """One serves all callouts."""

    def __init__(
        self, etiquette: Etiquette, store: Store, clock: Clock, pacer: Pacer, sink: Sink
    ) -> None:
        self._store, self._clock, self._pacer, self._sink = store, clock, pacer, sink
        self._recheck_s = next(iter(etiquette.recheck_after_s), 0.0)
        self._learning = asyncio.Lock()  # what is learned rests on what was: one at a time

    async def load(self, ip: str, domain: str) -> tuple[Fact, ...]:
        """What is remembered of a host, and of it for one domain. Raises StoreError."""
        return live(await self._store.load_facts(ip, pair(ip, domain)), self._clock.now())

    def stand(self, facts: Sequence[Fact], address: str) -> Standing:
        """Judge a host for a callout about `address` (a key)."""
        if not facts:
            return UNKNOWN  # as most are
        moment = Moment(self._clock.now(), address, self._recheck_s, self._pacer.tried)
        return stand(facts, moment)

    def begin_trial(self, tries: Iterable[str]) -> None:
        """Try half-open breakers (Standing.tries), which nobody else does until `end_trial`."""
        self._pacer.tried.update(tries)

    def end_trial(self, tries: Iterable[str]) -> None:
        self._pacer.tried.difference_update(tries)

    def lessons(self, domain: str, said: Sequence[Exchange], known: Iterable[Fact]) -> Lessons:
        """What a conversation shows of its host that was not `known`."""
        return learn_of_host(domain, said, known, self._clock.now())

    async def learn(self, domain: str, said: Sequence[Exchange]) -> None:
        """Remember what a conversation shows of its host. Raises StoreError."""
        if not said:
            return
        async with self._learning:
            known = await self.load(said[0].ip, domain)
            lessons = learn_of_host(domain, said, known, self._clock.now())
            for subject, kind in lessons.unlearned:
                self._store.forget_fact(subject, kind)
            for fact in lessons.learned:
                self._store.save_fact(fact)
                if fact.kind is HostFact.REFUSES_US and fact.strikes:
                    self._sink(_alarm(fact))


def _alarm(breaker: Fact) -> Trouble:
    """Tell the operator that a host refuses us: nobody else can ask its postmaster why."""
    shown = breaker.evidence[-1]
    ip, _, domain = breaker.subject.partition(" ")
    whom = f"{printable(shown.host)} ({ip})" + (f" for {printable(domain)}" if domain else "")
    words = " ".join(str(word) for word in (shown.code, shown.enhanced, shown.text) if word)
    pause_h = pause_s(breaker.strikes) / HOUR_S
    return Trouble(
        "breaker",
        f"{whom} refuses us: {printable(words)}",
        f"it is left alone for {pause_h:g} h, then tried once; see whether our address is on a block "
        "list, and whether its postmaster wants no callouts (etiquette.opted_out)",
    )
