"""Models of how Exim and Postfix verify senders, by their documentation: whom they call, what they remember.

With the settings that they come with, but for Postfix's reply to senders that do not exist, which is 550 as
its how-to advises. Models, not programs: the dialogue is reduced to the commands that matter, and what
neither manual says is decided in favour of the rival. Not here: measuring them (harm.py).
Sources: Exim's specification, "Access control lists", Callout verification and its cache, and
callout_*_expire; Postfix's ADDRESS_VERIFICATION_README, verify(8) and postconf(5), address_verify_*.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

from ..errors import AddressError
from ..values.address import parse_address
from ..values.dns import DnsStatus, Mx, RecordType
from ..values.query import Client
from .harm import Answer, Scene, Told
from .schedules import DAY_S, HOUR_S
from .sim_net import SimCall
from .traffic import Message


class Result(Enum):
    """What a callout says of an address."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    DEFERRED = "deferred"


@dataclass(frozen=True, slots=True)
class Dialogue:
    """How far a host let us go, and the code it ended with; 0 for none."""

    stage: str  # "connect", "greeting", "ehlo", "mail", "rcpt"
    code: int

    @property
    def result(self) -> Result:
        if self.code < 200 or 400 <= self.code < 500:
            return Result.DEFERRED
        return Result.ACCEPTED if self.code < 400 else Result.REFUSED


async def converse(call: SimCall, sender: str, address: str, wait_s: float) -> Dialogue:
    """Ask one host, each reply within `wait_s`; leave with QUIT."""
    commands = (
        ("greeting", ""),
        ("ehlo", "EHLO rival.example"),
        ("mail", f"MAIL FROM:<{sender}>"),
        ("rcpt", f"RCPT TO:<{address}>"),
    )
    said = Dialogue("connect", 0)
    try:
        await call.connect(wait_s)
        for stage, command in commands:
            if command:
                call.write(f"{command}\r\n".encode())
            said = Dialogue(stage, _code(await call.read(wait_s)))
            if said.result is not Result.ACCEPTED:
                break
        call.write(b"QUIT\r\n")
    except (TimeoutError, ConnectionRefusedError):
        return Dialogue(said.stage, 0)
    return said


def _code(octets: bytes) -> int:
    digits = octets[:3]
    return int(digits) if digits.isdigit() else 0


async def find_hosts(scene: Scene, domain: str) -> tuple[tuple[str, ...], DnsStatus]:
    """The addresses of a domain's hosts in order, and how the question for them ended."""
    mx = await scene.resolver.ask(domain, RecordType.MX)
    if mx.status in (DnsStatus.NXDOMAIN, DnsStatus.FAILURE):
        return (), mx.status
    hosts = sorted(mx.mx, key=lambda record: record.preference) or [Mx(0, domain)]
    found: list[str] = []
    for host in hosts:
        found += (await scene.resolver.ask(host.host, RecordType.A)).texts
    return tuple(found), DnsStatus.OK if found else DnsStatus.NODATA


@dataclass(frozen=True, slots=True)
class Kept:
    """A cached result, until `expires_at` of the time that has elapsed."""

    result: Result
    expires_at: float
    refresh_at: float = 0.0
    probing: bool = False


_TOLD = {Result.ACCEPTED: Told.TAKEN, Result.REFUSED: Told.REFUSED, Result.DEFERRED: Told.DEFERRED}


def _mailbox(sender: str) -> tuple[str, str] | None:
    """The address as it is asked for, and its domain."""
    try:
        address = parse_address(sender)
    except AddressError:
        return None
    return address.key, address.domain


