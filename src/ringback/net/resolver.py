"""The Resolver of engine/ports.py: name servers in turn, answers remembered, equal questions asked once.

Not here: DNS messages (net/dns_message.py), what they say (net/answers.py), sockets (net/nameserver.py),
how long an answer is remembered (net/dns_memory.py), which host follows from the answers (rules/routes.py).
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import dns.exception
import dns.name

from ..values.dns import DnsAnswer, DnsStatus, RecordType
from .answers import Alias, dislikes_query, failure, read_response
from .clock import elapsed
from .dns_memory import MAX_TTL_S, DnsMemory
from .dns_message import Query, make_query, parse_name
from .nameserver import Nameserver, exchange, parse_nameserver, system_nameservers
from .trouble import in_words
from .watch import Watch

# Sockets for questions; a process has 1,024 descriptors by default, and callouts want most of them.
MAX_AT_ONCE = 256
# How long a question stands in line for one of them, so that a burst is worked off: a third of a callout's
# time as it is set, which leaves it some. A question that nobody waits for any more is not put. Seconds.
LINE_S = 20.0
# How many stand there, at about 500 bytes each; a question after those fails at once.
MAX_IN_LINE = 50_000
# Aliases of aliases that a server leaves to us.
MAX_ALIASES = 8
# The share of the time that is kept for the last try, where every other has 1.
LAST_TRY = 0.5

_CLOSED = "nobody asks any more"
_CROWDED = "too many questions at once"

_Key = tuple[str, RecordType]
_Said = DnsAnswer | Alias


@dataclass(slots=True, eq=False)
class _Question:
    """One that has no answer yet, with a future for each who waits for it."""

    key: _Key
    late_at: float  # of the loop's clock
    waiters: list[asyncio.Future[DnsAnswer]]

    @property
    def waiting(self) -> list[asyncio.Future[DnsAnswer]]:
        """Those who have not given up."""
        return [waiter for waiter in self.waiters if not waiter.done()]


class DnsResolver:
    """Asks `nameservers` ("ADDRESS", "ADDRESS:PORT"; none: the system's) in their order.

    A question takes at most `timeout_s`, all servers and tries together, from when a socket is free for
    it. `elapsed` is a clock that never jumps. Raises UsageError. It belongs to one event loop.
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
        self._memory = DnsMemory(elapsed)
        self._watch = Watch()
        self._questions: dict[_Key, _Question] = {}  # that have no answer yet
        # Those that no socket was free for.
        self._line: OrderedDict[_Key, _Question] = OrderedDict()
        self._tasks: set[asyncio.Task[DnsAnswer]] = set()  # one for each of the others
        self._timer: asyncio.TimerHandle | None = None  # for the head of the line

    def ask(self, name: str, kind: RecordType) -> asyncio.Future[DnsAnswer]:
        """Begin one question about the absolute `name`. What DNS does is in the answer.

        Who gives up cancels what is returned, which is his alone.
        """
        waiter: asyncio.Future[DnsAnswer] = asyncio.get_running_loop().create_future()
        if known := self.ask_nowait(name, kind):
            waiter.set_result(known)
        else:
            self._join(waiter, _key(name, kind))
        return waiter

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        """The same, if the answer is in memory."""
        return self._memory.load(name.removesuffix(".").lower(), kind)

    async def close(self) -> None:
        """Give up what is being asked."""
        while self._line:
            self._drop(self._step_forward(), _CLOSED)
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _join(self, waiter: asyncio.Future[DnsAnswer], key: _Key) -> None:
        if question := self._questions.get(key):
            question.waiters.append(waiter)
            self._note_leaving(waiter, question)
            return
        if len(self._line) >= MAX_IN_LINE:
            waiter.set_result(failure(*key, _CROWDED))
            return
        late_at = waiter.get_loop().time() + LINE_S
        self._questions[key] = question = _Question(key, late_at, [waiter])
        self._line[key] = question
        self._go_on()
        self._note_leaving(waiter, question)

    def _note_leaving(self, waiter: asyncio.Future[DnsAnswer], question: _Question) -> None:
        """Have a question leave the line, if it stands there, with the last who waits for it."""
        if question.key in self._line:
            waiter.add_done_callback(partial(self._leave_line, question))

    def _leave_line(self, question: _Question, _: asyncio.Future[DnsAnswer]) -> None:
        if self._line.get(question.key) is question and not question.waiting:
            del self._line[question.key], self._questions[question.key]

    @property
    def _head(self) -> _Question:
        return next(iter(self._line.values()))

    def _step_forward(self) -> _Question:
        """Take the head of the line out of it."""
        return self._line.popitem(last=False)[1]

    def _go_on(self) -> None:
        """Put as many questions as there are sockets for; a timer watches over the others."""
        while self._line and len(self._tasks) < MAX_AT_ONCE:
            question = self._step_forward()
            if question.waiting:
                self._put(question)
            else:  # given up in this round, of which we are not told before the next
                del self._questions[question.key]
        if self._line and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_at(self._head.late_at, self._thin_out)

    def _thin_out(self) -> None:
        """Answer those who have stood in line for too long."""
        self._timer = None
        now = asyncio.get_running_loop().time()
        while self._line and self._head.late_at <= now:
            self._drop(self._step_forward(), _CROWDED)
        self._go_on()

    def _put(self, question: _Question) -> None:
        task = asyncio.create_task(self._follow(question.key))
        self._tasks.add(task)
        task.add_done_callback(partial(self._land, question))

    def _land(self, question: _Question, task: asyncio.Task[DnsAnswer]) -> None:
        self._tasks.discard(task)
        if task.cancelled():
            self._drop(question, _CLOSED)
        elif bug := task.exception():
            del self._questions[question.key]
            self._tell(question, bug)
        else:
            self._answer(question, self._memory.save(task.result()))
        self._go_on()

    def _tell(self, question: _Question, bug: BaseException) -> None:
        if waiting := question.waiting:
            for waiter in waiting:
                waiter.set_exception(bug)
        else:  # asyncio takes it for told, as we have looked at it
            message = "a question failed that nobody waits for any more"
            asyncio.get_running_loop().call_exception_handler(
                {"message": message, "exception": bug}
            )

    def _drop(self, question: _Question, why: str) -> None:
        self._answer(question, failure(*question.key, why))

    def _answer(self, question: _Question, answer: DnsAnswer) -> None:
        del self._questions[question.key]
        for waiter in question.waiting:
            waiter.set_result(answer)

    async def _follow(self, key: _Key) -> DnsAnswer:
        """Ask, and go on with the target where a server names an alias and no more."""
        give_up_at = asyncio.get_running_loop().time() + self._timeout_s
        name, kind = key
        target, ttl_s = name, MAX_TTL_S
        for followed in range(MAX_ALIASES):
            try:
                said = await self._ask_servers(parse_name(target), target, kind, give_up_at)
            except ValueError as error:
                return failure(name, kind, f"{target!r} is no name: {error}")
            ttl_s = min(ttl_s, said.ttl_s)
            if isinstance(said, DnsAnswer):
                return said.but(name=name, ttl_s=ttl_s) if followed else said
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
            query = make_query(qname, kind, edns=edns)
            said, may_like_another = await _try(server, query, (name, kind), until, self._watch)
            tries.pop(0)
            if isinstance(said, Alias) or said.status is not DnsStatus.FAILURE:
                return said
            troubles[server] = said.detail
            if not may_like_another:
                tries = [each for each in tries if each[0] != server]
        detail = "; ".join(f"{who}: {what}" for who, what in troubles.items())
        return failure(name, kind, detail or "no time was left")


def _key(name: str, kind: RecordType) -> _Key:
    return name.removesuffix(".").lower(), kind


async def _try(
    server: Nameserver, query: Query, key: _Key, until: float, watch: Watch
) -> tuple[_Said, bool]:
    """Return what the server said, and whether it may say more to a plainer query."""
    try:
        response = await exchange(server, query, until, watch)
        return read_response(response, *key), dislikes_query(response)
    except TimeoutError:
        why = "no answer"
    except OSError as error:
        why = in_words(error)
    except EOFError:
        why = "closed the connection"
    except (dns.exception.DNSException, ValueError) as error:
        why = f"not a DNS response: {str(error) or type(error).__name__}"
    return failure(*key, why), True
