"""Lists in virtual time, through the real engine, at hosts that count for themselves."""

import asyncio
from collections.abc import Iterable

import pytest

from ringback.engine.bulk import Bulk
from ringback.engine.ports import Jobs
from ringback.lab.dice import Urn
from ringback.lab.harm import Scene
from ringback.lab.population import CANARY, Population
from ringback.lab.sim import SimClock, SimLoop, run
from ringback.lab.sim_engine import make_verifier, settings_for
from ringback.lab.sim_net import SimResolver
from ringback.lab.sites import Land, Manner, Spf
from ringback.lab.zone import Node
from ringback.store.memory import MemoryStore
from ringback.values.events import Event, Trouble
from ringback.values.job import Digest, Task
from ringback.values.query import Report
from ringback.values.settings import Bulk as Consent
from ringback.values.settings import CallWhen, Settings
from ringback.values.verdict import Reason

from .stage import HOUR_S, Line, Street

DAY_S = 24 * HOUR_S


class Desk:
    """Who works on lists, before the street. A run that is stopped leaves its store to the next."""

    def __init__(self, land: Land, settings: Settings | None = None) -> None:
        self.land = land
        land.zone.setdefault(CANARY, Node({"A": ("192.0.2.80",)}))
        self.settings = settings or consenting()
        self.loop = SimLoop()
        self.clock = SimClock(self.loop)
        self.street = Street(land.hosts, self.clock)
        self.store = MemoryStore()
        self.told: list[Event] = []

    @property
    def jobs(self) -> Jobs:
        return self.store.jobs

    def work(
        self, addresses: Iterable[str], most_s: float = DAY_S, stops_at: float | None = None
    ) -> dict[str, Report]:
        """Work on a list; `stops_at`: once it is stopped in the middle, and begun anew."""
        return run(self.loop, self._work([*addresses], most_s, stops_at))

    async def _work(
        self, addresses: list[str], most_s: float, stops_at: float | None
    ) -> dict[str, Report]:
        tasks, digest = [Task.parse(address) for address in addresses], Digest()
        self.street.senders.update(task.key for task in tasks)
        for task in tasks:
            digest.add(task)
        if stops_at is not None:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(stops_at):
                    await self._go(digest.hex(), tasks, most_s)
        number = await self._go(digest.hex(), tasks, most_s)
        return dict(await self.jobs.load_reports(number, tasks))

    async def _go(self, digest: str, tasks: list[Task], most_s: float) -> int:
        nobody: Urn[tuple[str, ...]] = Urn((), ())
        people = Population(self.land, frozenset(), nobody, Urn((), ()), (), (), ())
        line = Line(self.street)
        scene = Scene("lists", people, self.clock, line, SimResolver(self.land.zone, self.clock))
        verifier = make_verifier(scene, self.settings, self.told.append, self.store)
        bulk = Bulk(self.settings, verifier, self.jobs, self.clock, self.told.append)
        work = await bulk.open(digest, tasks)
        try:
            assert await bulk.run(work, most_s) is None
        finally:
            line.is_cut = True
            await bulk.close(work)
            await verifier.close()
        return work.number

    @property
    def bugs(self) -> list[Trouble]:
        return [event for event in self.told if isinstance(event, Trouble)]


def consenting() -> Settings:
    return settings_for(CallWhen.RETRIED).but(bulk=Consent(consent=True))


def busiest_hour(instants: Iterable[float]) -> int:
    ordered = sorted(instants)
    return max(
        (sum(1 for other in ordered if at <= other < at + HOUR_S) for at in ordered), default=0
    )


def names(count: int, domain: str) -> list[str]:
    return [f"u{number}@{domain}" for number in range(count)]


def village(domain: str, persona: str, count: int) -> tuple[Land, list[str]]:
    """One domain with so many mailboxes."""
    land = Land()
    site = land.own(domain, Manner(persona), Spf.NONE)
    site.mailboxes.update(f"u{number}" for number in range(count))
    return land, names(count, domain)


def reasons_of(found: dict[str, Report]) -> set[Reason]:
    return {report.reason for report in found.values()}


@pytest.mark.slow
def test_a_harvest_gets_no_more_refusals_an_hour_than_a_host_is_to_bear() -> None:
    land, _ = village("victim.example", "normal", 0)
    desk = Desk(land)
    found = desk.work(f"made-up-{number}@victim.example" for number in range(1_000))
    (host,) = land.hosts
    most = desk.settings.budget.refused_recipients_per_host

    assert [] == desk.bugs
    assert 0 < busiest_hour(burden.at for burden in host.refused) <= most
    # After a day, what is left ends for want of budget, and nothing was said of it.
    assert 1_000 == len(found)
    assert {Reason.NO_SUCH_MAILBOX, Reason.OVER_BUDGET} == reasons_of(found)
    answered = [one for one in found.values() if one.reason is Reason.NO_SUCH_MAILBOX]
    assert len(answered) <= 24 * most
    assert DAY_S == pytest.approx(desk.clock.elapsed(), abs=120.0)


