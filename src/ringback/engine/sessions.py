"""Connections that several callouts share: who waits for the same host is asked for in one session.

There is a line for each host, and a session takes from its head when it gets a place among the connections:
one callout that began it, and others that came meanwhile. A task of its own holds it, so that nobody who
leaves takes it along. Not here: what is asked (engine/chain.py), whether at all (engine/visit.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial

from ..errors import StoreError
from ..rules.gates import Gate
from ..values.endpoint import Patience
from ..values.evidence import Fault
from ..values.settings import Smtp
from ..wire.probe import Probe
from .chain import Chain, Guest
from .ledger import Ledger
from .pacer import Pacer
from .ports import Dialer
from .visit import Visit, Way

# Addresses that are asked for in one session. Servers slow down or hang up after ten to twenty errors.
MAX_PER_SESSION = 10

_NONE: frozenset[str] = frozenset()  # one for all lines


@dataclass(slots=True, eq=False)
class _Line:
    """Who waits for one host, in order of arrival."""

    waiting: dict[Guest, None] = field(default_factory=dict)
    next_session: asyncio.Task[None] | None = None  # it waits for a place
    # Domains whose control is being asked for: others wait for its answer, and need not ask.
    controlled: frozenset[str] = _NONE
    sessions: int = 0  # under way

    @property
    def is_over(self) -> bool:
        return not (self.waiting or self.next_session or self.sessions)

    def may_go(self, guest: Guest) -> bool:
        return not guest.visit.plan.control or guest.visit.domain not in self.controlled

    def take(self) -> list[Guest]:
        """Take the first, and those behind who have as much time left and need no session of their own."""
        taken: list[Guest] = []
        for guest in self.waiting:
            if self.may_go(guest) and (not taken or _joins(guest, taken[0])):
                taken.append(guest)
            if len(taken) == MAX_PER_SESSION:
                break
        if len(taken) == len(self.waiting):
            self.waiting = {}  # a dict that has been emptied keeps its room
        for guest in taken:
            self.waiting.pop(guest, None)
        return taken

    def put_back(self, guests: Iterable[Guest]) -> None:
        """Have `guests` head the line."""
        self.waiting = dict.fromkeys(guests) | self.waiting


def _controlled_by(guests: Iterable[Guest]) -> frozenset[str]:
    """The domains whose control a session asks for. No other session does: see _Line.take."""
    return frozenset(guest.visit.domain for guest in guests if guest.visit.plan.control) or _NONE


def _refrain(guests: Iterable[Guest]) -> None:
    """The host has refused too many recipients."""
    for guest in guests:
        guest.visit.note(
            Fault.OVER_BUDGET, Gate.REFUSED_RECIPIENTS, "refused recipients of this host"
        )
        guest.settle()


def _joins(guest: Guest, first: Guest) -> bool:
    return not guest.goes_first and guest.visit.deadline_at >= first.visit.deadline_at


class Sessions:
    """One serves all callouts."""

    def __init__(
        self, smtp: Smtp, helo_name: str, dialer: Dialer, pacer: Pacer, ledger: Ledger
    ) -> None:
        self._smtp, self._helo_name = smtp, helo_name
        self._dialer, self._pacer, self._ledger = dialer, pacer, ledger
        self._lines: dict[Way, _Line] = {}
        self._held: dict[asyncio.Task[None], list[Guest]] = {}

    async def wait_turn(self, visit: Visit) -> None:
        """Let the host be asked when it is its turn; return when that is over. Raises StoreError."""
        loop = asyncio.get_running_loop()
        guest = Guest(visit, loop.create_future())
        line = self._lines.setdefault(visit.way, _Line())
        line.waiting[guest] = None
        self._begin(visit.way, line, [guest])
        self._be_patient(visit.way, line, guest)
        try:
            await guest.ended
        finally:
            guest.lose_patience()
            if guest.ended.cancelled():
                await self._leave(visit.way, line, guest)

    def _begin(self, way: Way, line: _Line, waiting: Iterable[Guest]) -> None:
        """Have a session wait for a place, if any of those who wait can use it."""
        if line.next_session is None and any(map(line.may_go, waiting)):
            guests: list[Guest] = []
            line.next_session = asyncio.create_task(self._hold(way, line, guests))
            self._held[line.next_session] = guests
            line.next_session.add_done_callback(self._end)
        elif line.is_over and self._lines.get(way) is line:
            del self._lines[way]

    def _be_patient(self, way: Way, line: _Line, guest: Guest) -> None:
        """Have `guest` wait until its callout has no time left."""
        loop = asyncio.get_running_loop()
        guest.patience = loop.call_at(guest.visit.deadline_at, self._give_up, way, line, guest)

    def _give_up(self, way: Way, line: _Line, guest: Guest) -> None:
        """The callout of one who waits has no time left."""
        del line.waiting[guest]
        guest.visit.note(Fault.OVER_BUDGET, Gate.CONNECTIONS, "connections at a time")
        guest.settle()
        self._stop_waiting(way, line)

    def _stop_waiting(self, way: Way, line: _Line) -> None:
        """End the wait of a session that nobody needs any more."""
        if line.next_session is not None and not line.waiting:
            line.next_session.cancel()
            line.next_session = None
        self._begin(way, line, line.waiting)

    async def _leave(self, way: Way, line: _Line, guest: Guest) -> None:
        """A callout was broken off: its session goes on for the others, if there are any."""
        if guest in line.waiting:
            del line.waiting[guest]
            self._stop_waiting(way, line)
        session = guest.session
        if session and all(other.is_gone for other in self._held.get(session, ())):
            session.cancel()
            await asyncio.wait({session})

    async def _hold(self, way: Way, line: _Line, guests: list[Guest]) -> None:
        """Wait for a place, and hold one session there; `guests` are those that take part."""
        await self._pacer.wait_slot(way.ip)
        guests += line.take()
        for guest in guests:
            guest.session = asyncio.current_task()
            guest.lose_patience()
        line.next_session = None
        line.sessions += 1
        domains = _controlled_by(guests)
        line.controlled = line.controlled | domains or _NONE
        self._begin(way, line, line.waiting)
        try:
            await self._serve(way, line, guests)
        finally:
            for guest in guests:
                guest.visit.end_trial()
            self._pacer.release(way.ip)
            line.controlled = line.controlled - domains or _NONE
            line.sessions -= 1
            self._begin(way, line, line.waiting)

    async def _serve(self, way: Way, line: _Line, guests: list[Guest]) -> None:
        """Ask for those of whom there is anything to ask, as far as the host's budgets go."""
        allowed = await self._pledge(way, guests)
        try:
            # After the wait, in which others may have had the answer.
            left = await self._those_who(Visit.prepare, guests)
            if allowed == 0:
                _refrain(left)
            elif ready := await self._charge(left):
                await self._converse(way, line, ready, allowed)
        finally:
            if allowed:
                self._ledger.end_pledge(way.ip, allowed)

    async def _pledge(self, way: Way, guests: Sequence[Guest]) -> int | None:
        """How many recipients the host may refuse; None: any number."""
        if way.is_of_ours or not guests:
            return None
        # One more than there are guests: a weak refusal has a second recipient asked for.
        until_at = min(guest.visit.deadline_at for guest in guests)
        return await self._ledger.pledge(way.ip, len(guests) + 1, until_at)

    async def _charge(self, guests: list[Guest]) -> list[Guest]:
        """Those whose part in the session the budgets allow."""
        ready: list[Guest] = []
        left = list(guests)
        while left and not ready:
            ready = await self._those_who(lambda visit: visit.charge(""), [left.pop(0)])
        if not left:
            return ready
        session = ready[0].visit.session
        return ready + await self._those_who(lambda visit: visit.charge(session), left)

    # Ten thousand hosts may let us wait: nothing but this and what calls it waits there with them.
    async def _converse(
        self, way: Way, line: _Line, guests: Sequence[Guest], allowed: int | None
    ) -> None:
        first = guests[0].visit
        chain = Chain(guests, allowed, partial(self._ledger.note_refused, way.ip))
        probe = Probe(first.endpoint, first.connection, self._helo_name, way.tls, chain, way.manner)
        for guest in guests:
            guest.visit.take_part(probe)
        await self._dialer.call(first.endpoint, probe, self._patience(first))
        chain.end(probe.transcript)
        for guest in chain.served:
            await guest.visit.learn()
        for guest in chain.served:
            guest.settle()
        self._send_back(way, line, chain.not_served)

    def _patience(self, visit: Visit) -> Patience:
        whole_s = max(0.0, visit.deadline_at - asyncio.get_running_loop().time())
        return Patience(self._smtp.stage_timeout_s, whole_s)

    async def _those_who(
        self, may: Callable[[Visit], Awaitable[bool]], guests: Iterable[Guest]
    ) -> list[Guest]:
        """The guests whose visits may go on; for the others it is over."""
        here = [guest for guest in guests if not guest.is_gone]
        if len(here) == 1:  # mostly, and then no task is needed
            return here if await self._ask_of(here[0], may) else []
        answers = await asyncio.gather(*(self._ask_of(guest, may) for guest in here))
        return [guest for guest, yes in zip(here, answers, strict=True) if yes]

    async def _ask_of(self, guest: Guest, may: Callable[[Visit], Awaitable[bool]]) -> bool:
        try:
            goes_on = await may(guest.visit)
        except StoreError as error:
            if not guest.is_gone:
                guest.ended.set_exception(error)
            return False
        if not goes_on:
            guest.settle()
        return goes_on and not guest.is_gone

    def _send_back(self, way: Way, line: _Line, guests: list[Guest]) -> None:
        """Who was not served heads the line, and takes no part in another's session."""
        late = asyncio.get_running_loop().time()
        for guest in guests:
            guest.visit.break_off(())
            guest.goes_first = True
        line.put_back(guests)
        for guest in guests:
            if guest.visit.deadline_at <= late:
                self._give_up(way, line, guest)
            else:
                self._be_patient(way, line, guest)

    def _end(self, task: asyncio.Task[None]) -> None:
        """Nobody waits for a session that has broken off; why, all of its callouts tell."""
        guests = [guest for guest in self._held.pop(task) if not guest.is_gone]
        for guest in guests:
            if task.cancelled():
                guest.ended.cancel()
            elif error := task.exception():
                guest.ended.set_exception(error)
