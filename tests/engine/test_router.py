"""Questions to DNS, and what is said where they lead nowhere."""

from fakes import FakeOutside
from ringback.engine.asker import Asker
from ringback.engine.router import CANARY_BELIEVED_S, Router
from ringback.values.address import parse_address
from ringback.values.dns import DnsStatus, Mx, RecordType
from ringback.values.evidence import Fault
from ringback.values.settings import Dns

ANN = parse_address("ann@shop.example")


def _router(world: FakeOutside, **sections: object) -> Router:
    return Router(world.settings(**sections), world.resolver, world.clock, lambda: 0.0)


async def test_hosts_come_in_order_with_what_dns_said(world: FakeOutside) -> None:
    world.resolver.say_mx("shop.example", Mx(20, "b.example"), Mx(10, "a.example"))

    found = await _router(world).hosts(ANN, Asker(world.resolver))

    assert ["a.example", "b.example"] == [mx.host for mx in found.hosts]
    assert "10 a.example, 20 b.example" == found.said.text
    assert found.said.fault is None


async def test_the_canary_is_asked_once_an_hour(world: FakeOutside) -> None:
    router = _router(world)
    canary = ("example.com", RecordType.A)

    await router.hosts(ANN, Asker(world.resolver))
    await router.hosts(ANN, Asker(world.resolver))
    asked_at_once = world.resolver.asked.count(canary)
    world.clock.at += CANARY_BELIEVED_S
    await router.hosts(ANN, Asker(world.resolver))

    assert 1 == asked_at_once
    assert 2 == world.resolver.asked.count(canary)


async def test_without_a_canary_nxdomain_is_believed(world: FakeOutside) -> None:
    found = await _router(world, dns=Dns(canary="")).hosts(ANN, Asker(world.resolver))

    assert Fault.NO_SUCH_DOMAIN == found.said.fault
    assert [("shop.example", RecordType.MX)] == world.resolver.asked


async def test_a_resolver_that_denies_the_canary_is_not_believed(world: FakeOutside) -> None:
    world.resolver.fail("example.com", RecordType.A, DnsStatus.NXDOMAIN)

    found = await _router(world).hosts(ANN, Asker(world.resolver))

    assert Fault.DNS_FAILURE == found.said.fault
    assert "example.com" in found.said.text


async def test_an_mx_of_the_domain_itself_without_address_is_unusable(world: FakeOutside) -> None:
    world.resolver.say_mx("shop.example", Mx(10, "shop.example"))
    router = _router(world)
    found = await router.hosts(ANN, Asker(world.resolver))

    ips, said = await router.addresses(
        ANN, found.hosts[0], Asker(world.resolver), implicit=found.implicit
    )

    assert () == ips
    assert said is not None
    assert Fault.UNUSABLE_MX == said.fault


async def test_no_mx_and_no_address_is_no_mail_host(world: FakeOutside) -> None:
    world.resolver.say("shop.example", RecordType.TXT, "v=spf1 -all")
    router = _router(world)
    found = await router.hosts(ANN, Asker(world.resolver))

    _, said = await router.addresses(
        ANN, found.hosts[0], Asker(world.resolver), implicit=found.implicit
    )

    assert said is not None
    assert Fault.NO_MAIL_HOST == said.fault
