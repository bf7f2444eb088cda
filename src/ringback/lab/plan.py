"""What a world consists of: domains, their hosts and mailboxes, extra DNS names; read from TOML.

Not here: bringing it to life (world.py), how hosts behave (personas.py).
"""

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec

from ..errors import ConfigError
from .mx import Door
from .personas import ROOT, Persona, read_named
from .zone import Behaviour


class Standing(StrEnum):
    """How DNS speaks of a domain as a whole."""

    MX = "mx"
    IMPLICIT = "implicit"  # no MX: the address of the domain itself (RFC 5321 section 5.1)
    NULL_MX = "null_mx"  # RFC 7505
    NOWHERE = "nowhere"  # the name exists, without MX, A and AAAA
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    SILENT = "silent"

    @property
    def has_hosts(self) -> bool:
        return self in (Standing.MX, Standing.IMPLICIT)


class MxPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One host of a domain. `ip` is chosen if left out; `persona` is the domain's."""

    host: str
    preference: int = 10
    persona: str = ""
    ip: str = ""
    door: Door = Door.OPEN


class DomainPlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One mail domain. Without `mx` it has one host, mx.DOMAIN (DOMAIN itself if `implicit`)."""

    persona: str = ROOT
    about: str = ""
    mailboxes: tuple[str, ...] = ()
    mx: tuple[MxPlan, ...] = ()
    dns: Standing = Standing.MX


class NamePlan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One more name in DNS: records by type, or a bad habit."""

    records: dict[str, tuple[str, ...]] = {}
    behaviour: Behaviour = Behaviour.ANSWER
    by_kind: dict[str, Behaviour] = {}
    cname: str = ""
    ttl_s: int = 300


class Plan(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A whole world. Names are lower case, without a final dot."""

    domains: dict[str, DomainPlan]
    names: dict[str, NamePlan] = {}


def load_plan(path: Path | None = None) -> Plan:
    """Return the plan in the file at `path`, or the shipped one. Raises ConfigError."""
    if path is None:
        text = resources.files(__package__).joinpath("world.toml").read_text("utf-8")
        return parse_plan(text, "world.toml")
    return parse_plan(read_named(path), str(path))


def parse_plan(text: str, source: str) -> Plan:
    """Return the plan written in `text`. Raises ConfigError."""
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(source, "", f"not TOML: {error}", "mend that line") from error
    return make_plan(tables, source)


def make_plan(tables: Mapping[str, Any], source: str = "plan") -> Plan:
    """Return the plan that plain dictionaries describe. Raises ConfigError."""
    try:
        return msgspec.convert(tables, Plan)
    except msgspec.ValidationError as error:
        remedy = "see the shipped world.toml for an example"
        raise ConfigError(source, "", str(error), remedy) from error


def with_personas(plan: Plan, personas: Mapping[str, Persona]) -> Plan:
    """Return `plan` with a domain of its own for each persona that has none: my_host at my-host.example."""
    used = {mx.persona for domain in plan.domains.values() for mx in domain.mx}
    used |= {domain.persona for domain in plan.domains.values()}
    fresh = {
        f"{name.replace('_', '-')}.example": DomainPlan(name, mailboxes=("ann", "bob"))
        for name in personas
        if name not in used
    }
    return Plan({**fresh, **plan.domains}, plan.names)
