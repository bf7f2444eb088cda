"""A small internet on loopback: DNS and mail hosts of a plan, brought to life and taken down.

Not here: what the plan says (plan.py, world.toml), the front end that takes mail (front.py).
"""

import errno
import ipaddress
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from types import TracebackType

from ..engine.ports import Clock
from ..errors import ConfigError, UsageError
from .clock import WallClock
from .dns import DnsServer
from .mx import Door, Host
from .personas import Persona, load_personas
from .plan import DomainPlan, MxPlan, NamePlan, Plan, Standing, load_plan
from .zone import Behaviour, Node, judge_node

HELO_NAME = "verify.lab.example"
CONTACT = "postmaster@lab.example"
ALLOWED_NETWORKS = ("127.0.0.0/8", "::1/128")
# Hosts get 127.25.0.1 and on: any address in 127.0.0.0/8 is ours without configuration, and 25 is SMTP.
FIRST_ADDRESS = ipaddress.IPv4Address("127.25.0.1")
MAX_HOSTS = 10_000
# One port must be free on every address; another is tried so many times.
MAX_PORT_TRIES = 20

_BEHAVIOUR_OF = {
    Standing.NOWHERE: Behaviour.NODATA,
    Standing.NXDOMAIN: Behaviour.NXDOMAIN,
    Standing.SERVFAIL: Behaviour.SERVFAIL,
    Standing.REFUSED: Behaviour.REFUSED,
    Standing.SILENT: Behaviour.SILENT,
}


@dataclass(frozen=True, slots=True)
class Resident:
    """One line of the world's directory."""

    domain: str
    persona: str  # or what DNS says of the domain
    about: str
    mailboxes: tuple[str, ...]
    hosts: tuple[str, ...]


