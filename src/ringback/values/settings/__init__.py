"""The settings, section by section, as frozen values; names are those of the TOML file.

Each field carries the rule that its value obeys and a line for the manual. A section refuses
nonsense when it is made (SettingError, which is a ValueError). Durations are in seconds, rates per
hour unless said otherwise. Not here: reading files and the environment, and which settings this
version cannot honour yet (doors/configuration.py).
"""

from dataclasses import dataclass, field

from .cache import Ages, Cache, StoreSettings
from .doors import Bulk, Http, Milter, Mode, Policy, Socketmap
from .etiquette import Budget, CallWhen, DeferOrAccept, Etiquette
from .identity import Dns, Identity
from .recipient import Recipient, RecipientRoute, RouteProtocol, RouteTls
from .smtp import Method, Smtp, TlsPolicy

__all__ = [
    "Ages",
    "Budget",
    "Bulk",
    "Cache",
    "CallWhen",
    "DeferOrAccept",
    "Dns",
    "Etiquette",
    "Http",
    "Identity",
    "Method",
    "Milter",
    "Mode",
    "Policy",
    "Recipient",
    "RecipientRoute",
    "RouteProtocol",
    "RouteTls",
    "Settings",
    "Smtp",
    "Socketmap",
    "StoreSettings",
    "TlsPolicy",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them."""

    identity: Identity = field(default_factory=Identity)
    dns: Dns = field(default_factory=Dns)
    smtp: Smtp = field(default_factory=Smtp)
    etiquette: Etiquette = field(default_factory=Etiquette)
    budget: Budget = field(default_factory=Budget)
    cache: Cache = field(default_factory=Cache)
    store: StoreSettings = field(default_factory=StoreSettings)
    policy: Policy = field(default_factory=Policy)
    milter: Milter = field(default_factory=Milter)
    socketmap: Socketmap = field(default_factory=Socketmap)
    http: Http = field(default_factory=Http)
    bulk: Bulk = field(default_factory=Bulk)
    recipient: Recipient = field(default_factory=Recipient)
