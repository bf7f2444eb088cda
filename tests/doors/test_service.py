"""The service from its start to its end, with the lab outside and the policy port in front."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ringback.doors import service as service_module
from ringback.doors.configuration import Loaded, load_settings
from ringback.doors.service import Service
from ringback.errors import ConfigError, StoreError, UsageError
from ringback.lab.policy_client import PolicyClient
from ringback.lab.world import World
from ringback.net.inherit import Inherited, Passed
from ringback.values.events import CalledOut, Decided, Event, Examined, Lifecycle, Trouble
from ringback.values.fitness import Aspect, Severity
from ringback.values.settings import Budget, Cache, Milter, Mode, Policy, Settings, StoreSettings
from ringback.values.verdict import Reason
from ringback.wire.milter_answers import CONTINUE, encode_packet

ANY_PORT = "127.0.0.1:0"


@dataclass
class Site:
    """A service whose settings a test changes, and what it told."""

    settings: Settings
    environment: dict[str, str] = field(default_factory=dict)
    mistake: Exception | None = None
    max_files: int | None = None
    events: list[Event] = field(default_factory=list)
    examined: list[Examined] = field(default_factory=list)
    told: asyncio.Queue[Event] = field(default_factory=asyncio.Queue)

    def __post_init__(self) -> None:
        self.service = Service(self.read_settings, self.hear, self.environment)

    def read_settings(self) -> Loaded:
        if self.mistake:
            raise self.mistake
        return Loaded(self.settings)

    def hear(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Examined):
            self.examined.append(event)
        self.told.put_nowait(event)

    async def wait_ready(self) -> list[Event]:
        """Return what is told until the service is ready."""
        before: list[Event] = []
        async with asyncio.timeout(10):
            while not isinstance(event := await self.told.get(), Lifecycle) or (
                event.what != "ready"
            ):
                before.append(event)
        return before

    async def wait_examined(self) -> Examined:
        """Return the next that is told of our identity, or was told and not waited for."""
        async with asyncio.timeout(10):
            while not self.examined:
                await self.told.get()
        return self.examined.pop(0)

    async def reload(self, **sections: object) -> list[str]:
        """Reload with other settings; return the troubles that it met."""
        self.settings = self.settings.but(**sections)
        self.service.reload()
        return [str(event.what) for event in await self.wait_ready() if isinstance(event, Trouble)]

    def listen_at(self, *addresses: str) -> Policy:
        return self.settings.policy.but(listen=addresses)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[PolicyClient]:
        """Run the service, and be its client."""
        self.service = Service(
            self.read_settings, self.hear, self.environment, max_files=self.max_files
        )
        running = asyncio.create_task(self.service.run())
        await self.wait_ready()
        client = PolicyClient(self.service.addresses[0])
        try:
            yield client
        finally:
            await client.close()
            self.service.stop()
            await running


@pytest.fixture
def site(lab_settings: Path) -> Site:
    return Site(load_settings(str(lab_settings), {}).settings)


@pytest.fixture
def taken() -> Iterator[str]:
    """An address where somebody else listens."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield f"127.0.0.1:{sock.getsockname()[1]}"


async def ask(client: PolicyClient, sender: str) -> str:
    request = {
        "request": "smtpd_access_policy",
        "protocol_state": "RCPT",
        "client_address": "198.51.100.7",
        "sender": sender,
        "recipient": "you@ours.example",
    }
    return (await client.ask(request) or "no answer").partition(" ")[0]


async def answers_at(address: str) -> bool:
    client = PolicyClient(address)
    answer = await client.ask({"request": "smtpd_access_policy", "protocol_state": "DATA"})
    await client.close()
    return answer is not None


async def test_it_serves_until_it_is_stopped(site: Site) -> None:
    async with site.up() as client:
        refused = await ask(client, "invented@shop.example")
        accepted = await ask(client, "ann@shop.example")
        address = site.service.addresses[0]

    assert ("550", "DUNNO") == (refused, accepted)
    assert not await answers_at(address)
    assert ["ready", "draining", "stopped"] == [
        event.what for event in site.events if isinstance(event, Lifecycle)
    ]


