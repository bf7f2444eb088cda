"""The world comes up whole, at addresses and names that DNS agrees with, and goes down cleanly."""

import asyncio

import aiosmtplib
import dns.asyncresolver
import pytest

from ringback.errors import ConfigError, UsageError
from ringback.lab.mx import Door
from ringback.lab.plan import make_plan
from ringback.lab.world import HELO_NAME, World, has_address


def resolver(world: World) -> dns.asyncresolver.Resolver:
    made = dns.asyncresolver.Resolver(configure=False)
    made.nameservers = [world.dns.ip]
    made.port = world.dns.port
    return made


async def ask(world: World, host: str, *recipients: str, sender: str = "") -> list[int]:
    """Return the codes of RCPT for `recipients` in one session."""
    codes = []
    async with aiosmtplib.SMTP(
        hostname=world.hosts[host].ip, port=world.smtp_port, start_tls=False
    ) as client:
        await client.ehlo()
        await client.mail(sender)
        for recipient in recipients:
            response = await client.execute_command(f"RCPT TO:<{recipient}>".encode())
            codes.append(response.code)
    return codes


async def test_mail_can_be_traced_from_the_domain_to_the_mailbox() -> None:
    async with World() as world:
        ask_dns = resolver(world)
        mx = (await ask_dns.resolve("shop.example", "MX"))[0]
        address = (await ask_dns.resolve(mx.exchange, "A"))[0].to_text()
        back = (await ask_dns.resolve_address(address))[0].to_text()

        codes = await ask(world, "mx.shop.example", "ann@shop.example", "nobody@shop.example")

    assert "mx.shop.example." == mx.exchange.to_text()
    assert world.hosts["mx.shop.example"].ip == address
    assert "mx.shop.example." == back
    assert [250, 550] == codes


async def test_every_persona_of_the_default_world_is_there() -> None:
    async with World() as world:
        everyone = await ask(world, "mx.acceptall.example", "x@acceptall.example")
        first = await ask(world, "mx.greylist.example", "ann@greylist.example")

    assert ([250], [450]) == (everyone, first)


async def test_one_port_serves_every_host() -> None:
    async with World() as world:
        ports = {host.port for host in world.hosts.values()}
        addresses = {host.ip for host in world.hosts.values()}

    assert {world.smtp_port} == ports
    assert len(world.hosts) == len(addresses)


async def test_two_worlds_live_side_by_side() -> None:
    async with World() as one, World() as other:
        await ask(other, "mx.real.example", "ann@real.example")

    assert one.smtp_port != other.smtp_port
    assert 0 == one.hosts["mx.real.example"].connections
    assert 1 == other.hosts["mx.real.example"].connections


async def test_a_port_in_use_is_a_clear_error() -> None:
    async with World() as world:
        with pytest.raises(UsageError, match=f"port {world.smtp_port}"):
            await World(port=world.smtp_port).start()


async def test_a_mailbox_removed_is_refused_from_then_on() -> None:
    async with World() as world:
        before = await ask(world, "mx.real.example", "ann@real.example")
        world.mailboxes["real.example"].discard("ann")
        after = await ask(world, "mx.real.example", "ann@real.example")

    assert ([250], [550]) == (before, after)


async def test_hosts_have_the_preference_persona_and_address_of_the_plan() -> None:
    plan = make_plan(
        {
            "domains": {
                "two.example": {
                    "mailboxes": ["ann"],
                    "mx": [
                        {"host": "mx1.two.example", "preference": 5, "persona": "blocks_us"},
                        {"host": "mx2.two.example", "preference": 7, "ip": "127.99.0.7"},
                    ],
                }
            }
        }
    )
    async with World(plan) as world:
        answer = await resolver(world).resolve("two.example", "MX")

    assert {(5, "mx1.two.example."), (7, "mx2.two.example.")} == {
        (mx.preference, mx.exchange.to_text()) for mx in answer
    }
    assert "127.99.0.7" == world.hosts["mx2.two.example"].ip
    assert "blocks_us" == world.hosts["mx1.two.example"].persona.name


