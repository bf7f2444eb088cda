"""What is left of the budgets that a host or a domain bears, and what its breaker does, for people.

Not here: charging anything (engine/ledger.py).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ...engine.ports import Store
from ...rules.breakers import State, pause_s, state_of
from ...rules.burden import Target, charges_for, refusal_charge
from ...rules.pacing import Charge
from ...values.evidence import Exchange
from ...values.facts import Fact, HostFact
from ...values.settings import Budget


@dataclass(frozen=True, slots=True)
class Allowance:
    """One budget. `left` may be asked at once; used up, it grows by one every `every_s`."""

    name: str
    left: int
    burst: int
    per_hour: int
    every_s: float

    @property
    def used(self) -> int:
        return self.burst - self.left


@dataclass(frozen=True, slots=True)
class Breaker:
    """Of a host that refused us, or refused us for one domain."""

    ip: str
    domain: str  # "": for all of them
    state: State
    strikes: int
    tries_again_at: float
    fact: Fact

    @property
    def said(self) -> Exchange | None:
        """What the host refused us with."""
        return self.fact.evidence[-1] if self.fact.evidence else None

    @property
    def host(self) -> str:
        """The name that it was called by."""
        return self.said.host if self.said else ""


async def allowance_of(store: Store, charge: Charge, elapsed: float) -> Allowance:
    """Find how much is left of a budget, without charging it. Raises StoreError."""
    rate = charge.rate
    low, high = 0, rate.burst
    while low < high:
        middle = (low + high + 1) // 2
        # So many fit now if one would have fitted by so many intervals earlier.
        earlier = elapsed - (middle - 1) * rate.interval_s
        if await store.is_used_up(charge, earlier):
            high = middle - 1
        else:
            low = middle
    return Allowance(charge.name, low, rate.burst, rate.number, rate.interval_s)


async def allowances(
    store: Store, charges: Iterable[Charge], elapsed: float
) -> tuple[Allowance, ...]:
    return tuple([await allowance_of(store, charge, elapsed) for charge in charges])


def charges_of_domain(
    domain: str, budget: Budget, organisation: Callable[[str], str]
) -> tuple[Charge, ...]:
    """The budgets that callouts for a domain fall under, whichever host is asked."""
    charges = charges_for(Target("", "", domain), None, budget, organisation)
    return tuple(charge for charge in charges if charge.key.startswith(("domain ", "mx ")))


def charges_of_host(
    ip: str, budget: Budget, organisation: Callable[[str], str]
) -> tuple[Charge, ...]:
    """The budgets that callouts at a host fall under, whatever they are for."""
    charges = charges_for(Target(ip, ip, ip), None, budget, organisation)
    of_host = tuple(charge for charge in charges if charge.key.startswith(("host ", "net ")))
    return (*of_host, refusal_charge(ip, budget))


def charge_overall(budget: Budget, organisation: Callable[[str], str]) -> Charge:
    """The budget that all callouts fall under."""
    return charges_for(Target("", "", ""), None, budget, organisation)[-1]


async def open_breakers(store: Store, now: float, most: int) -> tuple[Breaker, ...]:
    """Those of the newest `most` that are not closed, the newest first. Raises StoreError."""
    return breakers_of(await store.list_facts(HostFact.REFUSES_US, now, most), now)


def breakers_of(facts: Sequence[Fact], now: float) -> tuple[Breaker, ...]:
    """The breakers among facts that still hold and are not closed."""
    found = []
    for fact in facts:
        if fact.kind is not HostFact.REFUSES_US or now >= fact.expires_at:
            continue
        state = state_of(fact, now)
        if state is not State.CLOSED:
            ip, _, domain = fact.subject.partition(" ")
            again_at = fact.noted_at + pause_s(fact.strikes)
            found.append(Breaker(ip, domain, state, fact.strikes, again_at, fact))
    return tuple(found)
