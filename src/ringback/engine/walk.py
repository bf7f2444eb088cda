"""One callout on its way: what it has heard so far, where it has come to, and whom it has yet to ask.

Not here: going on (engine/callout.py), and what is done where it has come to (engine/visit.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from ..rules.conclude import conclude
from ..rules.forwarding import kept_of, subject_of
from ..rules.gates import Gate, Passed
from ..rules.lessons import Lessons
from ..rules.optout import Wish
from ..rules.outcomes import Finding, Then
from ..rules.plan import Plan
from ..values.address import Address
from ..values.calls import Call
from ..values.dns import Mx
from ..values.endpoint import Endpoint
from ..values.evidence import About, Exchange, Fault, Meaning, Stage
from ..values.query import Purpose, Query
from ..values.record import Record
from ..values.settings import RecipientRoute
from ..values.verdict import Verdict
from ..wire.probe import Probe
from .asker import Asker
from .progress import UnderWay

ANSWERS = (Stage.RCPT, Stage.VRFY)


class News(Record, frozen=True):
    """What is known in the middle of a callout: its asker need not wait for the rest.

    `complete`: what is still to come (QUIT) will not change the conclusion.
    """

    evidence: tuple[Exchange, ...]
    complete: bool


OnNews = Callable[[News], None]


@dataclass(slots=True, eq=False)
class Walk:
    """One callout under way."""

    address: Address
    query: Query
    passed: Passed  # what let it through
    plan: Plan
    started_at: float  # Unix seconds
    deadline_at: float  # of the loop's clock
    on_news: OnNews
    asker: Asker
    wishes: dict[str, Wish] = field(default_factory=dict)  # by the name that was asked for
    contrast: tuple[Exchange, ...] = ()  # the control's refusal, where it is remembered
    no_contrast: tuple[Exchange, ...] = ()  # or what it got instead, where it rests for that
    evidence: list[Exchange] = field(default_factory=list)
    connections: int = 0
    one_more: bool = False  # a host refused us; only one more is bothered
    route: RecipientRoute | None = None  # to the host of ours that has the mailbox
    # Whom it has yet to ask, unless others' answers will do: hosts, and addresses of the present one.
    hosts: tuple[Mx, ...] = ()
    is_implicit: bool = False  # no MX: the domain itself is the host
    endpoints: Sequence[Endpoint] = ()
    then: Then | None = None  # where the host that was asked last sends it; None before the first
    endpoint: Endpoint | None = None  # whom it has turned to
    probe: Probe | None = None  # the conversation there, when it has begun
    # The host is our own, behind us: its owner asks, and no budget protects it from him.
    is_of_ours: bool = field(init=False)
    subject: str = field(init=False)  # what facts about the domain are kept under

    def __post_init__(self) -> None:
        self.is_of_ours = self.query.purpose is Purpose.RECIPIENT
        self.subject = subject_of(self.address.domain, self.query.purpose)

    @property
    def progress(self) -> UnderWay:
        """How far it has come."""
        start = UnderWay(self.query, self.address.domain, self.started_at)
        if self.endpoint is None:
            return start
        stage = self.probe.stage if self.probe else None
        return start.but(host=self.endpoint.host, ip=self.endpoint.ip, stage=stage)

    def take_host(self) -> Mx:
        """Come to the next host."""
        host, self.hosts, self.then = self.hosts[0], self.hosts[1:], Then.NEXT_HOST
        return host

    def take_endpoint(self) -> Endpoint | None:
        """Come to the next address of the host, if it has another."""
        if not self.endpoints:
            return None
        endpoint, self.endpoints = self.endpoints[0], self.endpoints[1:]
        return endpoint

    def turn_to(self, endpoint: Endpoint) -> None:
        """Wait for a turn at another address, or at the same one again."""
        self.endpoint, self.probe = endpoint, None

    def leave(self, finding: Finding | None) -> None:
        """Go from an address, by what it has shown; None: it was not called, and no other of its host is."""
        self.probe = None
        self.then = finding.then if finding else Then.NEXT_HOST
        if finding is None or finding.because.stage is not Stage.CONNECT:
            self.endpoints = ()

    def goes_on(self, now: float) -> bool:
        """Say whether another host is asked, after what the last has shown. `now` is the loop's time."""
        if not self.hosts or self.then is None:
            return bool(self.hosts)
        refused_twice = self.then is Then.ONE_MORE_HOST and self.one_more
        self.one_more = self.one_more or self.then is Then.ONE_MORE_HOST
        decided = self.then is Then.STOP or is_known(self.with_contrast(()))
        return not (decided or refused_twice or now >= self.deadline_at)

    def kept_of(self, lessons: Lessons) -> Lessons:
        return kept_of(lessons) if self.is_of_ours else lessons

    def add(self, said: Iterable[Exchange]) -> None:
        """Add remembered exchanges to the evidence, each once."""
        for one in said:
            if one not in self.evidence:
                self.evidence.append(one)

    def add_not_called(
        self, at: float, endpoint: Endpoint, fault: Fault, gate: Gate, detail: str
    ) -> None:
        self.evidence.append(
            Exchange(
                at,
                Stage.CONNECT,
                host=endpoint.host,
                ip=endpoint.ip,
                text=detail,
                rule=gate,
                fault=fault,
            )
        )

    def call_at(self, endpoint: Endpoint, asked: str, at: float, name: str, session: str) -> Call:
        """What is kept of a call that is to be made: `asked` is whom for, `name` its id."""
        client = self.query.client
        return Call(
            name,
            session,
            at,
            asked,
            self.address.domain,
            endpoint.host,
            endpoint.ip,
            self.query.purpose,
            client.address if client else "",
            self.query.recipient,
            self.passed.gates,
        )

    def with_contrast(self, said: Sequence[Exchange]) -> tuple[Exchange, ...]:
        """The evidence so far, `said` included, and what an acceptance in it rests on."""
        evidence = (*self.evidence, *said)
        recalled = (*self.contrast, *self.no_contrast)
        return (*evidence, *recalled) if recalled and any(map(_accepts, evidence)) else evidence


def is_known(evidence: Sequence[Exchange]) -> bool:
    """True where nothing that a further host could say is worth bothering it."""
    return conclude(evidence).verdict is not Verdict.UNKNOWN


def _accepts(exchange: Exchange) -> bool:
    answers = exchange.stage in ANSWERS and exchange.about is About.ADDRESS
    return answers and exchange.meaning is Meaning.ACCEPTED
