"""What the engine needs of the outside, as protocols. store/ and net/ implement them structurally.

Not here: any implementation.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from ..rules.freshness import Entry
from ..rules.pacing import Charge
from ..rules.waiting import Acquaintance, Crowd, Wait
from ..values.calls import Call
from ..values.dns import DnsAnswer, RecordType
from ..values.endpoint import Endpoint, Patience
from ..values.events import Event
from ..values.facts import FIRST_PLACE, Fact, FactKind, FactPlace
from ..values.job import DomainTally, Job, JobList, Taken, Tally, Task
from ..values.query import Report
from ..values.storage import StoreStats
from ..wire.probe import Probe

Sink = Callable[[Event], None]


class Clock(Protocol):
    def now(self) -> float:
        """Unix seconds."""
        ...

    def elapsed(self) -> float:
        """Seconds on a clock that nobody sets, the same for all processes until the machine starts anew."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Resolver(Protocol):
    def ask(self, name: str, kind: RecordType) -> Awaitable[DnsAnswer]:
        """Answer one question. What DNS does is a DnsAnswer, never an exception."""
        ...

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        """The same, if the answer is in memory."""
        ...

    async def close(self) -> None:
        """Give up what is being asked."""
        ...


class Dialer(Protocol):
    async def call(self, endpoint: Endpoint, probe: Probe, patience: Patience) -> None:
        """Connect, let `probe` talk, close.

        Everything the network does, silence and refusal included, ends up in `probe.transcript`.
        """
        ...


class Store(Protocol):
    """What is remembered. `save…` returns at once and is committed within 50 ms, as long as the loop runs.

    Loads raise StoreError when the store is gone; saves never raise: a save that fails is reported to
    the sink that the store was made with, and what it held is lost.
    """

    async def load(self, key: str) -> Entry | None: ...

    def load_nowait(self, key: str) -> Entry | None:
        """The same, if it is in memory; None does not mean that there is none."""
        ...

    def save(self, entry: Entry) -> None: ...

    async def load_facts(self, *subjects: str) -> tuple[Fact, ...]:
        """All facts about domains or IP addresses, expired ones left out by the caller."""
        ...

    async def list_facts(
        self, kind: FactKind, now: float, limit: int, after: FactPlace = FIRST_PLACE
    ) -> tuple[Fact, ...]:
        """Facts of `kind` that hold at `now`, the one noted last first; those that follow `after`."""
        ...

    def save_fact(self, fact: Fact) -> None:
        """Remember `fact`, in place of an older one of the same subject and kind."""
        ...

    def forget_fact(self, subject: str, kind: str) -> None: ...

    async def load_wait(self, key: str) -> Wait | None: ...

    def save_wait(self, wait: Wait) -> None: ...

    async def count_waits(self, network: str) -> Crowd:
        """Count the waits of a client network, of what surrounds it, and of all, up to their bounds."""
        ...

    async def load_acquaintance(self, network: str) -> Acquaintance | None: ...

    def save_acquaintance(self, acquaintance: Acquaintance) -> None: ...

    async def spend(
        self, charges: Sequence[Charge], call: Call | None, elapsed: float
    ) -> Charge | None:
        """Charge one event to each budget, or to none, and commit that with `call` before returning.

        Returns the charge whose budget is used up; then `call` is not kept. `elapsed` is Clock.elapsed().
        Holds for all processes that share the store. Raises StoreError, and then nothing may be called.
        """
        ...

    def charge(self, charge: Charge, elapsed: float) -> None:
        """Charge an event that has happened, even beyond its budget."""
        ...

    async def is_used_up(self, charge: Charge, elapsed: float) -> bool:
        """Say whether a budget has nothing left, without charging it."""
        ...

    def save_call(self, call: Call) -> None:
        """Complete the Call that `spend` has kept."""
        ...

    async def search_calls(self, pattern: str, since_at: float, limit: int) -> tuple[Call, ...]:
        """Calls about an address, a domain (or below it), an MX name (or below it) or an IP; newest first."""
        ...

    async def secret(self, name: str) -> bytes:
        """32 random octets, made at the first call and the same ever after."""
        ...

    async def search(self, pattern: str, limit: int) -> tuple[Entry, ...]:
        """Entries whose key is `pattern`, or ends in "@" + `pattern`; newest first."""
        ...

    async def forget(self, pattern: str) -> int:
        """Drop such entries, and the facts about `pattern`; return how many records went."""
        ...

    async def stats(self) -> StoreStats: ...

    async def flush(self) -> None:
        """Return when everything saved so far is committed."""
        ...

    async def close(self) -> None:
        """Flush and let go."""
        ...


class Jobs(Protocol):
    """The lists that are worked on, and their jobs. `save…` is as in Store; all else raises StoreError.

    A list belongs to one process at a time, from `open_list` until `close_list` or its end, however it ends.
    """

    async def open_list(self, digest: str, now: float, keep_s: float) -> JobList:
        """The list known by `digest`, made if there is none; to be forgotten `keep_s` after `now`.

        One whose time is over, or that was never whole, is made anew. Raises ListInUseError where
        somebody is at work on it.
        """
        ...

    async def add_jobs(self, number: int, tasks: Sequence[Task]) -> None:
        """Write down jobs; one that is there already stays as it is."""
        ...

    async def complete_list(self, number: int) -> None:
        """Note that all its jobs are written down."""
        ...

    async def close_list(self, number: int) -> None:
        """Let others work on it."""
        ...

    async def forget_list(self, digest: str) -> bool:
        """Drop it with all that was answered; say whether there was one.

        Raises ListInUseError where somebody is at work on it.
        """
        ...

    async def set_back(self, number: int, step_s: float) -> None:
        """Have all that waits due so much earlier, since the clock was set back by that."""
        ...

    async def take_jobs(self, number: int, now: float, domains: int, each: int) -> Taken:
        """Take up to `domains` domains, the longest due first, with up to `each` of their jobs that are due.

        Nobody takes a domain again before `save_turn`, or before the list is opened again. Of its jobs, those
        that were told to come back come first; what they were told stays where it is.
        """
        ...

    def save_job(self, job: Job) -> None: ...

    def save_turn(self, number: int, domain: str, due_at: float) -> None:
        """Let a domain be taken again, at `due_at` at the earliest."""
        ...

    async def end_jobs(self, number: int, most: int, instead: Report) -> int:
        """End up to `most` jobs that wait, with their last report or `instead`; return how many."""
        ...

    async def load_reports(self, number: int, tasks: Sequence[Task]) -> Mapping[str, Report]:
        """The reports of those that are done, by key; of one that cannot be read, that it cannot."""
        ...

    async def tally(self, number: int) -> Tally: ...

    async def tally_domains(self, number: int, most: int) -> tuple[DomainTally, ...]:
        """The domains with the most addresses, the largest first."""
        ...

    async def flush(self) -> None:
        """Return when everything saved so far is committed."""
        ...
