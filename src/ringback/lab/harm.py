"""What a receiver of mail costs others: a stream of mail run through it in virtual time, and counted.

A receiver is anything that answers one attempt of one message: the engine with its policy door
(sim_engine.py), or a model of another verifier (rival_models.py). All meet the same people and the same mail.
Not here: the mail (traffic.py), the table that is printed (harm_table.py).
"""

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from ..values.query import Client
from .population import Population, Sizes, populate
from .schedules import HOUR_S
from .sim import SimClock, SimLoop, run
from .sim_net import CAUSE, Burden, SimDialer, SimHost, SimResolver
from .traffic import Message, Truth, Volume, stream


class Told(StrEnum):
    """What the sending server hears."""

    TAKEN = "taken"
    DEFERRED = "deferred"
    REFUSED = "refused"


_WORST_FIRST = (Told.REFUSED, Told.DEFERRED, Told.TAKEN)


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one attempt; `why` is for the account of delays."""

    told: Told
    why: str = ""


class Receiver(Protocol):
    """Judges mail."""

    async def judge(self, message: Message, client: Client) -> Sequence[Answer]:
        """Answer each recipient of one attempt, one after the other."""
        ...

    async def close(self) -> None:
        """All mail has come."""
        ...


@dataclass(frozen=True, slots=True)
class Scene:
    """The world in which a receiver stands. All of it begins anew with each run."""

    seed: str
    people: Population
    clock: SimClock
    dialer: SimDialer
    resolver: SimResolver


MakeReceiver = Callable[[Scene], Receiver]


@dataclass(frozen=True, slots=True)
class Fate:
    """How a message ended. `delay_s`: from its first attempt to the one that was taken.

    Of several recipients, an honest one's worst counts, and a forged one's best: a message is lost that
    one of them did not get, and let in where one of them did.
    """

    message: Message
    told: Told  # DEFERRED: its server gave up, and returned it
    delay_s: float
    why: str  # of the first deferral, else of the end


@dataclass(frozen=True, slots=True)
class Harm:
    """What came of a run. Connections and refusals are counted at the hosts."""

    fates: tuple[Fate, ...]
    to_innocents: int  # connections for forged mail
    to_victims: int  # connections to innocents' hosts for spam whose senders' MX names them
    busiest_innocent: int  # the most of both at one host
    busiest_hour: int  # connections that one host got in any 60 minutes, for any mail
    refused_at_worst: int  # recipients that one host refused, all in all
    refused: int
    connections: int
    questions: int  # to DNS

    def of(self, truth: Truth) -> list[Fate]:
        return [fate for fate in self.fates if fate.message.truth is truth]

    def count(self, truth: Truth, told: Told) -> int:
        return sum(fate.told is told for fate in self.of(truth))

    @property
    def honest_lost(self) -> list[Fate]:
        """Refused, or deferred until its server gave up."""
        return [fate for fate in self.of(Truth.HONEST) if fate.told is not Told.TAKEN]

    @property
    def honest_delayed(self) -> list[Fate]:
        taken = (fate for fate in self.of(Truth.HONEST) if fate.told is Told.TAKEN)
        return [fate for fate in taken if fate.delay_s > 0]


def measure(make: MakeReceiver, seed: str, volume: Volume, sizes: Sizes | None = None) -> Harm:
    """Run the stream of `seed` through a receiver. Nothing but the arguments has a part in the result."""
    people = populate(seed, sizes or Sizes())
    loop = SimLoop()
    clock = SimClock(loop)
    scene = Scene(
        seed,
        people,
        clock,
        SimDialer(people.land.hosts, clock),
        SimResolver(people.land.zone, clock),
    )
    fates = run(loop, _deliver_all(make, scene, stream(seed, people, volume)))
    return _weigh(fates, scene)


async def _deliver_all(
    make: MakeReceiver, scene: Scene, mail: Iterable[Message]
) -> tuple[Fate, ...]:
    receiver, clock, tasks = make(scene), scene.clock, []
    async with asyncio.TaskGroup() as group:
        for message in mail:
            await _sleep_until(message.at, clock)
            tasks.append(group.create_task(_deliver(receiver, message, clock)))
    await receiver.close()
    return tuple(task.result() for task in tasks)


async def _deliver(receiver: Receiver, message: Message, clock: SimClock) -> Fate:
    CAUSE.set(message.truth.value)
    why, told = "", dict.fromkeys(message.recipients, Told.DEFERRED)
    for at, client in message.attempts():
        await _sleep_until(at, clock)
        left = [recipient for recipient, so_far in told.items() if so_far is Told.DEFERRED]
        answers = await receiver.judge(message.to(left), client)
        told |= {one: answer.told for one, answer in zip(left, answers, strict=True)}
        why = why or next((answer.why for answer in answers if answer.why), "")
        if Told.DEFERRED not in told.values():
            break
    return Fate(message, _end(message.truth, told.values()), at - message.at, why)


def _end(truth: Truth, told: Iterable[Told]) -> Told:
    worst_first = sorted(told, key=_WORST_FIRST.index)
    return worst_first[0 if truth is Truth.HONEST else -1]


async def _sleep_until(at: float, clock: SimClock) -> None:
    if at > clock.elapsed():
        await clock.sleep(at - clock.elapsed())


def _weigh(fates: tuple[Fate, ...], scene: Scene) -> Harm:
    hosts = scene.people.land.hosts
    innocents = [host for host in hosts if host.ip in scene.people.innocent_ips]
    for_forged = [_count(host, Truth.FORGED) for host in innocents]
    for_spam = [_count(host, Truth.OWN_SPAM) for host in innocents]
    return Harm(
        fates=fates,
        to_innocents=sum(for_forged),
        to_victims=sum(for_spam),
        busiest_innocent=max(map(sum, zip(for_forged, for_spam, strict=True)), default=0),
        busiest_hour=max((busiest_hour(host.connections) for host in hosts), default=0),
        refused_at_worst=max((len(host.refused) for host in hosts), default=0),
        refused=sum(len(host.refused) for host in hosts),
        connections=sum(len(host.connections) for host in hosts),
        questions=scene.resolver.asked.total(),
    )


def _count(host: SimHost, cause: Truth) -> int:
    return sum(burden.cause == cause for burden in host.connections)


def busiest_hour(burdens: Sequence[Burden]) -> int:
    """The most of them that fall into any 60 minutes, both ends included."""
    instants = sorted(burden.at for burden in burdens)
    return max(
        (bisect_right(instants, at + HOUR_S) - first for first, at in enumerate(instants)),
        default=0,
    )