async def test_what_is_remembered_outlasts_it(site: Site) -> None:
    async with site.up() as client:
        await ask(client, "invented@shop.example")
    async with site.up() as client:
        again = await ask(client, "invented@shop.example")

    decided = [event.report.from_cache for event in site.events if isinstance(event, Decided)]
    assert "550" == again
    assert [False, True] == decided


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("sqlite:///no/such/folder/a.db", "there is no directory"),
        ("postgresql://host/name", 'this version has no store for "postgresql:…"'),
    ],
)
async def test_a_store_that_cannot_be_had_ends_the_start(site: Site, url: str, told: str) -> None:
    site.settings = site.settings.but(store=StoreSettings(url))

    with pytest.raises(StoreError, match=told):
        await site.service.run()


async def test_one_port_that_is_taken_closes_the_others(site: Site, taken: str) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        free = f"127.0.0.1:{probe.getsockname()[1]}"
    site.settings = site.settings.but(policy=site.listen_at(free, taken))

    with pytest.raises(UsageError, match=f"cannot listen on {taken}: Address already in use"):
        await site.service.run()

    assert not await answers_at(free)
    assert () == site.service.addresses


async def test_a_mistake_in_the_settings_ends_the_start(site: Site) -> None:
    site.mistake = ConfigError("a.toml", "smtp.port", "0 is out of range", "write 25")

    with pytest.raises(ConfigError):
        await site.service.run()


async def test_it_can_be_stopped_before_it_is_ready(site: Site) -> None:
    site.service.stop()
    await site.service.run()

    assert ["draining", "stopped"] == [
        event.what for event in site.events if isinstance(event, Lifecycle)
    ]


async def test_who_runs_it_may_cancel_it(site: Site) -> None:
    running = asyncio.create_task(site.service.run())
    await site.wait_ready()
    address = site.service.addresses[0]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert running.cancelled()
    assert not await answers_at(address)


async def test_a_reload_changes_the_answers_on_open_connections(site: Site) -> None:
    async with site.up() as client:
        before = await ask(client, "invented@shop.example")
        troubles = await site.reload(policy=site.settings.policy.but(mode=Mode.OBSERVE))
        after = await ask(client, "invented@shop.example")

    assert [] == troubles
    assert ("550", "DUNNO") == (before, after)


async def test_a_mistake_in_a_reload_changes_nothing(site: Site) -> None:
    async with site.up() as client:
        site.mistake = ConfigError("a.toml", "smtp.port", "0 is out of range", "write 25")
        troubles = await site.reload(policy=site.settings.policy.but(mode=Mode.OBSERVE))
        after = await ask(client, "invented@shop.example")

    assert ["a.toml: smtp.port: 0 is out of range; write 25"] == troubles
    assert "550" == after


async def test_the_store_stays(site: Site, tmp_path: Path) -> None:
    async with site.up():
        other = StoreSettings(f"sqlite://{tmp_path}/other.db")
        troubles = await site.reload(store=other)

    assert ["store.url: it cannot change in a reload; restart for another store"] == troubles


async def test_trouble_with_each_callout_is_told_once_and_at_the_end_how_often(site: Site) -> None:
    identity = site.settings.identity.but(source_addresses=("192.0.2.77",), require_fit=False)
    site.settings = site.settings.but(identity=identity)
    async with site.up() as client:
        for sender in ("ann@shop.example", "bob@shop.example", "invented@shop.example"):
            await ask(client, sender)

    called = [event.reason for event in site.events if isinstance(event, CalledOut)]
    assert [Reason.IDENTITY_UNFIT] * 3 == called
    one, more = [event for event in site.events if isinstance(event, Trouble)]
    assert ["source address"] * 2 == [one.where, more.where]
    assert f"{one.what} (and 1 more like it since the last report)" == more.what
    assert "draining" == getattr(site.events[site.events.index(more) + 1], "what", "")


