"""DNS for engines in virtual time: the real one, asked once for each name; or one that is made up.

An answer holds for the whole of a log, however old its mail: the DNS of that day is gone.
Not here: asking (net/resolver.py), and waiting for it while time stands still (outward.py).
"""

import asyncio
import hashlib

from ..engine.ports import Resolver
from ..values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from .outward import Outward

# Answers that are kept, at about 500 bytes each; past them the oldest goes, and would be asked for again.
MAX_KEPT = 200_000
# No answer ages here.
TTL_S = 86_400.0

_Key = tuple[str, RecordType]


class KeptDns:
    """The Resolver of engine/ports.py, on virtual time and outside of it, which asks another one outside."""

    def __init__(self, outward: Outward, resolver: Resolver) -> None:
        self._outward, self._resolver = outward, resolver
        self._kept: dict[_Key, DnsAnswer] = {}
        self.asked = 0
        self.failed = 0  # of those asked

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        known = self.ask_nowait(name, kind)
        if known is not None:
            return known
        is_outside = asyncio.get_running_loop() is not self._outward.loop
        work = self._put(name, kind)
        return await (work if is_outside else self._outward.ask(work))

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return self._kept.get(_key(name, kind))

    async def close(self) -> None:
        """Several engines ask here: who made it closes what it asks."""

    async def _put(self, name: str, kind: RecordType) -> DnsAnswer:
        """Ask outside, and keep the answer."""
        answer, key = await self._resolver.ask(name, kind), _key(name, kind)
        if key not in self._kept:
            self.asked += 1
            self.failed += answer.status is DnsStatus.FAILURE
            if len(self._kept) >= MAX_KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[key] = answer
        return self._kept[key]


class MadeUpDns:
    """A DNS that knows nothing: each domain is its own mail host, and nobody has published anything.

    Host addresses are made up, one a network, and mean nothing to anybody.
    """

    asked = failed = 0

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        return self.ask_nowait(name, kind)

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer:
        match kind:
            case RecordType.MX:
                mx = (Mx(0, name),)
                return DnsAnswer(name, kind, DnsStatus.OK, mx=mx, ttl_s=TTL_S)
            case RecordType.AAAA:
                return DnsAnswer(name, kind, DnsStatus.OK, texts=(_made_up(name),), ttl_s=TTL_S)
        return DnsAnswer(name, kind, DnsStatus.NODATA, ttl_s=TTL_S)

    async def close(self) -> None:
        """Nothing is open."""


def _made_up(name: str) -> str:
    """An address in 4000::/3, which nobody has been given: a /48 for each name."""
    digest = hashlib.sha256(name.lower().encode()).hexdigest()
    return f"4000:{digest[:4]}:{digest[4:8]}::1"


def _key(name: str, kind: RecordType) -> _Key:
    return name.removesuffix(".").lower(), kind
