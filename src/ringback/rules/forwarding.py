"""Call-forward: which route a recipient has, and what differs where the host asked is our own. Pure.

Not here: finding the hosts of a route (engine/router.py), and what an MTA is told (rules/actions.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from types import MappingProxyType

from ..errors import AddressError
from ..values.address import Address, parse_address
from ..values.endpoint import UNIX, Endpoint, Login, Manner
from ..values.evidence import Exchange, Meaning, Stage
from ..values.facts import DomainFact, Fact, HostFact
from ..values.forms import split_host_port
from ..values.query import RECIPIENT, SENDER, Purpose, Query
from ..values.record import Record
from ..values.settings import Ages, Cache, RecipientRoute, RouteTls, Settings, TlsPolicy
from ..values.verdict import Conclusion, Verdict
from .freshness import Entry
from .lessons import Lessons
from .outcomes import is_permanent, is_refusal_of_us, names_us

# What is remembered of recipients is kept apart from what their domain's public hosts say of the same
# addresses. No address and no domain begins so: a colon stands in neither.
MARK = "to:"
ANY = "*"

# A host of our own may be asked so often, for one recipient, whether it is back (seconds).
ASK_AGAIN_S = 60.0
AT_ROUTES_S = (ASK_AGAIN_S, ASK_AGAIN_S)  # the first time, and ever after

NULL, ENVELOPE = "null", "envelope"


class Routes(Record, frozen=True):
    """All routes, made ready for a few look-ups per recipient."""

    by_domain: Mapping[str, RecipientRoute]  # "example.org", ".example.org" or "*"

    @classmethod
    def of(cls, routes: Sequence[RecipientRoute]) -> "Routes":
        return cls(MappingProxyType({route.domain: route for route in routes}))

    def find(self, domain: str) -> RecipientRoute | None:
        """The route of a domain (in A-labels, lower case): of those that fit, the longest."""
        if domain in self.by_domain:
            return self.by_domain[domain]
        labels = domain.split(".")
        trees = (f".{'.'.join(labels[start:])}" for start in range(len(labels)))
        fitting = next((tree for tree in trees if tree in self.by_domain), ANY)
        return self.by_domain.get(fitting)

    def has(self, recipient: str) -> bool:
        """Say whether there is anybody to ask about `recipient`, as it was received."""
        if not self.by_domain:
            return False
        try:
            return self.find(parse_address(recipient).domain) is not None
        except AddressError:
            return False  # its own host may read more than we do


def key_of(address: Address, purpose: Purpose) -> str:
    """What a verdict on `address` is kept under (Entry.key)."""
    return f"{MARK}{address.key}" if purpose is RECIPIENT else address.key


def parse_key(key: str) -> tuple[str, Purpose]:
    """The address of a key, and what its verdict is for: what anybody else asks is as of a sender."""
    purpose = RECIPIENT if key.startswith(MARK) else SENDER
    return key.removeprefix(MARK), purpose


def subject_of(domain: str, purpose: Purpose) -> str:
    """What facts about `domain` are kept under (Fact.subject)."""
    return f"{MARK}{domain}" if purpose is RECIPIENT else domain


def sender_for(route: RecipientRoute, query: Query, recipient: Address) -> str:
    """The envelope sender of the callout; "" is the null sender."""
    if route.sender == NULL:
        return ""
    if route.sender != ENVELOPE:
        return route.sender
    try:
        sender = parse_address(query.sender).key
    except AddressError:
        return ""  # the null sender's, or nothing that we could say
    # Where one is beyond ASCII and the other is not, the host would be lost for the other's sake.
    return sender if sender.isascii() or not recipient.key.isascii() else ""


def manner_of(route: RecipientRoute, endpoint: Endpoint, login: Login | None) -> Manner:
    """How the host of a route is spoken to."""
    at_home = endpoint.ip.startswith(UNIX) or ip_address(endpoint.ip).is_loopback
    wanted = route.tls in (RouteTls.REQUIRED, RouteTls.VERIFIED)
    in_secret = wanted or (login is not None and not at_home)
    return Manner(route.protocol, in_secret, login)


def tls_of(route: RecipientRoute) -> TlsPolicy:
    return TlsPolicy.NEVER if route.tls is RouteTls.NEVER else TlsPolicy.OPPORTUNISTIC


def is_address(host: str) -> bool:
    """True where the host of a route needs no DNS."""
    if host.startswith(UNIX):
        return True
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def breakers_of(facts: Iterable[Fact]) -> tuple[Fact, ...]:
    """What counts of what is remembered of our own host: that it refused us, and its lack of contrast."""
    return tuple(fact for fact in facts if fact.kind in _COUNT_AT_HOME)


_COUNT_AT_HOME = frozenset({HostFact.REFUSES_US, HostFact.REFUSES_SOME, HostFact.NO_CONTRAST})


def listeners_of(settings: Settings) -> tuple[str, ...]:
    """Where we listen ourselves."""
    doors = (settings.policy.listen, settings.milter.listen, settings.socketmap.listen)
    return tuple(filter(None, (*(at for door in doors for at in door), settings.http.listen)))


def leads_to_us(endpoint: Endpoint, listeners: Sequence[str]) -> bool:
    """True where the host of a route is one of our own doors (`listeners`), named by mistake."""
    return any(_is_at(endpoint, listener) for listener in listeners)


def _is_at(endpoint: Endpoint, listener: str) -> bool:
    if endpoint.ip.startswith(UNIX) or listener.startswith(UNIX):
        return endpoint.ip == listener
    ip, port = split_host_port(listener)
    ours, theirs = ip_address(ip), ip_address(endpoint.ip)
    # At all addresses of this machine: which of them others use to reach it, it cannot tell.
    here = ours.is_unspecified and theirs.is_loopback
    return port == endpoint.port and (ours == theirs or here)


# What speaks of the mail's own sender, not of the recipient and not of us.
_OF_SENDER = frozenset({Meaning.SENDER_REJECTED, Meaning.NULL_SENDER_REFUSED})


def is_of_sender(exchange: Exchange) -> bool:
    """True for what the host of a route said of the sender of one mail."""
    return exchange.meaning in _OF_SENDER


def is_of_host(exchange: Exchange) -> bool:
    """True for what shows something of the host of a route.

    What it says before RCPT without naming us is of the mail's sender, or of our settings for the route:
    over as soon as those are mended.
    """
    vague = is_refusal_of_us(exchange) and not names_us(exchange)
    return not (vague or is_of_sender(exchange))


def is_kept(conclusion: Conclusion) -> bool:
    """True where a conclusion holds for the recipient, whoever writes to it next.

    A login that was refused is a mistake of the operator's, which is to be over when he has mended it.
    """
    because = conclusion.because
    return because is None or not (is_of_sender(because) or because.stage in _NOT_OF_RECIPIENT)


_NOT_OF_RECIPIENT = frozenset({Stage.AUTH, Stage.MAIL})


def is_answer(exchange: Exchange) -> bool:
    """True for a permanent reply to RCPT: the host was there, and spoke of this recipient."""
    return exchange.stage is Stage.RCPT and is_permanent(exchange) and not is_of_sender(exchange)


# Facts that hold for all recipients of a domain. That their host refuses bounces, or does not serve the
# domain at all, is a mistake of the operator's, and is to be over when he has mended it.
_HOLDS_FOR_ALL = frozenset({DomainFact.ACCEPTS_ANY, DomainFact.SELECTIVE})


def kept_of(lessons: Lessons) -> Lessons:
    """What is remembered of the lessons of a callout to the host of a route."""
    learned = tuple(fact for fact in lessons.learned if fact.kind in _HOLDS_FOR_ALL)
    return lessons.but(learned=learned)


def stands_in(entry: Entry, now: float) -> bool:
    """True where what is remembered of a recipient answers while its host does not."""
    is_known = entry.verdict is not Verdict.UNKNOWN and entry.doubted_at is None
    return is_known and now < entry.expires_at


def ages_of_recipients(cache: Cache) -> Mapping[Verdict, Ages]:
    return MappingProxyType(
        {
            Verdict.DELIVERABLE: cache.recipient_deliverable,
            Verdict.UNDELIVERABLE: cache.recipient_undeliverable,
            Verdict.UNKNOWN: cache.unknown,
        }
    )
