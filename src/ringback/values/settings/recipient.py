"""[[recipient.route]]: whom to ask about the recipients of a domain.

Not here: which route an address takes (rules/forwarding.py).
"""

from enum import StrEnum
from typing import Annotated

from ...errors import SettingError
from ..constraints import choice, one_or_each, optional, text
from ..forms import PATH, PORT, ROUTE_DOMAIN, ROUTE_HOST, ROUTE_SENDER
from ..section import Section, tables
from .bounds import MAX_LIST_ITEMS

MAX_ROUTE_HOSTS = 10
MAX_USERNAME_OCTETS = 120  # with a password of 240 it fits into one command

_HERE = frozenset({"localhost", "::1"})


class RouteProtocol(StrEnum):
    SMTP = "smtp"
    LMTP = "lmtp"


class RouteTls(StrEnum):
    NEVER = "never"
    WHEN_OFFERED = "when_offered"
    REQUIRED = "required"  # whoever holds the certificate
    VERIFIED = "verified"  # and it is one for the host's name


def _parse_username(value: str) -> str:
    if len(value.encode()) > MAX_USERNAME_OCTETS:
        raise ValueError(f"is longer than {MAX_USERNAME_OCTETS} octets")
    return value


USERNAME = text("a user name", _parse_username)


class RecipientRoute(Section, frozen=True):
    """Call-forward: whom to ask about the recipients of a domain."""

    domain: Annotated[
        str, ROUTE_DOMAIN, "the recipients' domain; of several that fit, the longest counts"
    ]
    host: Annotated[
        tuple[str, ...],
        one_or_each(ROUTE_HOST, most=MAX_ROUTE_HOSTS),
        "who has their mailboxes; of several, the next is asked where one gives no answer",
    ]
    port: Annotated[int, PORT, "where it listens; a `unix:` host has none"] = 25
    protocol: Annotated[RouteProtocol, choice(RouteProtocol), "what it speaks"] = RouteProtocol.SMTP
    sender: Annotated[
        str, ROUTE_SENDER, 'the envelope sender of the callout; "envelope" is that of the mail'
    ] = "envelope"
    tls: Annotated[
        RouteTls, choice(RouteTls), 'when STARTTLS is used; "verified" wants a valid certificate'
    ] = RouteTls.WHEN_OFFERED
    username: Annotated[
        str,
        optional(USERNAME, "no authentication"),
        "who we are to the host, by AUTH PLAIN or LOGIN; never in clear, but to this machine",
    ] = ""
    password_file: Annotated[
        str, optional(PATH, "no authentication"), "a file with the password on its only line"
    ] = ""

    def __post_init__(self) -> None:
        Section.__post_init__(self)
        if bool(self.username) != bool(self.password_file):
            missing = "password_file" if self.username else "username"
            raise SettingError(missing, "it is missing", "give both of the two, or none")
        if self.username and self.tls is RouteTls.NEVER and not self._is_here:
            problem = "the password would travel in clear"
            raise SettingError("tls", problem, f'write tls = "{RouteTls.REQUIRED}"')

    @property
    def _is_here(self) -> bool:
        """True where nothing leaves this machine, as far as the names of the hosts say."""
        return all(host.startswith(("unix:", "127.")) or host in _HERE for host in self.host)


ROUTES = tables(
    RecipientRoute,
    "[[recipient.route]] with domain and host under it",
    most=MAX_LIST_ITEMS,
    unique="domain",
)


class Recipient(Section, frozen=True):
    """Whose recipients are asked about, and where; entries are counted from 1 in messages."""

    route: Annotated[tuple[RecipientRoute, ...], ROUTES, "one table for each domain"] = ()
