"""Asks the DNS for one message, and drives the machines that do (rules/asking.py): counted, and to an end.

Not here: what the answers mean.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf

from ..rules.asking import Asking, T
from ..values.dns import DnsAnswer, DnsStatus, RecordType
from .ports import Resolver

# Of the gates and of the callout. SPF alone may name ten hosts with ten addresses each (RFC 7208 section
# 4.6.4); no honest domain comes near.
MAX_QUESTIONS = 60


@dataclass(slots=True)
class Asker:
    """The questions of all that asks for one message come out of one allowance."""

    resolver: Resolver
    asked: int = 0
    until_at: float = inf  # by the loop's clock: then no question is worth asking any more

    async def run(self, machine: Asking[T]) -> T:
        """Return what `machine` concludes. Past the allowance or its time, DNS gives no answers any more."""
        try:
            question = next(machine)
            while True:
                question = machine.send(await self.ask(question.name, question.kind))
        except StopIteration as done:
            result: T = done.value
            return result

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        if why_not := self._why_not(1):
            return DnsAnswer(name, kind, DnsStatus.FAILURE, detail=why_not)
        self.asked += 1
        return self.resolver.ask_nowait(name, kind) or await self.resolver.ask(name, kind)

    async def ask_each(self, *asked: tuple[str, RecordType]) -> Sequence[DnsAnswer]:
        """Ask at the same time what does not depend on each other's answers."""
        if self._why_not(len(asked)):
            return [await self.ask(name, kind) for name, kind in asked]
        self.asked += len(asked)
        at_hand = [self.resolver.ask_nowait(name, kind) for name, kind in asked]
        known = [answer for answer in at_hand if answer is not None]
        if len(known) == len(asked):
            return known  # without the round of the loop that it takes to wait for several
        return await asyncio.gather(*(self.resolver.ask(name, kind) for name, kind in asked))

    def _why_not(self, count: int) -> str:
        """Why `count` more questions are not asked; "" where they are."""
        if self.asked + count > MAX_QUESTIONS:
            return "too many questions for one message"
        is_late = asyncio.get_running_loop().time() >= self.until_at
        return "the time for this callout was up" if is_late else ""