async def test_the_size_of_its_memory_stays_and_the_rest_is_taken_up(site: Site) -> None:
    async with site.up() as client:
        troubles = await site.reload(
            cache=Cache(memory_entries=7), policy=site.settings.policy.but(mode=Mode.OBSERVE)
        )
        after = await ask(client, "invented@shop.example")

    assert ["cache.memory_entries stays as it was"] == troubles
    assert "DUNNO" == after


async def test_a_reload_opens_and_closes_doors(site: Site, tmp_path: Path) -> None:
    unix = f"unix:{tmp_path}/policy"
    async with site.up():
        old = site.service.addresses[0]
        await site.reload(policy=site.listen_at(unix))
        addresses = site.service.addresses
        moved = await answers_at(unix)

    assert (unix,) == addresses
    assert moved
    assert not await answers_at(old)


async def test_a_reload_leaves_a_door_alone_that_is_spelled_in_another_way(
    site: Site, tmp_path: Path
) -> None:
    site.settings = site.settings.but(policy=site.listen_at(f"unix:{tmp_path}/policy"))
    async with site.up():
        troubles = await site.reload(policy=site.listen_at(f"unix:{tmp_path}//./policy"))

        assert ([], True) == (troubles, await answers_at(f"unix:{tmp_path}/policy"))


async def test_a_door_that_cannot_be_had_leaves_all_as_it_was(
    site: Site, taken: str, tmp_path: Path
) -> None:
    unix = f"unix:{tmp_path}/policy"
    async with site.up() as client:
        policy = site.listen_at(unix, taken).but(mode=Mode.OBSERVE)
        troubles = await site.reload(policy=policy)
        after = await ask(client, "invented@shop.example")
        opened = await answers_at(unix)

    assert 1 == len(troubles)
    assert f"cannot listen on {taken}" in troubles[0]
    assert ("550", False) == (after, opened)


async def test_who_is_in_our_own_way_needs_a_restart(site: Site) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    site.settings = site.settings.but(policy=site.listen_at(f"127.0.0.1:{port}"))
    async with site.up():
        troubles = await site.reload(policy=site.listen_at(f"0.0.0.0:{port}"))

    assert [
        f"cannot go from 127.0.0.1:{port} to 0.0.0.0:{port} in a reload; restart the service"
    ] == troubles


async def test_a_reload_does_not_refill_the_budgets(site: Site) -> None:
    site.settings = site.settings.but(budget=Budget(per_host=1))
    async with site.up() as client:
        await ask(client, "first@shop.example")
        await site.reload()
        await ask(client, "second@shop.example")
        await site.reload(budget=Budget(per_host=10_000))
        await ask(client, "third@shop.example")

    assert [Reason.NO_SUCH_MAILBOX, Reason.OVER_BUDGET, Reason.NO_SUCH_MAILBOX] == [
        event.report.reason for event in site.events if isinstance(event, Decided)
    ]


async def test_a_callout_of_the_old_engine_goes_on_until_the_end_of_the_service(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service_module, "DRAIN_S", 0.05)
    site.settings = site.settings.but(smtp=site.settings.smtp.but(answer_within_s=0.05))
    async with site.up() as client:
        answer = await ask(client, "ann@silent.example")  # whose host says nothing for a minute
        await site.reload()
        replaced = len(site.service._replaced)

    assert ("DEFER_IF_PERMIT", 1) == (answer, replaced)
    assert "ann@silent.example" not in {
        event.address for event in site.events if isinstance(event, CalledOut)
    }


