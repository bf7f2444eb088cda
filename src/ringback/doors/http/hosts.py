"""Which requests come from where they seem to: Host against DNS rebinding, and cross-site ones.

A page of an attacker can have its own name lead to 127.0.0.1 and then read what listens there; the Host
field still names the attacker's (RFC 9110 section 7.2). Not here: tokens, which no browser adds by itself.
"""

from ipaddress import ip_address

_LOOPBACK_NAMES = frozenset({"localhost", "localhost."})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})  # RFC 9110 section 9.2.1
# What a browser says of the page that a request comes from; other clients say nothing.
_OWN_SITE = frozenset({"", "same-origin", "none"})


def names_loopback(host: str) -> bool:
    """Say whether a Host field names this machine by what no DNS can redirect."""
    name, colon, port = host.rpartition(":")
    if not colon or host.endswith("]"):
        name, port = host, "0"
    if not (port.isascii() and port.isdigit()):
        return False
    if name.lower() in _LOOPBACK_NAMES:
        return True
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    try:
        return ip_address(bare).is_loopback
    except ValueError:
        return False


def is_cross_site(method: str, fetch_site: str, fetch_mode: str) -> bool:
    """Say whether another site's page has a browser ask here (Sec-Fetch-Site, Sec-Fetch-Mode).

    A link may lead here; but no page may have this service work, or hold its places, behind a reader's back.
    """
    is_link = method in _SAFE and fetch_mode.lower() == "navigate"
    return fetch_site.lower() not in _OWN_SITE and not is_link
