"""The written forms that settings take: addresses, networks, listeners, domains, places of a store.

Each is read into the one spelling that the program compares: domains as A-labels in lower case, paths of
sockets without empty steps, "localhost" as 127.0.0.1.
Not here: which setting takes which form (values/settings/).
"""

import ipaddress
import re

from ..errors import AddressError
from .address import parse_address, parse_domain
from .constraints import quote, text, whole

MAX_PORT = 65_535
# Linux's sun_path holds 108 octets, the NUL that ends it included (unix(7)).
MAX_SOCKET_PATH_OCTETS = 107

_HOST_PORT = re.compile(r"(?:\[([^\]]*)\]|([^:]*))(?::([0-9]{1,5}))?")
_SCHEME = re.compile(r"[A-Za-z0-9+.-]+:")


def split_host_port(endpoint: str) -> tuple[str, int | None]:
    """Take "ADDRESS", "ADDRESS:PORT" or "[ADDRESS]:PORT" apart. Raises ValueError.

    The address is IPv4 or IPv6, without brackets; an IPv6 address with a port needs brackets.
    """
    found = _HOST_PORT.fullmatch(endpoint)
    host, port = (found[1] or found[2], found[3]) if found else (endpoint, None)
    if port is not None and int(port) > MAX_PORT:
        raise ValueError("port")
    return str(ipaddress.ip_address(host)), None if port is None else int(port)


def join_host_port(host: str, port: int | None) -> str:
    """Put an address and a port together again, IPv6 in brackets."""
    shown = f"[{host}]" if ":" in host and port is not None else host
    return shown if port is None else f"{shown}:{port}"


def is_loopback(listener: str) -> bool:
    """Say whether only this host reaches a listener."""
    host, _, _ = listener.rpartition(":")
    return listener.startswith("unix:") or ipaddress.ip_address(host.strip("[]")).is_loopback


