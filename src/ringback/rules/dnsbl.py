"""Whether a block list in the DNS lists an IP address (RFC 5782). A machine without I/O.

Not here: which lists are asked, and what follows for a client (gates.py) or for us (fitness.py).
"""

from ipaddress import ip_address, ip_network

from ..values.dns import DnsStatus, Question, RecordType
from ..values.record import Record
from .asking import Asking
from .networks import parse_host

# Lists answer from here. Elsewhere in 127.0.0.0/8 they say that they refuse us ("127.255.255.254"), and a
# list that was given up points the whole world at somebody's web server.
_LISTINGS = ip_network("127.0.0.0/24")

# RFC 5782 section 5: no list that works lists this address.
NEVER_LISTED = "127.0.0.1"

# What is told of an answer: more than a list has reasons for.
MAX_CODES = 8


class Listing(Record, frozen=True):
    """What a list says. `codes` are its answers; neither an `error` nor a `failure` is a listing."""

    codes: tuple[str, ...] = ()
    error: str = ""  # it answers, and what it says cannot be meant for the address
    failure: str = ""  # the DNS gave no answer

    @property
    def is_listed(self) -> bool:
        return bool(self.codes)


def ask_list(zone: str, ip: str) -> Asking[Listing]:
    """Ask the list at `zone` (A-labels) for `ip`; what is no IP address is listed nowhere."""
    try:
        labels = _labels_of(ip)
    except ValueError:
        return Listing(error="not an IP address")
    answer = yield Question(f"{labels}.{zone}", RecordType.A)
    if answer.status is DnsStatus.FAILURE:
        return Listing(failure=answer.detail or "no answer")
    codes = tuple(text for text in answer.texts if _is_listing(text))[:MAX_CODES]
    if answer.texts and not codes:
        strange = ", ".join(answer.texts[:MAX_CODES])
        return Listing(error=f"it answers {strange}, which is no listing")
    return Listing(codes)


def _labels_of(ip: str) -> str:
    """The address as lists have it: octets (section 2.1) or nibbles (section 2.4), the last one first."""
    pointer = parse_host(ip).reverse_pointer
    return pointer.removesuffix(".in-addr.arpa").removesuffix(".ip6.arpa")


def _is_listing(text: str) -> bool:
    try:
        return ip_address(text) in _LISTINGS
    except ValueError:
        return False
