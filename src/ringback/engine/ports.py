"""What the engine needs of the outside, as protocols. store/ and net/ implement them structurally.

Not here: any implementation.
"""

from collections.abc import Callable
from typing import Protocol

from ..rules.freshness import Entry
from ..rules.waiting import Wait
from ..values.dns import DnsAnswer, RecordType
from ..values.endpoint import Endpoint, Patience
from ..values.events import Event
from ..values.facts import Fact
from ..values.storage import StoreStats
from ..wire.probe import Probe

Sink = Callable[[Event], None]


class Clock(Protocol):
    def now(self) -> float:
        """Unix seconds."""
        ...

    async def sleep(self, seconds: float) -> None: ...


class Resolver(Protocol):
    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        """Answer one question. What DNS does is a DnsAnswer, never an exception."""
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
    """What is remembered. `save…` returns at once and is committed within 50 ms.

    Loads raise StoreError when the store is gone; saves never raise: a save that fails is reported to
    the sink that the store was made with, and what it held is lost.
    """

    async def load(self, key: str) -> Entry | None: ...

    def save(self, entry: Entry) -> None: ...

    async def load_facts(self, subject: str) -> tuple[Fact, ...]:
        """All facts about one domain or IP address, expired ones left out by the caller."""
        ...

    def save_fact(self, fact: Fact) -> None:
        """Remember `fact`, in place of an older one of the same subject and kind."""
        ...

    def forget_fact(self, subject: str, kind: str) -> None: ...

    async def load_wait(self, key: str) -> Wait | None: ...

    def save_wait(self, wait: Wait) -> None: ...

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
