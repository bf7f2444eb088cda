"""Gathers findings about our own identity, keeps the last ones, and says whether anyone may be called.

What the DNS says is examined at the first question, which waits for it, and then in the background while
the old answer holds. What takes conversations is for the service and the command line, and no question
waits for it. A doctor outlasts the reloads that change nothing about our identity.
Not here: what follows from answers (rules/fitness.py, rules/silence.py, rules/reach.py), the gate
(engine/gatekeeper.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from ..errors import StoreError
from ..rules import fitness as rules
from ..rules import reach
from ..rules.exemptions import Exemptions
from ..rules.silence import judge_silence, stay_fatal
from ..values.address import Address, parse_address
from ..values.calls import Call
from ..values.events import Examined, Trouble
from ..values.evidence import Exchange
from ..values.fitness import Aspect, Finding, Fitness, Severity
from ..values.record import Record
from ..values.settings import Settings
from .asker import Asker
from .ports import Clock, Resolver, Sink

# Names, addresses and block lists change seldom (etiquette.md row 9).
EXAMINE_EVERY_S = 3_600.0
# Operators mend and wait; and a DNS that failed is mostly well again.
LOOK_AGAIN_S = 60.0
# Hosts are asked hourly, too; a little earlier, so that the hourly examination finds it due.
VISIT_EVERY_S = EXAMINE_EVERY_S - LOOK_AGAIN_S
# Past it, what has not been answered counts as unknown: the first mail waits for this.
EXAMINATION_S = 30.0

_Call = Callable[[Address], Awaitable[tuple[Exchange, ...]]]

_NEVER = float("-inf")
# Calls about one address that are looked through for those of a doctor before this one.
MAX_PAST_CALLS = 50


class Means(Record, frozen=True, gc=True):
    """What examinations take: the DNS, callouts to addresses of ours, their audit, the clock's state."""

    resolver: Resolver
    call: _Call
    search_calls: Callable[[str, float, int], Awaitable[tuple[Call, ...]]]  # of ports.Store
    is_synchronised: Callable[[], bool | None]


def _examined(settings: Settings) -> tuple[object, ...]:
    """The settings that findings hang on."""
    smtp, etiquette = settings.smtp, settings.etiquette
    asked = settings.policy.own_domains, etiquette.opted_out, smtp.port
    return settings.identity, settings.dns, etiquette.dnsbl, smtp.allowed_networks, asked