def _parse_ip(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError("is not an IP address") from None


def _parse_network(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise ValueError("is not a network") from None
    if ipaddress.ip_address(value.partition("/")[0]) != network.network_address:
        raise ValueError(f"has bits set beyond its prefix, unlike {network}")
    return str(network)


def _parse_nameserver(value: str) -> str:
    try:
        host, port = split_host_port(value)
    except ValueError:
        raise ValueError("is not ADDRESS or ADDRESS:PORT") from None
    if port == 0:
        raise ValueError("has port 0")
    return join_host_port(host, port)


def _parse_tcp_listener(value: str) -> str:
    if value.startswith("localhost:"):  # the one name that needs no DNS
        value = value.replace("localhost", "127.0.0.1", 1)
    try:
        ip, number = split_host_port(value)
    except ValueError:
        raise ValueError("is not ADDRESS:PORT") from None
    if number is None:
        raise ValueError("has no port")
    return join_host_port(ip, number)


def _parse_listener(value: str) -> str:
    scheme, colon, path = value.partition(":")
    if scheme != "unix" or not colon:
        return _parse_tcp_listener(value)
    if not path.startswith("/") or path.endswith(("/", "/.")):
        raise ValueError("is not unix: and an absolute path")
    path = "/" + "/".join(step for step in path.split("/") if step not in ("", "."))
    if len(path.encode()) > MAX_SOCKET_PATH_OCTETS:
        raise ValueError(f"has a path longer than {MAX_SOCKET_PATH_OCTETS} octets")
    return f"unix:{path}"


def _parse_domain(value: str) -> str:
    """Return A-labels in lower case, as domains of addresses are compared."""
    try:
        domain = parse_domain(value.removesuffix("."))
    except AddressError as error:
        raise ValueError(f"is not a domain: {error}") from None
    last_label = domain.rpartition(".")[2]
    if domain.startswith("[") or last_label.isdigit():
        raise ValueError("is an address, not a domain")
    return domain


def _parse_host(value: str) -> str:
    try:
        return _parse_ip(value)
    except ValueError:
        return _parse_domain(value)


def _parse_helo_name(value: str) -> str:
    """RFC 5321 section 4.1.4: a client without a name gives an address literal."""
    if value.startswith("["):
        try:
            return parse_domain(value)
        except AddressError:
            raise ValueError("is not an address literal") from None
    return _parse_domain(value)


def _parse_email(value: str) -> str:
    try:
        return parse_address(value).key
    except AddressError as error:
        raise ValueError(f"is not an e-mail address: {error}") from None


def _parse_sender(value: str) -> str:
    """Return an address, a domain, or a domain after a dot, which means all below it too."""
    if "@" in value:
        return _parse_email(value)
    dot = "." if value.startswith(".") else ""
    return dot + _parse_domain(value.removeprefix("."))


def _parse_route_sender(value: str) -> str:
    return value if value in ("null", "envelope") else _parse_email(value)


def _parse_route_domain(value: str) -> str:
    """Return a domain, a domain after a dot, which means all below it too, or "*" for any other."""
    if value == "*":
        return value
    dot = "." if value.startswith(".") else ""
    return dot + _parse_domain(value.removeprefix("."))


def _parse_route_host(value: str) -> str:
    """Return what is asked: a name, an address, the hosts of an MX record, or a socket of this machine."""
    if value.startswith("unix:"):
        return _parse_listener(value)
    if value.startswith("mx:"):
        return f"mx:{_parse_domain(value.removeprefix('mx:'))}"
    return _parse_host(value)


def _parse_path(value: str) -> str:
    if not value.startswith("/") or value.endswith("/"):
        raise ValueError("is not the absolute path of a file")
    return value


def _parse_store_url(value: str) -> str:
    scheme, _, rest = value.partition("://")
    if value == "memory:" or (scheme == "postgresql" and rest):
        return value
    if scheme != "sqlite":
        raise ValueError("names no kind of store")
    if not rest.startswith("/") or rest.endswith("/"):
        raise ValueError("does not name a file by its absolute path")
    return value


def _show_store_url(value: object) -> str:
    """Show no more than the scheme: in what is no URL of ours, a password may stand anywhere."""
    if not isinstance(value, str):
        return quote(value)
    scheme = _SCHEME.match(value)
    return quote(f"{scheme[0]}…") if scheme else "it"


PORT = whole(1, MAX_PORT)
IP = text('an IP address, such as "192.0.2.1"', _parse_ip)
NETWORK = text('a network, such as "192.0.2.0/24" or "2001:db8::/32"', _parse_network)
NAMESERVER = text('"ADDRESS" or "ADDRESS:PORT", such as "192.0.2.53:53"', _parse_nameserver)
LISTENER = text('"ADDRESS:PORT" or "unix:/path", such as "127.0.0.1:10040"', _parse_listener)
DOMAIN = text('a domain, such as "example.org"', _parse_domain)
ROUTE_DOMAIN = text(
    'a domain, a domain with all below it, or "*" for any other, such as "example.org" or '
    '".example.org"',
    _parse_route_domain,
)
ROUTE_HOST = text(
    'a host name, an IP address, "mx:DOMAIN" or "unix:/path", such as "mail.example.org"',
    _parse_route_host,
)
HELO_NAME = text('a host name, such as "verify.example.net"', _parse_helo_name)
EMAIL = text('an e-mail address, such as "postmaster@example.net"', _parse_email)
SENDER = text(
    'an e-mail address, a domain, or a domain with all below it, such as "ann@example.org", '
    '"example.org" or ".example.org"',
    _parse_sender,
)
ROUTE_SENDER = text('"null", "envelope" or an e-mail address', _parse_route_sender)
PATH = text("the absolute path of a file", _parse_path)
STORE_URL = text('"sqlite:///path/to/file" or "memory:"', _parse_store_url, _show_store_url)