async def test_the_service_manager_hears_of_it(site: Site, tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    site.environment["NOTIFY_SOCKET"] = path
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.setblocking(False)
        async with site.up():
            await site.reload()
        states = []
        for _ in range(4):
            states.append(manager.recv(1_000).decode().split("\n"))

    names = [[state.partition("=")[0] for state in message] for message in states]
    assert [
        ["READY", "STATUS"],
        ["RELOADING", "MONOTONIC_USEC", "STATUS"],
        ["READY", "STATUS"],
        ["STOPPING", "STATUS"],
    ] == names
    assert states[0][1].startswith("STATUS=ready policy: 127.0.0.1:")


@pytest.mark.parametrize(
    ("require_fit", "told", "answer"),
    [(True, "unfit, no callouts: ", "DUNNO"), (False, "unfit: ", "550")],
)
async def test_an_unfit_identity_is_told_of(
    require_fit: bool, told: str, answer: str, site: Site, tmp_path: Path
) -> None:
    path = str(tmp_path / "notify")
    site.environment["NOTIFY_SOCKET"] = path
    identity = site.settings.identity.but(helo_name="no.example", require_fit=require_fit)
    site.settings = site.settings.but(identity=identity)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.setblocking(False)
        async with site.up() as client:
            said = await ask(client, "invented@shop.example")
            await site.wait_examined()
        states = manager.recv(1_000), manager.recv(1_000)

    assert answer == said
    assert f"STATUS={told}no.example leads to" in states[-1].decode()
    assert "; ready policy: " in states[-1].decode()


async def test_a_reload_examines_the_new_identity(site: Site) -> None:
    identity = site.settings.identity.but(helo_name="no.example")
    async with site.up():
        before = await site.wait_examined()
        await site.reload(identity=identity)
        while (after := await site.wait_examined()).may_call:
            """What hosts said of the old one, just before."""

    assert before.may_call
    assert after.fitness.has(Aspect.HELO_NAME, Severity.FATAL)


async def test_a_reload_that_changes_no_identity_examines_nothing(site: Site, lab: World) -> None:
    def examinations() -> int:
        return sum(asked.kind == "PTR" for asked in list(lab.dns.questions))

    async with site.up() as client:
        await site.wait_examined()
        before = examinations()
        await site.reload(policy=site.settings.policy.but(mode=Mode.OBSERVE))
        await ask(client, "invented@shop.example")
        after = examinations()

    decided = [event for event in site.events if isinstance(event, Decided)]
    assert [Reason.NO_SUCH_MAILBOX] == [event.report.reason for event in decided]
    assert before == after > 0


@pytest.mark.parametrize(("max_files", "told"), [(1_820, 0), (1_819, 1)])
async def test_too_few_files_for_all_who_may_come_are_told_of(
    max_files: int, told: int, site: Site
) -> None:
    site.max_files = max_files
    async with site.up():
        at_start = [event.what for event in site.events if isinstance(event, Trouble)]
        at_reload = await site.reload(milter=Milter(listen=(ANY_PORT,)))

    assert told == len(at_start)
    assert [f"{max_files} may be open at a time; with every door full it would be 11820"] == (
        at_reload
    )


async def test_a_service_manager_that_is_gone_ends_nothing(site: Site, tmp_path: Path) -> None:
    site.environment["NOTIFY_SOCKET"] = str(tmp_path / "gone")
    async with site.up() as client:
        answer = await ask(client, "ann@shop.example")

    assert "DUNNO" == answer
    assert "service manager" in {event.where for event in site.events if isinstance(event, Trouble)}


async def test_the_watchdog_is_fed(site: Site, tmp_path: Path) -> None:
    path = str(tmp_path / "notify")
    site.environment.update(NOTIFY_SOCKET=path, WATCHDOG_USEC="20000")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(path)
        manager.setblocking(False)
        heard: list[bytes] = []
        loop = asyncio.get_running_loop()
        async with site.up(), asyncio.timeout(10):
            while sum(b"WATCHDOG=1" in message for message in heard) < 3:
                heard.append(await loop.sock_recv(manager, 1_000))

    first_lines = [message.partition(b"\n")[0] for message in heard]
    assert 3 == first_lines.count(b"WATCHDOG=1")


# Socket activation.


@pytest.fixture
def passed(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address where the service manager listens for us."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        address = f"127.0.0.1:{sock.getsockname()[1]}"
        inherited = Inherited([Passed("policy", address, sock.dup())])
        monkeypatch.setattr(Inherited, "of", lambda environment: inherited)
        yield address


async def test_a_socket_that_was_passed_is_not_bound_again(site: Site, passed: str) -> None:
    site.settings = site.settings.but(policy=site.listen_at(passed))
    async with site.up() as client:
        answer = await ask(client, "invented@shop.example")

    assert "550" == answer
    assert [] == [event for event in site.events if isinstance(event, Trouble)]


async def test_a_passed_socket_that_a_reload_left_can_be_had_again(site: Site, passed: str) -> None:
    site.settings = site.settings.but(policy=site.listen_at(passed))
    async with site.up():
        left = await site.reload(policy=site.listen_at(ANY_PORT))
        back = await site.reload(policy=site.listen_at(passed))

        assert await answers_at(passed)

    assert [f"systemd listens at {passed} (policy), where no door is configured"] == left
    assert [] == back


# The milter.


@asynccontextmanager
async def milter_at(address: str) -> AsyncIterator[Callable[[bytes], Awaitable[bytes]]]:
    """Be an MTA with a client connected; what is yielded says octets and returns one packet."""
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))

    async def say(octets: bytes) -> bytes:
        writer.write(octets)
        head = await reader.readexactly(4)
        return head + await reader.readexactly(int.from_bytes(head))

    try:
        options = await say(encode_packet(b"O", struct.pack(">III", 6, 0x1FF, 0x1FFFFF)))
        assert b"O" == options[4:5]
        writer.write(encode_packet(b"C", b"unknown\x004\0\x19198.51.100.7\0"))
        yield say
    finally:
        writer.close()
        await writer.wait_closed()


