"""The Resolver of engine/ports.py: name servers in turn, answers remembered, equal questions asked once.

Not here: DNS messages (net/answers.py), sockets (net/nameserver.py), which host follows from the
answers (rules/routes.py).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import replace

import dns.exception
import dns.message
import dns.name

from ..values.dns import DnsAnswer, DnsStatus, RecordType
from .answers import Alias, dislikes_query, failure, make_query, parse_name, read_response
from .clock import elapsed
from .nameserver import Nameserver, exchange, parse_nameserver, system_nameservers
from .trouble import in_words

# How long an answer is believed, whatever its TTL says. Seconds.
MIN_TTL_S = 5.0  # a TTL of 0 would make every message of a burst ask again
MAX_TTL_S = 3_600.0  # what a canary proves holds for an hour (evidence.md section 3), cached or not
MAX_NEGATIVE_TTL_S = 900.0  # a domain that has just got its MX must not wait for ours to forget
FAILURE_TTL_S = 2.0  # only as long as one burst: nothing was learned

# An entry is about 600 bytes; a thousand domains have about five names each.
MAX_REMEMBERED = 20_000
# What a hostile domain can make one entry cost; longer answers are asked for again.
MAX_REMEMBERED_CHARS = 2_048
# Sockets for questions; a process has 1,024 descriptors by default, and callouts want most of them.
MAX_AT_ONCE = 256
# Aliases of aliases that a server leaves to us.
MAX_ALIASES = 8
# The share of the time that is kept for the last try, where every other has 1.
LAST_TRY = 0.5

_Key = tuple[str, RecordType]
_Said = DnsAnswer | Alias


class DnsResolver:
    """Asks `nameservers` ("ADDRESS", "ADDRESS:PORT"; none: the system's) in their order.

    A question takes at most `timeout_s`, all servers and tries together. `elapsed` is a clock that
    never jumps. Raises UsageError. It belongs to one event loop.
    """

    def __init__(
        self,
        nameservers: Sequence[str] = (),
        timeout_s: float = 5.0,
        *,
        elapsed: Callable[[], float] = elapsed,
    ) -> None:
        given = tuple(parse_nameserver(text) for text in nameservers)
        self._servers = given or system_nameservers()
        self._timeout_s = timeout_s
        self._memory = _Memory(elapsed)
        self._flights: dict[_Key, asyncio.Task[DnsAnswer]] = {}
        self._slots = asyncio.Semaphore(MAX_AT_ONCE)

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        """Answer one question about the absolute `name`. What DNS does is in the answer."""
        known = self.ask_nowait(name, kind)
        if known is not None:
            return known
        key = _key(name, kind)
        flight = self._flights.get(key)
        if flight is None:
            flight = self._flights[key] = asyncio.create_task(self._fly(key))
            flight.add_done_callback(lambda _: self._flights.pop(key))
        # An asker who gives up leaves the question to those who still wait, and to the memory; and what
        # `close` cancels is the question, not who waits for its answer.
        await asyncio.wait({flight})
        return failure(*key, "nobody asks any more") if flight.cancelled() else flight.result()

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        """The same, if the answer is in memory."""
        return self._memory.load(_key(name, kind))

    async def close(self) -> None:
        """Give up what is being asked."""
        flights = list(self._flights.values())
        for flight in flights:
            flight.cancel()
        await asyncio.gather(*flights, return_exceptions=True)

    async def _fly(self, key: _Key) -> DnsAnswer:
        give_up_at = asyncio.get_running_loop().time() + self._timeout_s
        try:
            async with asyncio.timeout_at(give_up_at):
                await self._slots.acquire()
        except TimeoutError:
            return failure(*key, "too many questions at once")
        try:
            answer = await self._follow(key, give_up_at)
        finally:
            self._slots.release()
        return self._memory.save(key, answer)

    async def _follow(self, key: _Key, give_up_at: float) -> DnsAnswer:
        """Ask, and go on with the target where a server names an alias and no more."""
        name, kind = key
        target, ttl_s = name, MAX_TTL_S
        for _ in range(MAX_ALIASES):
            try:
                said = await self._ask_servers(parse_name(target), target, kind, give_up_at)
            except ValueError as error:
                return failure(name, kind, f"{target!r} is no name: {error}")
            ttl_s = min(ttl_s, said.ttl_s)
            if isinstance(said, DnsAnswer):
                return replace(said, name=name, ttl_s=ttl_s)
            target = said.target
        return failure(name, kind, "too many aliases")

    async def _ask_servers(
        self, qname: dns.name.Name, name: str, kind: RecordType, give_up_at: float
    ) -> _Said:
        """Ask every server with EDNS, then once more plainly those that did not answer."""
        loop = asyncio.get_running_loop()
        tries = [(server, edns) for edns in (True, False) for server in self._servers]
        troubles: dict[Nameserver, str] = {}
        while tries and (left_s := give_up_at - loop.time()) > 0:
            server, edns = tries[0]
            # The last try is for servers that EDNS confuses, and one that is slow answers the first.
            until = loop.time() + left_s / max(len(tries) - 1 + LAST_TRY, 1)
            response = await _try(server, make_query(qname, kind, edns=edns), until)
            tries.pop(0)
            if isinstance(response, str):
                troubles[server] = response
                continue
            said = read_response(response, name, kind)
            if isinstance(said, Alias) or said.status is not DnsStatus.FAILURE:
                return said
            troubles[server] = said.detail
            if not dislikes_query(response):
                tries = [each for each in tries if each[0] != server]
        detail = "; ".join(f"{who}: {what}" for who, what in troubles.items())
        return failure(name, kind, detail or "no time was left")


def _key(name: str, kind: RecordType) -> _Key:
    return name.removesuffix(".").lower(), kind


async def _try(
    server: Nameserver, query: dns.message.Message, until: float
) -> dns.message.Message | str:
    """Return the response, or in words why there is none."""
    try:
        async with asyncio.timeout_at(until):
            return await exchange(server, query)
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return in_words(error)
    except EOFError:
        return "closed the connection"
    except (dns.exception.DNSException, ValueError) as error:
        return f"not a DNS response: {str(error) or type(error).__name__}"


class _Memory:
    """The latest answers; the one that nobody has asked for longest goes first."""

    def __init__(self, elapsed: Callable[[], float]) -> None:
        self._elapsed = elapsed
        self._answers: OrderedDict[_Key, tuple[float, DnsAnswer]] = OrderedDict()

    def load(self, key: _Key) -> DnsAnswer | None:
        """Return the answer, if it is still good; its TTL is the one that it had when it came."""
        if (entry := self._answers.get(key)) is None:
            return None
        expires_at, answer = entry
        if expires_at <= self._elapsed():
            del self._answers[key]
            return None
        self._answers.move_to_end(key)
        return answer

    def save(self, key: _Key, answer: DnsAnswer) -> DnsAnswer:
        """Remember `answer`, and return it with the time that it is good for."""
        answer = replace(answer, ttl_s=_bounded(answer))
        chars = sum(map(len, answer.texts)) + sum(len(mx.host) for mx in answer.mx)
        if chars <= MAX_REMEMBERED_CHARS:
            self._answers[key] = (self._elapsed() + answer.ttl_s, answer)
            self._answers.move_to_end(key)
        if len(self._answers) > MAX_REMEMBERED:
            self._answers.popitem(last=False)
        return answer


def _bounded(answer: DnsAnswer) -> float:
    match answer.status:
        case DnsStatus.OK:
            return min(max(answer.ttl_s, MIN_TTL_S), MAX_TTL_S)
        case DnsStatus.NODATA | DnsStatus.NXDOMAIN:
            return min(max(answer.ttl_s, MIN_TTL_S), MAX_NEGATIVE_TTL_S)
        case DnsStatus.FAILURE:
            return FAILURE_TTL_S
