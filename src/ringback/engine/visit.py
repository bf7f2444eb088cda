"""One callout at one address of one host: what is remembered and charged before, and what came of it.

Not here: which hosts are visited (engine/callout.py), and how visits share connections (engine/sessions.py).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..rules.conclude import conclude
from ..rules.forwarding import breakers_of, is_of_host
from ..rules.gates import Gate
from ..rules.lessons import NOTHING, decides, learn, pair
from ..rules.outcomes import Finding, Then, judge
from ..rules.pacing import Charge
from ..rules.plan import Plan
from ..rules.standing import shown_by
from ..values.calls import Call
from ..values.endpoint import PLAINLY, Endpoint, Manner
from ..values.evidence import About, Exchange, Fault
from ..values.facts import DomainFact, Fact, HostFact
from ..values.record import Record
from ..values.settings import Settings, TlsPolicy
from ..values.verdict import Outcome
from ..wire.probe import Probe
from ..wire.question import Question
from .host_memory import HostMemory
from .ledger import Ledger
from .ports import Clock, Store
from .walk import ANSWERS, News, Walk, is_known

# What the forged senders of strangers mostly end in.
_IN_VAIN = frozenset({Outcome.REJECTED, Outcome.DEFERRED})


class Way(Record, frozen=True):
    """How a host is spoken to. Visits that go the same way may share a session."""

    ip: str
    port: int
    tls: TlsPolicy
    sender: str
    in_ascii: bool  # a host that takes only ASCII is left at the first other address
    is_of_ours: bool
    manner: Manner = PLAINLY
    certified: str = ""  # the name that its certificate must be valid for


@dataclass(frozen=True, slots=True)
class Desk:
    """What all visits need."""

    settings: Settings
    store: Store
    clock: Clock
    hosts: HostMemory
    ledger: Ledger
    charges: Callable[[Walk, Endpoint], Sequence[Charge]]


class Visit:
    """`finding` is what came of it: None where the host was not called."""

    __slots__ = (
        "_call",
        "_desk",
        "_facts",
        "_judged",
        "_no_contrast",
        "_shows_nothing",
        "_tried",
        "_tries",
        "_walk",
        "domain",
        "endpoint",
        "finding",
        "plan",
        "said",
        "way",
    )

    def __init__(
        self,
        desk: Desk,
        walk: Walk,
        endpoint: Endpoint,
        plan: Plan,
        tls: TlsPolicy,
        manner: Manner = PLAINLY,
    ) -> None:
        self._desk, self._walk = desk, walk
        self.domain, self.endpoint, self.plan = walk.address.domain, endpoint, plan
        self.way = Way(
            endpoint.ip,
            endpoint.port,
            tls,
            plan.sender,
            in_ascii=(plan.address + plan.sender).isascii(),
            is_of_ours=walk.is_of_ours,
            manner=manner,
            certified=endpoint.host if endpoint.verified else "",
        )
        self.said: tuple[Exchange, ...] = ()
        self.finding: Finding | None = None
        self._facts: tuple[Fact, ...] = ()
        self._no_contrast: Fact | None = None
        self._shows_nothing = False  # all is said, and nothing of the host is to be remembered
        self._judged: Finding | None = None  # all is said of the address, and shows this
        self._tries: tuple[str, ...] = ()  # the half-open breakers that a call would try
        self._tried: tuple[str, ...] = ()  # those that this one tries
        self._call: Call | None = None

    @property
    def about(self) -> About:
        """Whose mailbox it asks for first: the control's, where that is all that is open."""
        return About.ADDRESS if self.plan.address else About.CONTROL

    @property
    def deadline_at(self) -> float:
        """When the callout must be over, by the loop's clock."""
        return self._walk.deadline_at

    @property
    def connection(self) -> int:
        """Which of the callout's connections this is."""
        return self._walk.connections

    @property
    def session(self) -> str:
        """The id of the session, when the visit has been charged."""
        return self._call.session if self._call else ""

    async def prepare(self) -> bool:
        """Say whether there is anything to ask, now that it is its turn. Raises StoreError."""
        if await self._is_answered() or await self._is_forged():
            return False
        if self._walk.contrast:
            if not self.plan.address:
                return False  # others have had the control's answer meanwhile
            self.plan = self.plan.but(control="")
        facts = await self._desk.hosts.load(self.endpoint.ip, self.domain)
        if self.is_left_alone(facts) or not self._has_more_than_control():
            return False
        # Since the judgement nothing has waited, so that only one tries a half-open breaker.
        self._tried = self._tries
        self._desk.hosts.begin_trial(self._tried)
        return True

    async def charge(self, session: str) -> bool:
        """Charge the visit, before the connection; False if a budget is used up. Raises StoreError.

        `session`: the one that it takes part in, "" for its own.
        """
        desk, walk = self._desk, self._walk
        name, asked = desk.ledger.new_id(), self.plan.address or self.plan.control
        call = walk.call_at(self.endpoint, asked, desk.clock.now(), name, session or name)
        if used_up := await desk.ledger.spend(desk.charges(walk, self.endpoint), call):
            self.note(Fault.OVER_BUDGET, Gate.BUDGET, used_up.name)
            return False
        self._call = call
        walk.connections += 1
        return True

    def take_part(self, probe: Probe) -> None:
        """Its turn has come: the conversation begins."""
        self._walk.probe = probe

    def is_left_alone(self, facts: tuple[Fact, ...]) -> bool:
        """Say whether the host is not to be called now; what it said last is the answer then."""
        if self._walk.is_of_ours:
            facts = breakers_of(facts)
        standing = self._desk.hosts.stand(facts, self._walk.address.key)
        if standing.opted_out:
            self.note(Fault.OPTED_OUT, Gate.OPTED_OUT_REPLY, "the host itself has said so")
            return True
        self._walk.add(standing.said)
        self.finding = standing.finding
        if standing.finding is None:
            self._facts, self._tries = facts, standing.tries
            self._no_contrast = standing.no_contrast
        return standing.finding is not None

    def note(self, fault: Fault, gate: Gate, detail: str) -> None:
        """Add to the evidence why the host was not called."""
        self._walk.add_not_called(self._desk.clock.now(), self.endpoint, fault, gate, detail)

    def hear(self, said: Sequence[Exchange], question: Question | None) -> None:
        """Take in what was said so far, and what is asked next: an asker may have his answer by now."""
        if question is not None and question.about is About.ADDRESS:
            return  # it has not been asked for yet
        finding = judge(said, About.ADDRESS)
        if not finding or finding.because.stage not in ANSWERS:
            return
        self._judged = finding  # behind it comes what is about others, and a goodbye
        evidence = self._walk.with_contrast(said)
        decided = finding.then is Then.STOP or is_known(evidence)
        self._shows_nothing = question is None and decided and self._has_shown_nothing(said)
        self._walk.on_news(News(evidence, complete=self._shows_nothing))

    def _has_shown_nothing(self, said: Sequence[Exchange]) -> bool:
        """What is to be remembered of the host is, before the next question about it can come."""
        return self._desk.hosts.lessons(self.domain, self._of_host(said), self._facts) == NOTHING

    def lessons(self, said: Sequence[Exchange]) -> tuple[Fact, ...]:
        """What is known of the domain and the host after that, for others who ask for them."""
        conclusion = conclude(self._walk.with_contrast(said))
        ages, now = self._desk.settings.cache.facts, self._desk.clock.now()
        of_domain = self._walk.kept_of(learn(self._walk.subject, said, conclusion, now, ages))
        of_host = self._desk.hosts.lessons(self.domain, self._of_host(said), self._facts)
        return of_domain.learned + of_host.learned

    def is_spared(self, fact: Fact) -> bool:
        """Take in what another has learned; say whether that answers, so that nothing is to be asked."""
        if fact.kind is HostFact.NO_CONTRAST and fact.subject == pair(self.way.ip, self.domain):
            self._facts = (*self._facts, fact)  # of two of a kind, the later one counts
            standing = self._desk.hosts.stand(self._facts, self._walk.address.key)
            self._no_contrast = standing.no_contrast
            return not self._has_more_than_control()
        if fact.subject != self._walk.subject:
            return False
        if fact.kind is DomainFact.SELECTIVE:
            self._walk.contrast, self.plan = fact.evidence, self.plan.but(control="")
            return not self.plan.address
        if not decides(fact, self._desk.settings):
            return False
        self._walk.add(fact.evidence)
        self.finding = shown_by(fact)
        return True

    def conclude(self, said: tuple[Exchange, ...]) -> None:
        """Take what the host said as what came of it."""
        self.said = said
        self._walk.evidence.extend(said)
        self.finding = self._judged or judge(said, self.about)
        in_vain = self.finding is not None and self.finding.outcome in _IN_VAIN
        if in_vain and not self._walk.passed.vouched:
            self._desk.ledger.note_forged(self.domain, self.endpoint.ip)
        self._complete(said)

    def break_off(self, said: tuple[Exchange, ...]) -> None:
        """Nothing came of it: the session ended before its turn, or another's answer is its own."""
        self._shows_nothing, self._judged = False, None
        self._complete(said)

    async def learn(self) -> None:
        """Remember what was shown of the host. Raises StoreError."""
        hosts = self._desk.hosts
        if self._shows_nothing and self._facts == await hosts.load(self.endpoint.ip, self.domain):
            return  # as is usual: by what is known of it, that has been judged
        await hosts.learn(self.domain, self._of_host(self.said))

    def _of_host(self, said: Sequence[Exchange]) -> Sequence[Exchange]:
        """What shows something of the host."""
        return list(filter(is_of_host, said)) if self._walk.is_of_ours else said

    def end_trial(self) -> None:
        self._desk.hosts.end_trial(self._tried)
        self._tried = ()

    def _complete(self, said: tuple[Exchange, ...]) -> None:
        if self._call is not None:
            outcome = self.finding.outcome if self.finding and self.said else None
            self._desk.ledger.complete(self._call, said, outcome)
            self._call = None

    def _has_more_than_control(self) -> bool:
        """Leave the control to rest, where it settled nothing lately; say whether there is more to ask."""
        self._walk.no_contrast = ()
        # What this callout has lost in a session may be settled by one of its own.
        lost = not self.plan.address and any(map(_is_of_control, self._walk.evidence))
        if self._no_contrast is not None and self.plan.control and not lost:
            self._walk.no_contrast = self._no_contrast.evidence
            self.plan = self.plan.but(control="")
        return bool(self.plan.address or self.plan.control)

    async def _is_answered(self) -> bool:
        """Say whether others who asked for the same domain have had the answer meanwhile."""
        facts = await self._desk.store.load_facts(self._walk.subject)
        now, since = self._desk.clock.now(), self._walk.started_at
        new = [fact for fact in facts if since <= fact.noted_at <= now < fact.expires_at]
        if not any(map(self.is_spared, new)):
            return False
        if self.finding:
            self.finding = self.finding.but(then=Then.STOP)
        return True

    async def _is_forged(self) -> bool:
        """Say whether the host has been asked for too many names that strangers made up."""
        if self._walk.passed.vouched or not await self._desk.ledger.is_forged(self.endpoint.ip):
            return False
        why = "refused senders of this host, in mail of strangers"
        self.note(Fault.OVER_BUDGET, Gate.FORGED, why)
        return True


def _is_of_control(exchange: Exchange) -> bool:
    return exchange.connection > 0 and exchange.about is About.CONTROL
