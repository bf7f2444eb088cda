"""Where to knock, how to speak there, and for how long. Not here: knocking (net/dial.py)."""

from dataclasses import dataclass, field

from .record import Record
from .settings import RouteProtocol

UNIX = "unix:"  # what begins the "IP address" of a socket of this machine


class Endpoint(Record, frozen=True):
    """One address of one host."""

    host: str
    ip: str
    port: int
    preference: int = 0  # of the MX record; lower is preferred
    # The host of a route is our own: it may stand in any network, and the system chooses our address.
    ours: bool = False
    verified: bool = False  # its certificate must be valid for `host`


@dataclass(frozen=True, slots=True)
class Login:
    """Who we are to a host that wants to know (RFC 4954). The password is never shown."""

    username: str
    password: str = field(repr=False)


class Manner(Record, frozen=True):
    """How a host is spoken to, beyond what every host is told."""

    protocol: RouteProtocol = RouteProtocol.SMTP
    secret: bool = False  # nothing is asked in clear
    login: Login | None = None


PLAINLY = Manner()


class Patience(Record, frozen=True):
    """How long one call may take: each stage of it, and all of it. Seconds."""

    stage_s: float
    whole_s: float
