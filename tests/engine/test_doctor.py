"""When our identity is examined, what follows for callouts, and what is told of it."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from fakes import FakeResolver
from ringback.engine import doctor as doctor_module
from ringback.engine.doctor import EXAMINE_EVERY_S, LOOK_AGAIN_S, Doctor, Means
from ringback.errors import StoreError
from ringback.lab.clock import HandClock
from ringback.rules.reach import gate_of
from ringback.values.address import Address
from ringback.values.calls import Call
from ringback.values.dns import DnsAnswer, DnsStatus, RecordType
from ringback.values.events import Event, Examined, Trouble
from ringback.values.evidence import Exchange, Meaning, Stage
from ringback.values.fitness import Aspect, Fitness, Severity
from ringback.values.query import Purpose
from ringback.values.settings import Dns as DnsSettings
from ringback.values.settings import Etiquette, Identity, Policy, Settings, Smtp

IP, NAME = "192.0.2.7", "verify.example.net"
POINTER = "7.2.0.192.in-addr.arpa"
ACCEPTED = Exchange(
    0, Stage.RCPT, 1, "mx.shop.example", "192.0.2.1", code=250, meaning=Meaning.ACCEPTED
)


class Dns(FakeResolver):
    """A DNS that may be told to think, and says how often it was asked for our reverse name."""

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.broken = self.silent = False

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        answer = await super().ask(name, kind)
        await self.may_answer.wait()
        if self.broken:
            raise AssertionError("a bug")
        return DnsAnswer(name, kind, DnsStatus.FAILURE) if self.silent else answer

    @classmethod
    def like(cls, other: "Dns") -> "Dns":
        """Another server with the same zone."""
        made = cls()
        made.answers = other.answers
        return made

    @property
    def examinations(self) -> int:
        return self.asked.count((POINTER, RecordType.PTR))


@dataclass
class Practice:
    """A doctor with all around him; a fit identity to begin with."""

    settings: Settings = field(
        default_factory=lambda: Settings(
            identity=Identity(helo_name=NAME, contact="ann@shop.example")
        )
    )
    called: list[str] = field(default_factory=list)
    audit: list[Call] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    trouble: StoreError | None = None

    def __post_init__(self) -> None:
        self.clock, self.dns = HandClock(), Dns()
        self.mend()
        self.dns.say(NAME, RecordType.A, IP)
        self.dns.say(NAME, RecordType.TXT, "v=spf1 a -all")
        self.means = Means(self.dns, self.call, self.search_calls, lambda: True)
        self.doctor = self.open()

    def open(self, **changes: object) -> Doctor:
        """Another doctor, for an identity that differs."""
        identity = self.settings.identity.but(**changes)
        self.settings = self.settings.but(identity=identity)
        self.doctor = Doctor(self.settings, self.dns, self.clock, self.events.append, lambda: (IP,))
        return self.doctor

    async def call(self, address: Address) -> tuple[Exchange, ...]:
        self.called.append(address.key)
        if self.trouble:
            raise self.trouble
        return (ACCEPTED,)

    async def search_calls(self, pattern: str, since_at: float, limit: int) -> tuple[Call, ...]:
        if self.trouble:
            raise self.trouble
        found = [call for call in self.audit if call.address == pattern and call.at >= since_at]
        return tuple(found[:limit])

    def mend(self) -> None:
        self.dns.say(POINTER, RecordType.PTR, NAME)

    def spoil(self) -> None:
        self.dns.fail(POINTER, RecordType.PTR, DnsStatus.NXDOMAIN)

    @property
    def told(self) -> list[tuple[bool, bool]]:
        """Of each event: whether we are fit, and whether anyone may be called."""
        return [(it.fitness.is_fit, it.may_call) for it in self.events if isinstance(it, Examined)]


@pytest.fixture
async def practice() -> AsyncIterator[Practice]:
    opened = Practice()
    yield opened
    await opened.doctor.close()


async def settle() -> None:
    """Let what is in the background come to its end."""
    for _ in range(50):
        await asyncio.sleep(0)


def severities(fitness: Fitness) -> dict[Aspect, Severity]:
    return {found.what: found.severity for found in fitness.findings}


async def test_simultaneous_askers_share_the_first_examination(practice: Practice) -> None:
    said = await asyncio.gather(*(practice.doctor.is_fit() for _ in range(5)))

    assert [True] * 5 == said
    assert 1 == practice.dns.examinations


async def test_a_silent_dns_is_told_of_and_each_callout_finds_out_by_itself(
    practice: Practice,
) -> None:
    practice.dns.silent = True
    may_call = await practice.doctor.is_fit()
    practice.dns.silent = False
    practice.clock.advance(LOOK_AGAIN_S)
    mended = await practice.doctor.is_fit()
    await settle()

    assert (True, True) == (may_call, mended)
    assert [(False, True), (True, True)] == practice.told


async def test_a_dns_that_takes_too_long_is_silent(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "EXAMINATION_S", 0.0)
    practice.dns.may_answer.clear()
    await practice.doctor.is_fit()

    assert [(False, True)] == practice.told


async def test_an_asker_who_gives_up_leaves_the_examination_to_the_others(
    practice: Practice,
) -> None:
    practice.dns.may_answer.clear()
    hasty, patient = (asyncio.create_task(practice.doctor.is_fit()) for _ in range(2))
    await settle()
    hasty.cancel()
    practice.dns.may_answer.set()

    assert await patient
    assert hasty.cancelled()
    assert 1 == practice.dns.examinations


async def test_an_unfit_identity_may_not_call(practice: Practice) -> None:
    practice.spoil()

    assert not await practice.doctor.is_fit()
    assert [(False, False)] == practice.told


async def test_unfit_callouts_can_be_allowed_and_are_told_of(practice: Practice) -> None:
    practice.spoil()

    assert await practice.open(require_fit=False).is_fit()
    assert [(False, True)] == practice.told


async def test_without_a_contact_nothing_allows_callouts(practice: Practice) -> None:
    assert not await practice.open(require_fit=False, contact="").is_fit()


async def test_a_dns_that_fails_is_not_held_against_us(practice: Practice) -> None:
    practice.dns.fail(POINTER, RecordType.PTR, DnsStatus.FAILURE)

    assert await practice.doctor.is_fit()
    assert [(True, True)] == practice.told


async def test_what_was_found_holds_for_an_hour(practice: Practice) -> None:
    await practice.doctor.is_fit()
    practice.spoil()
    practice.clock.advance(EXAMINE_EVERY_S - 1)
    meanwhile = await practice.doctor.is_fit()
    await settle()
    asked = practice.dns.examinations
    practice.clock.advance(1)
    in_the_background = await practice.doctor.is_fit()
    await settle()

    assert (True, 1) == (meanwhile, asked)
    assert (True, 2) == (in_the_background, practice.dns.examinations)
    assert not await practice.doctor.is_fit()
    assert [(True, True), (False, False)] == practice.told


@pytest.mark.parametrize("status", [DnsStatus.NXDOMAIN, DnsStatus.FAILURE])
async def test_what_is_unfit_or_unknown_is_looked_at_again_after_a_minute(
    status: DnsStatus, practice: Practice
) -> None:
    practice.dns.fail(POINTER, RecordType.PTR, status)
    await practice.doctor.is_fit()
    practice.mend()
    practice.clock.advance(LOOK_AGAIN_S)
    await practice.doctor.is_fit()
    await settle()

    assert await practice.doctor.is_fit()
    assert (True, True) == practice.told[-1]
    assert 2 == len(practice.told)


async def test_a_dns_that_fails_makes_nobody_fit(practice: Practice) -> None:
    practice.spoil()
    await practice.doctor.examine(practice.means)
    practice.dns.fail(POINTER, RecordType.PTR, DnsStatus.FAILURE)
    silent = await practice.doctor.examine(practice.means)
    practice.mend()
    mended = await practice.doctor.examine(practice.means)

    assert silent.has(Aspect.REVERSE_NAME, Severity.FATAL)
    assert (silent.is_fit, mended.is_fit) == (False, True)


async def test_a_dns_that_takes_too_long_makes_nobody_fit(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    practice.spoil()
    await practice.doctor.examine(practice.means)
    monkeypatch.setattr(doctor_module, "EXAMINATION_S", 0.0)
    practice.dns.may_answer.clear()

    assert not (await practice.doctor.examine(practice.means)).is_fit


async def test_a_dns_that_takes_too_long_leaves_us_unknown(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor_module, "EXAMINATION_S", 0.0)
    practice.dns.may_answer.clear()

    assert await practice.doctor.is_fit()
    [told] = practice.events
    assert isinstance(told, Examined)
    assert told.fitness.has(Aspect.DNS, Severity.UNKNOWN)


async def test_a_bug_is_told_and_the_next_asker_tries_again(practice: Practice) -> None:
    practice.dns.broken = True
    with pytest.raises(AssertionError, match="a bug"):
        await practice.doctor.is_fit()
    await settle()
    practice.dns.broken = False

    assert [True] == [isinstance(event, Trouble) for event in practice.events]
    assert await practice.doctor.is_fit()


async def test_a_closed_doctor_goes_by_what_he_found(practice: Practice) -> None:
    await practice.doctor.is_fit()
    practice.clock.advance(EXAMINE_EVERY_S)
    await practice.doctor.close()
    unasked = practice.open()
    await unasked.close()

    assert await practice.open().is_fit()
    assert not await unasked.is_fit()
    assert 2 == practice.dns.examinations


async def test_who_waits_for_a_doctor_that_is_closed_is_answered(practice: Practice) -> None:
    practice.dns.may_answer.clear()
    asking = asyncio.create_task(practice.doctor.is_fit())
    await settle()
    await practice.doctor.close()

    assert not await asking


@pytest.mark.parametrize(
    ("section", "value", "suits"),
    [
        ("identity", Identity(helo_name="other.example", contact="ann@shop.example"), False),
        ("dns", DnsSettings(canary="canary.example"), False),
        ("etiquette", Etiquette(dnsbl=("list.example",)), False),
        ("etiquette", Etiquette(opted_out=("shop.example",)), False),
        ("etiquette", Etiquette(audit_keep_days=1), True),
        ("smtp", Smtp(port=2525), False),
        ("smtp", Smtp(allowed_networks=("127.0.0.0/8",)), False),
        ("smtp", Smtp(answer_within_s=1.0), True),
        ("policy", Policy(own_domains=("shop.example",)), False),
        ("policy", Policy(listen=()), True),
    ],
)
async def test_what_was_found_holds_for_the_same_identity(
    section: str, value: object, suits: bool, practice: Practice
) -> None:
    other = practice.settings.but(**{section: value})

    assert practice.doctor.suits(practice.settings.but())
    assert suits is practice.doctor.suits(other)


# What takes conversations.


async def test_a_whole_examination_asks_for_the_contact(practice: Practice) -> None:
    fitness = await practice.doctor.examine(practice.means)

    assert {Severity.OK} == {found.severity for found in fitness.findings}
    assert {Aspect.CONTACT_MAIL, Aspect.PORT, Aspect.CLOCK} <= set(severities(fitness))
    assert list(Aspect).index(Aspect.DNS) < list(Aspect).index(fitness.findings[-1].what)
    assert ["ann@shop.example"] == practice.called


async def test_the_probe_sender_is_asked_for_too(practice: Practice) -> None:
    doctor = practice.open(probe_sender="probe@shop.example")
    fitness = await doctor.examine(practice.means)

    assert ["ann@shop.example", "probe@shop.example"] == practice.called
    assert fitness.has(Aspect.PROBE_SENDER, Severity.OK)


async def test_what_comes_to_us_is_not_asked_for(practice: Practice) -> None:
    practice.settings = practice.settings.but(policy=Policy(own_domains=("shop.example",)))
    fitness = await practice.open().examine(practice.means)

    assert [] == practice.called
    assert fitness.has(Aspect.CONTACT_MAIL, Severity.OK)
    assert fitness.has(Aspect.PORT, Severity.UNKNOWN)


async def test_whoever_opted_out_is_not_asked(practice: Practice) -> None:
    practice.settings = practice.settings.but(etiquette=Etiquette(opted_out=("example",)))
    fitness = await practice.open().examine(practice.means)

    assert [] == practice.called
    [found] = [it for it in fitness.findings if it.what is Aspect.CONTACT_MAIL]
    assert "etiquette.opted_out" in found.text


@pytest.mark.parametrize("changes", [{"contact": ""}, {"helo_name": ""}])
async def test_whoever_may_not_call_does_not_ask_for_himself(
    changes: dict[str, str], practice: Practice
) -> None:
    fitness = await practice.open(**changes).examine(practice.means)

    assert not fitness.is_fit
    assert [] == practice.called
    assert fitness.has(Aspect.CLOCK, Severity.OK)


async def test_a_store_that_fails_leaves_it_unknown(practice: Practice) -> None:
    practice.trouble = StoreError("gone")
    fitness = await practice.doctor.examine(practice.means)

    assert Severity.UNKNOWN is severities(fitness)[Aspect.CONTACT_MAIL]


async def test_he_attends_hourly_and_asks_no_host_more_often(practice: Practice) -> None:
    practice.doctor.attend_nowait(practice.means)
    await practice.clock.wait_asleep()
    practice.spoil()
    practice.clock.advance(EXAMINE_EVERY_S)
    await practice.clock.wait_asleep()
    practice.mend()
    practice.clock.advance(LOOK_AGAIN_S)
    await practice.clock.wait_asleep()

    assert 3 == practice.dns.examinations
    assert [(True, True), (False, False), (True, True)] == practice.told
    assert ["ann@shop.example", "ann@shop.example"] == practice.called


async def test_whoever_attends_goes_on_with_the_means_of_another_engine(
    practice: Practice,
) -> None:
    calls: list[str] = []

    async def call(address: Address) -> tuple[Exchange, ...]:
        calls.append(address.key)
        return (ACCEPTED,)

    other_dns = Dns.like(practice.dns)
    practice.doctor.attend_nowait(practice.means)
    await practice.clock.wait_asleep()
    practice.doctor.attend_nowait(practice.means.but(call=call, resolver=other_dns))
    await settle()
    at_once = list(calls), other_dns.examinations
    practice.clock.advance(EXAMINE_EVERY_S)
    await practice.clock.wait_asleep()

    assert ([], 0) == at_once
    assert (["ann@shop.example"], 1) == (calls, other_dns.examinations)
    assert (["ann@shop.example"], 1) == (practice.called, practice.dns.examinations)
    assert [(True, True)] == practice.told


async def test_another_engine_looks_at_once_at_what_may_be_mended(practice: Practice) -> None:
    practice.spoil()
    practice.doctor.attend_nowait(practice.means)
    await practice.clock.wait_asleep()
    practice.mend()
    practice.doctor.attend_nowait(practice.means)
    await settle()

    assert await practice.doctor.is_fit()
    assert [(False, False), (True, True)] == practice.told


async def test_whoever_is_retired_answers_and_tells_nobody_of_it(practice: Practice) -> None:
    practice.dns.may_answer.clear()
    asking = asyncio.create_task(practice.doctor.is_fit())
    practice.doctor.attend_nowait(practice.means)
    await settle()
    practice.doctor.retire_nowait()
    practice.dns.may_answer.set()
    fit = await asking
    await practice.clock.wait_asleep()
    practice.clock.advance(EXAMINE_EVERY_S)
    await settle()

    assert fit
    assert 1 == practice.dns.examinations
    assert [] == practice.events


def past_call(helo_name: str = NAME, ago_s: float = 600.0, said: Exchange = ACCEPTED) -> Call:
    """A doctor's callout for the contact, as the audit has it."""
    address = "ann@shop.example"
    at = HandClock().now() - ago_s
    gates = (gate_of(helo_name),)
    return Call(
        "1", "1", at, address, "shop.example", "mx", IP, Purpose.BULK, gates=gates, said=(said,)
    )


