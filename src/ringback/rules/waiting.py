"""How often the same mail may be told to come back. Pure. Not here: the texts (rules/actions.py).

A mail is known by its client's network, its sender and its recipient (etiquette.md row 1): a large
site tries again from another host of its own, and a list with another tag in the sender. It is deferred
at most `max_deferrals` times and for at most four hours, and then let through, however unsure we are.
"""

from dataclasses import dataclass, replace
from ipaddress import IPv6Address, ip_address, ip_network

from ..errors import AddressError
from ..values.address import MAX_ADDRESS_OCTETS, parse_address
from ..values.text import printable

# One network, one sending site: what evidence.md section 5 calls the client network.
IPV4_PREFIX, IPV6_PREFIX = 24, 64
# After this long, a mail is let through even if it has come back less often than it might.
MAX_WAIT_S = 4 * 3_600
# Attempts this close together are one: a second server of the same site, or a client that does not
# wait. It must not use up the count of a mail whose verdict needs time, not attempts.
ONE_ATTEMPT_S = 30.0
# Longer than mail is retried (RFC 5321 section 4.5.4.1 says four to five days), or the late retry of a mail
# that was let through would find its count forgotten, and be deferred again, for ever.
REMEMBER_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Wait:
    """The deferrals of one mail. `key` joins client network, sender and recipient.

    `expires_at` is REMEMBER_S after the deferral that was counted last.
    """

    key: str
    first_at: float
    count: int
    expires_at: float


def wait_key(client_address: str, sender: str, recipient: str) -> str:
    """Say which mail this is; the sender without its tags of BATV, SRS and VERP."""
    return " ".join((_network(client_address), _folded(sender), _folded(recipient)))


def may_defer(wait: Wait | None, key: str, now: float, max_deferrals: int) -> tuple[bool, Wait]:
    """Say whether the mail may be told once more to come back, and what to remember of it.

    The memory is `wait` itself where nothing changed.
    """
    # Begun ahead of the clock: the clock was set back, and how long it has waited is not known.
    if wait is None or now >= wait.expires_at or now < wait.first_at:
        wait = Wait(key, now, 0, now + REMEMBER_S)
    if now - wait.first_at >= MAX_WAIT_S:
        return False, wait
    last_at = wait.expires_at - REMEMBER_S
    if wait.count and last_at <= now < last_at + ONE_ATTEMPT_S:
        return wait.count <= max_deferrals, wait
    if wait.count >= max_deferrals:
        return False, wait
    return True, replace(wait, count=wait.count + 1, expires_at=now + REMEMBER_S)


def _network(client_address: str) -> str:
    try:
        address = ip_address(client_address)
    except ValueError:  # Postfix says "unknown" of a client that it lost
        return printable(client_address, limit=MAX_ADDRESS_OCTETS)
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ip_network((address, prefix), strict=False))


def _folded(address: str) -> str:
    try:
        return parse_address(address).folded_key
    except AddressError:  # a recipient without a domain, say
        return printable(address.lower(), limit=MAX_ADDRESS_OCTETS)
