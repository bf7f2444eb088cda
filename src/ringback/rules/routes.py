"""DNS answers → the hosts to ask, in order (RFC 5321 section 5.1). Pure.

Null MX is RFC 7505. A domain without MX is its own host (implicit MX); a domain whose MX records lead
nowhere is not: it said where its mail goes. Not here: asking DNS (engine/router.py), and which
networks may be called (rules/networks.py).
"""

from collections.abc import Callable, Sequence
from itertools import chain, zip_longest

from ..values.dns import DnsAnswer, DnsStatus, Mx
from ..values.evidence import Fault
from ..values.record import Record
from .networks import plain

# Of one host: enough for one address of each family and a spare; more only makes a callout long.
MAX_ADDRESSES_PER_HOST = 3


class Route(Record, frozen=True):
    """The hosts that take mail for a domain, the most preferred first."""

    hosts: tuple[Mx, ...]
    implicit: bool = False  # no MX: the domain itself is the host


class NoRoute(Record, frozen=True):
    """Why there is no host to ask."""

    fault: Fault
    detail: str


def route_from_mx(
    domain: str, answer: DnsAnswer, max_hosts: int, draw: Callable[[], float]
) -> Route | NoRoute:
    """Read the answer to the MX question; `draw` gives the numbers that shuffle equal preferences."""
    match answer.status:
        case DnsStatus.OK:
            return _in_order(answer.mx, max_hosts, draw)
        case DnsStatus.NODATA:
            return Route((Mx(0, domain),), implicit=True)
        case DnsStatus.NXDOMAIN:
            return NoRoute(Fault.NO_SUCH_DOMAIN, "NXDOMAIN")
    return NoRoute(Fault.DNS_FAILURE, answer.detail)


def _in_order(records: Sequence[Mx], max_hosts: int, draw: Callable[[], float]) -> Route | NoRoute:
    if not records:  # nothing was learned: it takes a record to say that no mail is taken
        return NoRoute(Fault.DNS_FAILURE, "an answer without MX records")
    named = [record for record in records if record.host]
    if not named:
        return NoRoute(Fault.NULL_MX, "null MX")
    shuffled = sorted(named, key=lambda record: (record.preference, draw()))
    # A host that is named twice is asked once, where it is preferred most.
    once = {record.host: record for record in reversed(shuffled)}
    return Route(tuple(record for record in shuffled if once[record.host] is record)[:max_hosts])


def addresses(answers: Sequence[DnsAnswer]) -> tuple[str, ...]:
    """The addresses of one host, from its A and AAAA answers, in the order of `answers`.

    One of each family before a second of either: a family that cannot be reached costs one try.
    """
    families = [
        [plain(text) for text in answer.texts]
        for answer in answers
        if answer.status is DnsStatus.OK
    ]
    mixed = filter(None, chain.from_iterable(zip_longest(*families)))
    return tuple(dict.fromkeys(mixed))[:MAX_ADDRESSES_PER_HOST]


def no_addresses(answers: Sequence[DnsAnswer], *, implicit: bool) -> NoRoute:
    """Say what it means that a host has no address, from the answers that gave none."""
    for answer in answers:
        if answer.status is DnsStatus.FAILURE:
            return NoRoute(Fault.DNS_FAILURE, answer.detail)
    if implicit:
        return NoRoute(Fault.NO_MAIL_HOST, "no MX, A or AAAA")
    return NoRoute(Fault.UNUSABLE_MX, "the MX name has no address")