class Doctor:
    """Examines one identity. `sources` names the addresses that we call from, as far as they are known."""

    def __init__(
        self,
        settings: Settings,
        resolver: Resolver,
        clock: Clock,
        sink: Sink,
        sources: Callable[[], tuple[str, ...]],
    ) -> None:
        self._settings, self._resolver, self._clock = settings, resolver, clock
        self._sink, self._sources = sink, sources
        self._exemptions = Exemptions.parse(settings)
        self._by_dns: Fitness | None = None
        self._may_call = False  # as `_by_dns` says: of what hosts say, nothing is fatal
        self._of_clock: tuple[Finding, ...] = ()
        self._by_hosts: tuple[Finding, ...] = ()
        self._visited_at = self._told_at = self._due_at = _NEVER  # of elapsed()
        self._told: frozenset[tuple[Aspect, Severity, str]] | None = None
        self._examination: asyncio.Task[None] | None = None
        self._means: Means | None = None  # of whom attends
        self._tasks: set[asyncio.Task[None]] = set()
        self._retired = self._closed = False

    def suits(self, settings: Settings) -> bool:
        """Say whether what was found holds by `settings`, too."""
        return _examined(settings) == _examined(self._settings)

    async def is_fit(self) -> bool:
        """Say whether callouts may be made; the first time, when that is known."""
        if not self._closed and self._by_dns is None:
            await _ended(self._examine_nowait())
        elif not self._closed and self._left_s() <= 0:
            self._examine_nowait()
        return self._may_call

    async def examine(self, means: Means) -> Fitness:
        """Look at everything now, and return all that was found."""
        self._of_clock = (reach.judge_clock(means.is_synchronised()),)
        await _ended(self._examine_nowait())
        may_visit = self._may_call and self._settings.identity.helo_name
        if may_visit and self._clock.elapsed() - self._visited_at >= VISIT_EVERY_S:
            self._visited_at = self._clock.elapsed()
            self._by_hosts = await self._visit(means.call)
            self._tell()
        return self._fitness()

    def attend_nowait(self, means: Means) -> None:
        """Examine now and then: hourly, and each minute what is unfit or unknown.

        Who attends already goes on by the `means` of another engine, and looks at once at what may be mended.
        """
        attends, self._means = self._means is not None, means
        self._resolver = means.resolver
        if not attends:
            self._start(self._attend())
        elif not self._is_settled:
            self._examine_nowait()

    def retire_nowait(self) -> None:
        """Attend and tell no more: the identity is another. Who still asks is answered until `close`."""
        self._retired = True

    async def close(self) -> None:
        """Break off what is under way, and go by what was found."""
        self._closed = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _attend(self) -> None:
        while self._means and not self._retired:
            if self._visited_at == _NEVER and self._settings.identity.contact:
                await self._recall(self._means)
            await self.examine(self._means)
            await self._clock.sleep(self._left_s())

    def _fitness(self) -> Fitness:
        order = list(Aspect)
        by_dns = self._by_dns.findings if self._by_dns else ()
        found = (*by_dns, *self._by_hosts, *self._of_clock)
        return Fitness(tuple(sorted(found, key=lambda it: order.index(it.what))))

    def _permits(self, by_dns: Fitness) -> bool:
        # Whatever the operator risks, those who are called must find him.
        return not by_dns.forbidding or (
            not self._settings.identity.require_fit
            and not by_dns.has(Aspect.CONTACT, Severity.FATAL)
        )

    @property
    def _is_settled(self) -> bool:
        """Say whether the DNS has answered, and all of that is well enough."""
        by_dns = self._by_dns
        return by_dns is not None and by_dns.is_fit and not by_dns.of(Severity.UNKNOWN)

    def _left_s(self) -> float:
        """How long the last examination holds yet."""
        return self._due_at - self._clock.elapsed()

    # What the DNS says.

    def _examine_nowait(self) -> asyncio.Task[None]:
        """Start an examination, or join the one that is under way."""
        if self._examination is None or self._examination.done():
            self._examination = self._start(self._examine())
        return self._examination

    async def _examine(self) -> None:
        contact = rules.examine_contact(self._settings.identity.contact)
        machines = rules.examinations(self._settings, self._sources(), self._clock.now())
        # Each has an allowance of questions of its own: they are for us, not for a message.
        running = [asyncio.create_task(Asker(self._resolver).run(it)) for it in machines]
        try:
            done, late = await asyncio.wait(running, timeout=EXAMINATION_S)
        finally:
            for task in running:
                task.cancel()
        found = [finding for task in running if task in done for finding in task.result()]
        silence = judge_silence(found, self._settings.dns.nameservers)
        if late:
            text = f"{len(late)} examinations had no answer within {EXAMINATION_S:g} s"
            found.append(Finding(Aspect.DNS, Severity.UNKNOWN, text, "see dns.nameservers"))
        before = self._by_dns.findings if self._by_dns else ()
        kept = stay_fatal(before, found, whole=not late)
        self._by_dns = Fitness((contact, *kept, *silence))
        self._may_call = self._permits(self._by_dns)
        holds_s = EXAMINE_EVERY_S if self._is_settled else LOOK_AGAIN_S
        self._due_at = self._clock.elapsed() + holds_s
        self._tell()

    # What hosts say.

    async def _visit(self, call: _Call) -> tuple[Finding, ...]:
        """Ask the hosts of our own addresses."""
        identity = self._settings.identity
        finding, evidence = await self._ask(call, Aspect.CONTACT_MAIL, identity.contact)
        findings = [finding, reach.judge_way_out(evidence)]
        if identity.probe_sender:
            finding, _ = await self._ask(call, Aspect.PROBE_SENDER, identity.probe_sender)
            findings.append(finding)
        return tuple(findings)

    async def _ask(
        self, call: _Call, what: Aspect, text: str
    ) -> tuple[Finding, tuple[Exchange, ...]]:
        address = parse_address(text)
        if why := self._spared(address):
            return reach.spare_mailbox(what, text, why), ()
        try:
            evidence = await call(address)
        except StoreError as error:
            return Finding(what, Severity.UNKNOWN, str(error), "see store.url", text), ()
        return reach.judge_mailbox(what, text, evidence), evidence

    def _spared(self, address: Address) -> str:
        """Say why an address of ours is not to be asked for; "" if it is."""
        if self._exemptions.own_domains.holds(address):
            return "its domain is one of policy.own_domains"
        if self._exemptions.opted_out.holds(address):
            return "it is one of etiquette.opted_out"
        return ""

    async def _recall(self, means: Means) -> None:
        """Go by the audit where a doctor before this one has just found all well: a restart asks nobody."""
        now, asked_at = self._clock.now(), list[float]()

        async def remember(address: Address) -> tuple[Exchange, ...]:
            since_at, gate = now - VISIT_EVERY_S, reach.gate_of(self._settings.identity.helo_name)
            for call in await means.search_calls(address.key, since_at, MAX_PAST_CALLS):
                if gate in call.gates:
                    asked_at.append(call.at)
                    return call.said
            return ()

        found = await self._visit(remember)
        if asked_at and all(it.severity is Severity.OK for it in found):
            ago_s = max(0.0, now - min(asked_at))
            self._by_hosts, self._visited_at = found, self._clock.elapsed() - ago_s

    # Telling, and tasks.

    def _tell(self) -> None:
        """Tell what is not as it was told before, and once an hour that we are still unfit."""
        fitness = self._fitness()
        marks = frozenset(
            (found.what, found.severity, found.subject)
            for found in fitness.findings
            if found.severity is not Severity.OK
        )
        silent_s = self._clock.elapsed() - self._told_at
        if self._retired:
            return
        if marks == self._told and (fitness.is_fit or silent_s < EXAMINE_EVERY_S):
            return
        self._told, self._told_at = marks, self._clock.elapsed()
        self._sink(Examined(fitness, self._may_call))

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._end)
        return task

    def _end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (bug := task.exception()) is not None:
            self._sink(Trouble.of_bug("doctor", bug))


async def _ended(task: asyncio.Task[None]) -> None:
    """Wait for a task that others wait for, too: neither ends the other. Raises what it raised."""
    await asyncio.wait({task})
    if not task.cancelled():
        task.result()