class World:
    """DNS and hosts of `plan`, up between `start` and `close`, or inside `async with`.

    `hosts` by name, `mailboxes` (sets of local parts) by domain and `dns.zone` may be changed while it runs.
    `tls` is used by hosts that do STARTTLS. `port` is that of all hosts; 0 is any free one.
    """

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        personas: Mapping[str, Persona] | None = None,
        clock: Clock | None = None,
        tls: ssl.SSLContext | None = None,
        port: int = 0,
        dns_port: int = 0,
    ) -> None:
        self.plan = plan or load_plan()
        self.personas = personas if personas is not None else load_personas()
        self.clock = clock or WallClock()
        self.mailboxes = {
            name: set(domain.mailboxes)
            for name, domain in self.plan.domains.items()
            if domain.dns.has_hosts
        }
        self.hosts: dict[str, Host] = {}
        self.dns = DnsServer({}, self.clock)
        self.smtp_port = port
        self._tls = tls
        self._wanted_port, self._wanted_dns_port = port, dns_port
        self._addresses = self._free_addresses()
        self._settle()

    @property
    def nameserver(self) -> str:
        """As in `dns.nameservers` of the configuration."""
        return self.dns.nameserver

    @property
    def residents(self) -> tuple[Resident, ...]:
        return tuple(self._resident(name, plan) for name, plan in self.plan.domains.items())

    @property
    def settings_toml(self) -> str:
        """The part of a configuration that points Ringback at this world."""
        networks = ", ".join(f'"{network}"' for network in ALLOWED_NETWORKS)
        return (
            f'[identity]\nhelo_name = "{HELO_NAME}"\ncontact = "{CONTACT}"\n\n'
            f'[dns]\nnameservers = ["{self.nameserver}"]\n\n'
            f"[smtp]\nport = {self.smtp_port}\nallowed_networks = [{networks}]\n"
        )

    async def __aenter__(self) -> "World":
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def start(self) -> None:
        """Bring up the name server and every host. Raises UsageError if a port cannot be had."""
        try:
            await self.dns.start(port=self._wanted_dns_port)
        except OSError as error:
            raise _no_port(self._wanted_dns_port, error) from error
        for tries_left in reversed(range(MAX_PORT_TRIES)):
            try:
                await self._start_hosts()
            except OSError as error:
                await self._close_hosts()
                if self._wanted_port or not tries_left or error.errno != errno.EADDRINUSE:
                    await self.dns.close()
                    raise _no_port(self.smtp_port, error) from error
            else:
                return

    def publish_source(self, ip: str) -> None:
        """Let HELO_NAME lead to `ip` as well, and back: who calls from there is fit to."""
        own = self.dns.zone[HELO_NAME]
        kind = "AAAA" if ":" in ip else "A"
        known = own.records.get(kind, ())
        records = {**own.records, kind: tuple(dict.fromkeys((*known, ip)))}
        self.dns.zone[HELO_NAME] = replace(own, records=records)
        self._point_back(ip, HELO_NAME)

    async def close(self) -> None:
        await self._close_hosts()
        await self.dns.close()

    async def _start_hosts(self) -> None:
        self.smtp_port = self._wanted_port
        if not any(host.door is Door.OPEN for host in self.hosts.values()):
            self.smtp_port = self.smtp_port or _free_port()
        # Closed doors take the port that the open ones found free.
        for host in sorted(self.hosts.values(), key=lambda host: host.door is not Door.OPEN):
            await host.start(self.smtp_port)
            self.smtp_port = host.port

    async def _close_hosts(self) -> None:
        for host in self.hosts.values():
            await host.close()

    def _settle(self) -> None:
        for name, domain in self.plan.domains.items():
            self._settle_domain(name, domain)
        for name, extra in self.plan.names.items():
            self._settle_name(name, extra)
        self._settle_name(HELO_NAME, NamePlan(records={"TXT": ("v=spf1 a -all",)}))
        self.publish_source("127.0.0.1")

    def _settle_domain(self, name: str, domain: DomainPlan) -> None:
        if domain.dns is Standing.NULL_MX:
            self.dns.zone[name] = Node({"MX": ("0 .",)})
        elif not domain.dns.has_hosts:
            self.dns.zone[name] = Node(behaviour=_BEHAVIOUR_OF[domain.dns])
        else:
            plans = _hosts_of(name, domain)
            for plan in plans:
                self._settle_host(plan, domain)
            if domain.dns is Standing.MX:
                records = {"MX": tuple(f"{plan.preference} {plan.host}" for plan in plans)}
                own = self.dns.zone.get(name, Node())
                self.dns.zone[name] = Node({**own.records, **records})

    def _settle_host(self, plan: MxPlan, domain: DomainPlan) -> None:
        if plan.host in self.hosts:  # it serves another domain already
            return
        persona = plan.persona or domain.persona
        if persona not in self.personas:
            problem = f'there is no persona "{persona}"'
            raise ConfigError("plan", plan.host, problem, "known are: " + ", ".join(self.personas))
        ip = plan.ip or next(self._addresses)
        if any(host.ip == ip for host in self.hosts.values()):
            problem = f"{ip} is another host's"
            raise ConfigError("plan", plan.host, problem, "give each host an address of its own")
        self.hosts[plan.host] = Host(
            plan.host,
            ip,
            self.personas[persona],
            self.mailboxes,
            self.clock,
            tls=self._tls,
            door=plan.door,
        )
        own = self.dns.zone.get(plan.host, Node())
        kind = "AAAA" if ":" in ip else "A"
        self.dns.zone[plan.host] = Node({**own.records, kind: (ip,)})
        self._point_back(ip, plan.host)

    def _settle_name(self, name: str, extra: NamePlan) -> None:
        own = self.dns.zone.get(name, Node())
        records = {**own.records, **extra.records}
        node = Node(records, extra.behaviour, extra.by_kind, extra.cname, extra.ttl_s)
        judge_node(name, node, "plan")
        self.dns.zone[name] = node

    def _point_back(self, ip: str, name: str) -> None:
        pointer = ipaddress.ip_address(ip).reverse_pointer
        self.dns.zone[pointer] = Node({"PTR": (name,)})

    def _free_addresses(self) -> Iterator[str]:
        taken = {mx.ip for domain in self.plan.domains.values() for mx in domain.mx}
        for offset in range(MAX_HOSTS):
            ip = str(FIRST_ADDRESS + offset)
            if ip not in taken:
                yield ip

    def _resident(self, name: str, plan: DomainPlan) -> Resident:
        if not plan.dns.has_hosts:
            return Resident(name, plan.dns.value, plan.about, (), ())
        hosts = tuple(mx.host for mx in _hosts_of(name, plan))
        said = ", ".join(dict.fromkeys(self.hosts[host].persona.name for host in hosts))
        about = plan.about or self.hosts[hosts[0]].persona.about
        return Resident(name, said, about, tuple(sorted(plan.mailboxes)), hosts)


def has_address(ip: str) -> bool:
    """Say whether something can listen at `ip` here; ::1 is missing on some machines."""
    family = socket.AF_INET6 if ":" in ip else socket.AF_INET
    try:
        with socket.socket(family) as trial:
            trial.bind((ip, 0))
    except OSError:
        return False
    return True


def _free_port() -> int:
    with socket.socket() as trial:
        trial.bind((str(FIRST_ADDRESS), 0))
        port: int = trial.getsockname()[1]
        return port


def _no_port(port: int, error: OSError) -> UsageError:
    why = os.strerror(error.errno) if error.errno else str(error)
    return UsageError(f"port {port}: {why}; name another one, or 0 for any")


def _hosts_of(name: str, domain: DomainPlan) -> tuple[MxPlan, ...]:
    if domain.dns is Standing.IMPLICIT:
        return (MxPlan(name),)
    return domain.mx or (MxPlan(f"mx.{name}"),)
