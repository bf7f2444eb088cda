"""The settings, section by section, as frozen values; names are those of the TOML file.

Each field carries the rule that its value obeys and a line for the manual. A section refuses
nonsense when it is made (SettingError, which is a ValueError). Durations are in seconds, rates per
hour unless said otherwise. Not here: reading files and the environment, and which settings this
version cannot honour yet (doors/configuration.py).
"""

from ..record import Record
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


class Settings(Record, frozen=True):
    """All of them."""

    identity: Identity = Identity()
    dns: Dns = Dns()
    smtp: Smtp = Smtp()
    etiquette: Etiquette = Etiquette()
    budget: Budget = Budget()
    cache: Cache = Cache()
    store: StoreSettings = StoreSettings()
    policy: Policy = Policy()
    milter: Milter = Milter()
    socketmap: Socketmap = Socketmap()
    http: Http = Http()
    bulk: Bulk = Bulk()
    recipient: Recipient = Recipient()