def offered(sender: str) -> bytes:
    """A message of `sender` to one recipient, after giving up the one before."""
    envelope = encode_packet(b"M", f"<{sender}>\0".encode()) + encode_packet(b"R", b"<you@a.b>\0")
    return encode_packet(b"A") + envelope


async def test_a_milter_beside_the_policy_service(site: Site) -> None:
    site.settings = site.settings.but(milter=Milter((ANY_PORT,)))
    async with site.up() as client:
        policy, milter = site.service.addresses
        async with milter_at(milter) as say:
            refused = await say(offered("invented@shop.example"))
            accepted = await say(offered("ann@shop.example"))
        also = await ask(client, "invented@shop.example")

    assert (b"y550 5.1.7 ", CONTINUE, "550") == (refused[4:15], accepted, also)
    ready = next(event for event in site.events if isinstance(event, Lifecycle))
    assert f"policy: {policy}; milter: {milter}" == ready.detail


async def test_a_reload_keeps_the_connections_of_a_milter(site: Site) -> None:
    site.settings = site.settings.but(milter=Milter((ANY_PORT,)))
    async with site.up(), milter_at(site.service.addresses[1]) as say:
        before = await say(offered("invented@shop.example"))
        await site.reload(policy=site.settings.policy.but(mode=Mode.OBSERVE))
        after = await say(offered("invented@shop.example"))

    assert (b"y", CONTINUE) == (before[4:5], after)


async def test_a_reload_opens_and_closes_a_milter(site: Site, tmp_path: Path) -> None:
    async with site.up():
        before = site.service.addresses
        await site.reload(milter=Milter((ANY_PORT, f"unix:{tmp_path}/milter")))
        opened = site.service.addresses
        await site.reload(milter=Milter())
        closed = site.service.addresses

    assert (1, 3) == (len(before), len(opened))
    assert before == closed


async def test_one_address_cannot_be_two_doors(site: Site, tmp_path: Path) -> None:
    unix = f"unix:{tmp_path}/socket"
    site.settings = site.settings.but(policy=site.listen_at(unix), milter=Milter((unix,)))

    with pytest.raises(UsageError, match=f"cannot listen on {unix}"):
        await site.service.run()