@pytest.mark.slow
def test_a_large_domain_takes_its_budget_and_costs_little_beside() -> None:
    land, addresses = village("large.example", "normal", 200)
    desk = Desk(land)
    found = desk.work(addresses)
    (host,) = land.hosts

    assert {Reason.ACCEPTED} == reasons_of(found)
    # One at a time when there is budget for it, each on its own connection; a burst of 15 at first.
    assert busiest_hour(burden.at for burden in host.connections) <= desk.settings.budget.per_host
    assert len(host.connections) <= 200
    assert desk.clock.elapsed() < (200 - 15) * 80 * 1.1


def test_many_domains_at_one_provider_come_in_turn() -> None:
    land = Land()
    provider = land.hoster("big.example", Manner("normal"), 1)
    addresses = []
    for number in range(60):
        land.hosted(f"d{number}.example", provider, Spf.NONE).mailboxes.add("u0")
        addresses.append(f"u0@d{number}.example")
    few = names(3, "small.example")
    land.own("small.example", Manner("normal"), Spf.NONE).mailboxes.update(("u0", "u1", "u2"))
    desk = Desk(land)
    found = desk.work([*addresses, *few])
    began_at = desk.clock.now() - desk.clock.elapsed()

    assert {Reason.ACCEPTED} == reasons_of(found)
    # Each domain's control is a refused recipient, of which there are five at once, then one in 240 s.
    assert desk.clock.elapsed() < (60 - 5) * 240 * 1.05
    assert max(found[address].checked_at for address in few) < began_at + 60


def test_where_any_address_is_accepted_one_is_asked() -> None:
    land, addresses = village("any.example", "accept_all", 300)
    found = Desk(land).work(addresses)

    assert {Reason.ACCEPTS_ANY} == reasons_of(found)
    assert [1] == [len(host.connections) for host in land.hosts]


def test_where_we_are_refused_one_is_asked() -> None:
    land, addresses = village("no.example", "blocks_us_at_rcpt", 100)
    found = Desk(land).work(addresses)

    assert {Reason.REFUSES_US} == reasons_of(found)
    assert [1] == [len(host.connections) for host in land.hosts]


def test_a_host_that_greylists_is_asked_for_one_at_a_time_until_it_lets_us_pass() -> None:
    land, addresses = village("grey.example", "greylisting_451", 20)
    found = Desk(land).work(addresses)
    (host,) = land.hosts

    assert {Reason.ACCEPTED} == reasons_of(found)
    assert len(host.connections) <= 2 * 20


def test_of_those_who_wait_behind_a_host_that_greylists_none_is_given_up_unasked() -> None:
    land, addresses = village("grey.example", "greylisting", 20)
    found = Desk(land).work(addresses)
    (host,) = land.hosts

    assert {Reason.ACCEPTED} == reasons_of(found)
    assert len(host.connections) <= 2 * 20


@pytest.mark.slow
def test_nor_is_one_of_many_domains_behind_it() -> None:
    land = Land()
    provider = land.hoster("big.example", Manner("greylisting"), 1)
    addresses = []
    for number in range(40):
        land.hosted(f"d{number}.example", provider, Spf.NONE).mailboxes.add("u0")
        addresses.append(f"u0@d{number}.example")
    found = Desk(land).work(addresses, most_s=7 * DAY_S)
    (host,) = land.hosts

    assert {Reason.ACCEPTED} == reasons_of(found)
    # Where the control found no budget left, a third time.
    assert len(host.connections) <= 2.5 * 40


@pytest.mark.slow
@pytest.mark.parametrize("persona", ["silent", "busy", "verifies_us"])
def test_a_dead_host_is_called_about_once_for_each_address(persona: str) -> None:
    land, addresses = village("dead.example", persona, 100)
    desk = Desk(land)
    desk.work(addresses, most_s=7 * DAY_S)
    (host,) = land.hosts

    # Two at a time are told to come back, as often as there are steps; their word is that on the others.
    steps = len(desk.settings.etiquette.recheck_after_s)
    assert len(host.connections) <= 100 + 2 * steps


def test_a_domain_without_mail_is_answered_without_a_connection() -> None:
    found = Desk(Land()).work(names(50, "nowhere.example"))

    assert {Reason.NO_SUCH_DOMAIN} == reasons_of(found)


def test_after_a_stop_in_the_middle_hardly_anybody_is_asked_twice() -> None:
    land, addresses = village("shop.example", "normal", 60)
    found = Desk(land).work(addresses, stops_at=1_000.0)
    (host,) = land.hosts

    assert {Reason.ACCEPTED} == reasons_of(found)
    under_way = 2
    assert len(host.connections) <= 60 + under_way