@pytest.mark.skipif(not has_address("::1"), reason="this machine has no ::1")
async def test_a_host_may_live_at_an_ipv6_address() -> None:
    mx = {"host": "mx6.six.example", "ip": "::1"}
    plan = make_plan({"domains": {"six.example": {"mailboxes": ["ann"], "mx": [mx]}}})
    async with World(plan) as world:
        answer = await resolver(world).resolve("mx6.six.example", "AAAA")
        codes = await ask(world, "mx6.six.example", "ann@six.example")

    assert "::1" == answer[0].to_text()
    assert [250] == codes


async def test_a_world_without_an_open_door_has_a_port_all_the_same() -> None:
    mx = {"host": "mx.down.example", "door": "shut"}
    async with World(make_plan({"domains": {"down.example": {"mx": [mx]}}})) as world:
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(world.hosts["mx.down.example"].ip, world.smtp_port)

    assert world.smtp_port


def test_two_hosts_at_one_address_are_refused() -> None:
    mx = [{"host": f"mx{number}.a.example", "ip": "127.9.9.9"} for number in (1, 2)]

    with pytest.raises(ConfigError, match=r"127\.9\.9\.9"):
        World(make_plan({"domains": {"a.example": {"mx": mx}}}))


async def test_a_name_server_port_in_use_is_a_clear_error() -> None:
    async with World() as world:
        with pytest.raises(UsageError, match=f"port {world.dns.port}"):
            await World(dns_port=world.dns.port).start()


async def test_a_shared_host_serves_both_its_domains() -> None:
    shared = {"mailboxes": ["ann"], "mx": [{"host": "mx.provider.example"}]}
    plan = make_plan({"domains": {"one.example": shared, "two.example": shared}})

    async with World(plan) as world:
        codes = await ask(
            world, "mx.provider.example", "ann@one.example", "ann@two.example", "ann@three.example"
        )

    assert [250, 250, 554] == codes


async def test_a_shut_door_refuses_and_opens_again() -> None:
    async with World() as world:
        host = world.hosts["mx.down.example"]
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(host.ip, world.smtp_port)
        await host.set_door(Door.OPEN)

        codes = await ask(world, host.name, "ann@down.example")

    assert [250] == codes


def test_a_persona_that_does_not_exist_is_named() -> None:
    plan = make_plan({"domains": {"one.example": {"persona": "freindly"}}})

    with pytest.raises(ConfigError, match="freindly"):
        World(plan)


def test_the_directory_says_who_lives_where() -> None:
    residents = {resident.domain: resident for resident in World().residents}

    assert "busy, normal" == residents["twohosts.example"].persona
    assert ("mx1.twohosts.example", "mx2.twohosts.example") == residents["twohosts.example"].hosts
    assert ("ann", "bob") == residents["real.example"].mailboxes
    assert "null_mx" == residents["nullmx.example"].persona
    assert ("implicit.example",) == residents["implicit.example"].hosts


async def test_the_snippet_points_a_configuration_here() -> None:
    import tomllib

    async with World() as world:
        settings = tomllib.loads(world.settings_toml)

    assert [world.nameserver] == settings["dns"]["nameservers"]
    assert world.smtp_port == settings["smtp"]["port"]
    assert ["127.0.0.0/8", "::1/128"] == settings["smtp"]["allowed_networks"]


async def test_whoever_calls_from_a_published_source_is_fit_to() -> None:
    async with World() as world:
        world.publish_source("127.8.0.1")
        world.publish_source("127.8.0.1")
        world.publish_source("::1")
        ask_dns = resolver(world)
        ips = [it.to_text() for it in await ask_dns.resolve(HELO_NAME, "A")]
        names = [
            (await ask_dns.resolve_address(ip))[0].to_text()
            for ip in ("127.0.0.1", "127.8.0.1", "::1")
        ]

    assert ["127.0.0.1", "127.8.0.1"] == sorted(ips)
    assert [f"{HELO_NAME}."] * 3 == names