async def test_a_restart_does_not_ask_before_the_hour_is_over(practice: Practice) -> None:
    practice.audit = [past_call().but(gates=("an operator asked",)), past_call()]
    practice.doctor.attend_nowait(practice.means)
    await practice.clock.wait_asleep()
    fitness = await practice.doctor.examine(practice.means)
    at_once = list(practice.called)
    practice.audit = []
    practice.clock.advance(EXAMINE_EVERY_S)
    await practice.clock.wait_asleep()

    assert fitness.has(Aspect.CONTACT_MAIL, Severity.OK)
    assert fitness.has(Aspect.PORT, Severity.OK)
    assert [] == at_once
    assert ["ann@shop.example"] == practice.called


@pytest.mark.parametrize(
    "before",
    [
        past_call("other.example.net"),
        past_call(ago_s=EXAMINE_EVERY_S),
        past_call(said=ACCEPTED.but(code=550, meaning=Meaning.UNKNOWN_USER)),
    ],
    ids=["under another name", "too long ago", "not well"],
)
async def test_what_is_old_or_not_well_is_asked_again_at_a_restart(
    before: Call, practice: Practice
) -> None:
    practice.audit = [before]
    practice.doctor.attend_nowait(practice.means)
    await practice.clock.wait_asleep()

    assert ["ann@shop.example"] == practice.called


async def test_without_a_contact_nothing_is_looked_up(practice: Practice) -> None:
    practice.open(contact="").attend_nowait(practice.means)
    await practice.clock.wait_asleep()

    assert [(False, False)] == practice.told


async def test_a_dns_that_fails_has_no_host_asked_again(practice: Practice) -> None:
    practice.dns.fail(POINTER, RecordType.PTR, DnsStatus.FAILURE)
    practice.doctor.attend_nowait(practice.means)
    await practice.clock.wait_asleep()
    practice.clock.advance(LOOK_AGAIN_S)
    await practice.clock.wait_asleep()

    assert 2 == practice.dns.examinations
    assert ["ann@shop.example"] == practice.called


async def test_unfit_is_told_again_every_hour(practice: Practice) -> None:
    practice.spoil()
    practice.doctor.attend_nowait(practice.means)
    await practice.clock.wait_asleep()
    for _ in range(int(EXAMINE_EVERY_S / LOOK_AGAIN_S)):
        practice.clock.advance(LOOK_AGAIN_S)
        await practice.clock.wait_asleep()

    assert [(False, False), (False, False)] == practice.told