@dataclass
class EximModel:
    """`require verify = sender/callout`: each address that is not cached is called while the client waits.

    The first host that answers decides. No two askers share a callout. A refusal before RCPT is
    remembered of the domain, one at RCPT of the address, a deferral not at all.
    """

    scene: Scene
    positive_s: float = DAY_S  # callout_positive_expire = 24h
    negative_s: float = 2 * HOUR_S  # callout_negative_expire = 2h
    domain_positive_s: float = (
        7 * DAY_S
    )  # callout_domain_positive_expire = 7d: without `random`, says nothing
    domain_negative_s: float = 3 * HOUR_S  # callout_domain_negative_expire = 3h
    wait_s: float = 30.0  # the callout's default time limit
    _addresses: dict[str, Kept] = field(default_factory=dict)
    _domains: dict[str, Kept] = field(default_factory=dict)

    async def judge(self, message: Message, client: Client) -> Sequence[Answer]:
        """The sender of a message is verified once, whatever the number of its recipients."""
        return [await self._judge(message)] * len(message.recipients)

    async def _judge(self, message: Message) -> Answer:
        named = _mailbox(message.sender)
        if named is None:
            return Answer(Told.REFUSED, "syntax")
        result = self._known(*named) or await self._call(*named)
        return Answer(_TOLD[result], f"callout {result.value}")

    async def close(self) -> None:
        """Nothing goes on behind the clients' backs."""

    def _known(self, address: str, domain: str) -> Result | None:
        now = self.scene.clock.elapsed()
        for kept in (self._domains.get(domain), self._addresses.get(address)):
            if kept and now < kept.expires_at:
                return kept.result
        return None

    async def _call(self, address: str, domain: str) -> Result:
        hosts, status = await find_hosts(self.scene, domain)
        if not hosts:
            return Result.DEFERRED if status is DnsStatus.FAILURE else Result.REFUSED
        said = Dialogue("connect", 0)
        for ip in hosts:
            said = await converse(self.scene.dialer.reach(ip), "", address, self.wait_s)
            if said.result is not Result.DEFERRED:
                break
        self._remember(said, address, domain)
        return said.result

    def _remember(self, said: Dialogue, address: str, domain: str) -> None:
        now = self.scene.clock.elapsed()
        if said.result is Result.DEFERRED:
            return
        if said.stage != "rcpt":
            self._domains[domain] = Kept(said.result, now + self.domain_negative_s)
            return
        accepted = said.result is Result.ACCEPTED
        expires_s = self.positive_s if accepted else self.negative_s
        self._addresses[address] = Kept(said.result, now + expires_s)


@dataclass
class PostfixModel:
    """`reject_unverified_sender`: a probe for each address that is not cached, one at a time for an address.

    The client is told 450 if the probe takes longer than three polls do, 6 s. A greeting that refuses
    sends the probe on to the next host. A deferral is cached as a refusal is, and told as 450.
    """

    scene: Scene
    positive_s: float = 31 * DAY_S  # address_verify_positive_expire_time
    positive_refresh_s: float = 7 * DAY_S  # address_verify_positive_refresh_time
    negative_s: float = 3 * DAY_S  # address_verify_negative_expire_time
    negative_refresh_s: float = 3 * HOUR_S  # address_verify_negative_refresh_time
    polls: int = 3  # address_verify_poll_count
    poll_s: float = 3.0  # address_verify_poll_delay
    wait_s: float = 30.0  # smtp_connect_timeout; replies might take 300 s, which no host here needs
    sender: str = "double-bounce@rival.example"  # address_verify_sender
    _addresses: dict[str, Kept] = field(default_factory=dict)
    _probes: dict[str, "asyncio.Task[None]"] = field(default_factory=dict)

    async def judge(self, message: Message, client: Client) -> Sequence[Answer]:
        return [await self._judge(message) for _ in message.recipients]

    async def _judge(self, message: Message) -> Answer:
        named = _mailbox(message.sender)
        if named is None:
            return Answer(Told.REFUSED, "syntax")
        address, domain = named
        kept = self._known(address, domain)
        for _ in range(self.polls - 1):
            if kept is not None:
                break
            await self.scene.clock.sleep(self.poll_s)
            kept = self._known(address, domain)
        if kept is None:
            return Answer(Told.DEFERRED, "probe under way")
        return Answer(_TOLD[kept.result], f"probe {kept.result.value}")

    async def close(self) -> None:
        while self._probes:
            await asyncio.gather(*self._probes.values())

    def _known(self, address: str, domain: str) -> Kept | None:
        now = self.scene.clock.elapsed()
        kept = self._addresses.get(address)
        if (kept is None or now >= kept.refresh_at) and address not in self._probes:
            self._probes[address] = asyncio.create_task(self._probe(address, domain))
        return kept if kept and now < kept.expires_at else None

    async def _probe(self, address: str, domain: str) -> None:
        try:
            result = await self._call(address, domain)
        finally:
            del self._probes[address]
        old, now = self._addresses.get(address), self.scene.clock.elapsed()
        if result is Result.ACCEPTED:
            new = Kept(result, now + self.positive_s, now + self.positive_refresh_s)
        elif old and old.result is Result.ACCEPTED and now < old.expires_at:
            new = old  # a failed probe does not replace a good result that has not expired
        else:
            new = Kept(result, now + self.negative_s, now + self.negative_refresh_s)
        self._addresses[address] = new

    async def _call(self, address: str, domain: str) -> Result:
        hosts, status = await find_hosts(self.scene, domain)
        if not hosts:
            return Result.DEFERRED if status is DnsStatus.FAILURE else Result.REFUSED
        said = Dialogue("connect", 0)
        for ip in hosts:
            said = await converse(self.scene.dialer.reach(ip), self.sender, address, self.wait_s)
            turned_away = said.stage in ("connect", "greeting", "ehlo")
            if said.result is Result.ACCEPTED or (
                said.result is Result.REFUSED and not turned_away
            ):
                break
        return said.result
