"""Who owns a domain or runs a host may want no callouts, or few."""

from collections.abc import Sequence

import pytest

from fakes import FakeHost, FakeOutside
from ringback.engine.callout import Callout
from ringback.rules.conclude import conclude
from ringback.rules.exemptions import Exemptions
from ringback.rules.gates import Passed
from ringback.values.address import parse_address
from ringback.values.dns import DnsStatus, Mx, RecordType
from ringback.values.evidence import Exchange
from ringback.values.query import Query
from ringback.values.verdict import Reason

WELL = "ann@shop.example"


def _callout(world: FakeOutside) -> Callout:
    settings = world.settings()
    outside = world.outside(settings)
    return Callout(settings, outside, Exemptions.parse(settings), world.events.append)


async def _ask(callout: Callout, address: str = WELL) -> tuple[Exchange, ...]:
    passed = Passed(("an operator asked",))
    return await callout.run(parse_address(address), Query(address), passed, lambda _: None)


def _reason(evidence: Sequence[Exchange]) -> Reason:
    return conclude(evidence).reason


def _shop() -> FakeHost:
    return FakeHost(mailboxes={WELL})


def _wishes(world: FakeOutside) -> list[str]:
    return [name for name, kind in world.resolver.asked if kind is RecordType.TXT]


@pytest.mark.parametrize("owner", ["shop.example", "provider.example", "mx1.provider.example"])
async def test_an_owner_who_wants_no_callouts_gets_none(world: FakeOutside, owner: str) -> None:
    world.host("provider.example", _shop())
    world.resolver.say_mx("shop.example", Mx(10, "mx1.provider.example"))
    world.resolver.say(f"_callout.{owner}", RecordType.TXT, "v=CALLOUT1; p=none")

    evidence = await _ask(_callout(world))

    assert [] == world.dialer.calls
    assert Reason.OPTED_OUT is _reason(evidence)
    assert owner == evidence[-1].text


@pytest.mark.parametrize("name", ["shop.example", "mx1.shop.example"])
async def test_without_an_answer_about_the_wish_nobody_is_called(
    world: FakeOutside, name: str
) -> None:
    world.host("shop.example", _shop())
    world.resolver.fail(f"_callout.{name}", RecordType.TXT, DnsStatus.FAILURE)

    report = await world.verifier().verify(WELL)

    assert [] == world.dialer.calls
    assert (Reason.NOT_ASKED, "opt_out_unknown", True) == (report.reason, report.gate, report.final)
    assert report.expires_at is None, "DNS may answer the next time"


async def test_another_host_may_still_be_called(world: FakeOutside) -> None:
    world.host("shop.example", _shop())
    world.resolver.say("mail.club.example", RecordType.A, "192.0.2.9")
    world.resolver.say_mx("shop.example", Mx(5, "mail.club.example"), Mx(9, "mx1.shop.example"))
    world.resolver.say("_callout.club.example", RecordType.TXT, "v=CALLOUT1; p=none")

    evidence = await _ask(_callout(world))

    assert ["192.0.2.1"] == world.dialer.calls
    assert Reason.ACCEPTED is _reason(evidence)


async def test_a_rate_that_an_owner_names_is_kept(world: FakeOutside) -> None:
    world.host("shop.example", _shop())
    world.resolver.say("_callout.shop.example", RecordType.TXT, "v=CALLOUT1; rate=1/h")
    callout = _callout(world)

    first, second = await _ask(callout), await _ask(callout)
    world.clock.advance(3_602)
    third = await _ask(callout)

    reasons = [Reason.ACCEPTED, Reason.OVER_BUDGET, Reason.ACCEPTED]
    assert reasons == [_reason(it) for it in (first, second, third)]
    assert "shop.example allows" in second[-1].text


async def test_each_name_is_asked_for_once_a_callout(world: FakeOutside) -> None:
    world.resolver.say("shop.example", RecordType.A, "192.0.2.1")
    world.dialer.hosts["192.0.2.1"] = _shop()

    await _ask(_callout(world))

    assert ["_callout.shop.example"] == _wishes(world)


async def test_an_address_literal_has_no_owner_to_ask(world: FakeOutside) -> None:
    world.dialer.hosts["192.0.2.5"] = FakeHost()

    await _ask(_callout(world), "ann@[192.0.2.5]")

    assert [] == _wishes(world)
