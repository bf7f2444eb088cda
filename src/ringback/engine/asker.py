"""Drives a machine that asks the DNS (rules/asking.py), and counts its questions.

Not here: what the answers mean.
"""

from dataclasses import dataclass

from ..rules.asking import Asking, T
from ..values.dns import DnsAnswer, DnsStatus, Question
from .ports import Resolver

# SPF alone may name ten hosts with ten addresses each (RFC 7208 section 4.6.4); no honest domain comes near.
MAX_QUESTIONS = 60


@dataclass(slots=True)
class Asker:
    """Asks for one message: the questions of all its machines come out of one allowance."""

    resolver: Resolver
    asked: int = 0

    async def run(self, machine: Asking[T]) -> T:
        """Return what `machine` concludes. Past the allowance, DNS gives no answers any more."""
        try:
            question = next(machine)
            while True:
                question = machine.send(await self._ask(question))
        except StopIteration as done:
            result: T = done.value
            return result

    async def _ask(self, question: Question) -> DnsAnswer:
        if self.asked >= MAX_QUESTIONS:
            detail = "too many questions for one message"
            return DnsAnswer(question.name, question.kind, DnsStatus.FAILURE, detail=detail)
        self.asked += 1
        return await self.resolver.ask(question.name, question.kind)
