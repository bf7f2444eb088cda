"""How often the same mail may be told to come back, and who has shown that he does. Pure.

Not here: the texts (rules/actions.py), who is told so (rules/exemptions.py, engine/deferrals.py).

A mail is known by its client's network, its sender and its recipient (etiquette.md row 1): a large
site tries again from another host of its own, and a list with another tag in the sender. It is deferred
at most `max_deferrals` times and for at most four hours, and then let through, however unsure we are.
"""

from ipaddress import ip_network

from ..errors import AddressError
from ..values.address import MAX_ADDRESS_OCTETS, parse_address
from ..values.record import Record
from ..values.text import printable
from .networks import parse_host

# One network, one sending site: what evidence.md section 5 calls the client network.
IPV4_PREFIX, IPV6_PREFIX = 24, 64
# What one owner of many networks holds, for a bound on what he can make us remember.
IPV4_WIDE_PREFIX, IPV6_WIDE_PREFIX = 16, 32
# After this long, a mail is let through even if it has come back less often than it might.
MAX_WAIT_S = 4 * 3_600
# Attempts this close together are one: a second server of the same site, or a client that does not
# wait. It must not use up the count of a mail whose verdict needs time, not attempts.
ONE_ATTEMPT_S = 30.0
# A mail that is remembered costs some 200 bytes of disk: all of them 200 MB. An honest network has
# a few first contacts a day, and whatever exceeds a bound is neither remembered, nor put off, nor called for.
MAX_OF_NETWORK = 500
MAX_OF_WIDE_NETWORK = 20_000
MAX_OF_ALL = 1_000_000
# A client that came back is known for five weeks from its last mail, so that a monthly letter finds it known.
ACQUAINTED_S = 35 * 86_400.0
# One return may be chance: of bots that try every fifth mail again, hardly one gets this far.
TRUSTED_RETURNS = 3
# Nor is one miss a habit: a server gives a mail up that it need not send any more.
DOUBTED_MISSES = 3
# The first retry of most servers comes within a quarter of an hour; a network is judged by the rest.
COMES_BACK_WITHIN_S = 900.0
# Longer than mail is retried (RFC 5321 section 4.5.4.1 says four to five days), or the late retry of a mail
# that was let through would find its count forgotten, and be deferred again, for ever.
REMEMBER_S = 7 * 86_400.0
# No server waits longer than a day for its first retry: a mail that has not come back in two will not. So a
# flood of first contacts is forgotten soon, and to fill the memory takes MAX_OF_ALL of them in two days.
NEWCOMER_S = 2 * 86_400.0


class Wait(Record, frozen=True):
    """The deferrals of one mail. `key` joins client network, sender and recipient.

    `expires_at` is REMEMBER_S after the deferral that was counted last, NEWCOMER_S if it has not come back.
    """

    key: str
    first_at: float
    count: int
    expires_at: float
    returned: bool = False  # it has come back after the wait, as mail servers do

    @property
    def last_at(self) -> float:
        """When it was deferred last."""
        return self.expires_at - _kept_s(self.count, returned=self.returned)

    @property
    def network(self) -> str:
        return self.key.partition(" ")[0]

    @property
    def wide_network(self) -> str:
        return wide_network(self.network)


def _kept_s(count: int, *, returned: bool = False) -> float:
    return REMEMBER_S if returned or count > 1 else NEWCOMER_S


class Crowd(Record, frozen=True):
    """How many mails are remembered, each number as far as its bound: whoever floods us, only he is not."""

    of_network: int = 0
    of_wide_network: int = 0
    of_all: int = 0

    @property
    def is_full(self) -> bool:
        return (
            self.of_network >= MAX_OF_NETWORK
            or self.of_wide_network >= MAX_OF_WIDE_NETWORK
            or self.of_all >= MAX_OF_ALL
        )


class Acquaintance(Record, frozen=True):
    """How many first contacts we put off, and how many of them came back.

    Of a client network, or of such a network with one organisation's senders.
    """

    network: str
    contacts: int
    returned: int
    expires_at: float
    waiting: int = 0  # of the contacts, those since `waiting_since`, which may still come back
    waiting_since: float = 0.0

    def missed(self, now: float) -> int:
        """How many had the time to come back, and did not."""
        waits = 0 <= now - self.waiting_since < COMES_BACK_WITHIN_S
        return max(0, self.contacts - self.returned - (self.waiting if waits else 0))


def wait_key(client_address: str, sender: str, recipient: str) -> str:
    """Say which mail this is; the sender without its tags of BATV, SRS and VERP."""
    return " ".join((network_of(client_address), _folded(sender), _folded(recipient)))


def may_defer(wait: Wait | None, key: str, now: float, max_deferrals: int) -> tuple[bool, Wait]:
    """Say whether the mail may be told once more to come back, and what to remember of it.

    The memory is `wait` itself where nothing changed.
    """
    # Begun ahead of the clock: the clock was set back, and how long it has waited is not known.
    if wait is None or now >= wait.expires_at or now < wait.first_at:
        wait = Wait(key, now, 0, now + NEWCOMER_S)
    if now - wait.first_at >= MAX_WAIT_S:
        return False, wait
    if wait.count and wait.last_at <= now < wait.last_at + ONE_ATTEMPT_S:
        return wait.count <= max_deferrals, wait
    if wait.count >= max_deferrals:
        return False, wait
    count = wait.count + 1
    expires_at = now + _kept_s(count, returned=wait.returned)
    return True, wait.but(count=count, expires_at=expires_at)


class Greeting(Record, frozen=True):
    """Whether a mail may be called for, and what to remember of it; None where nothing changed."""

    came_back: bool
    retry_at: float | None = None  # when it may be, if it has not waited yet
    wait: Wait | None = None
    acquaintance: Acquaintance | None = None


def greet(
    wait: Wait | None, known: Acquaintance | None, key: str, now: float, wait_s: float
) -> Greeting:
    """Judge a mail of a client that nobody vouches for: has it come back, as servers do?

    `known` is its network, as a whole. A mail that was deferred for another reason has waited as well.
    """
    if wait is None or not wait.first_at <= now < wait.expires_at:
        wait = Wait(key, now, 0, now + NEWCOMER_S)
        return Greeting(False, now + wait_s, wait, _met(known, wait, now))
    if wait.returned:
        return Greeting(True)
    if now - wait.first_at < wait_s:
        return Greeting(False, wait.first_at + wait_s)
    wait = wait.but(returned=True, expires_at=wait.last_at + REMEMBER_S)
    return Greeting(True, None, wait, _met(known, wait, now))


def is_trusted(known: Acquaintance | None, now: float) -> bool:
    """True of a network whose first contacts mostly come back: it need not be put off again.

    Some bots try again, now and then: more than half of what mail servers send does, and several times.
    """
    if known is None or now >= known.expires_at:
        return False
    return known.returned >= TRUSTED_RETURNS and 2 * known.returned >= known.contacts


def is_doubted(known: Acquaintance | None, now: float) -> bool:
    """True of a network whose first contacts mostly stay away: those that return show no server."""
    if known is None or now >= known.expires_at:
        return False
    missed = known.missed(now)
    return missed >= DOUBTED_MISSES and missed > known.returned


def _met(known: Acquaintance | None, wait: Wait, now: float) -> Acquaintance:
    if known is None or now >= known.expires_at:
        known = Acquaintance(wait.network, 0, 0, 0.0)
    if wait.returned:
        return known.but(
            returned=known.returned + 1,
            waiting=max(0, known.waiting - 1),
            expires_at=now + ACQUAINTED_S,
        )
    if not 0 <= now - known.waiting_since < COMES_BACK_WITHIN_S:
        known = known.but(waiting=0, waiting_since=now)
    return known.but(
        contacts=known.contacts + 1,
        waiting=known.waiting + 1,
        expires_at=max(
            known.expires_at, now + REMEMBER_S
        ),  # whose misses count for longer than a mail
    )


def network_of(client_address: str) -> str:
    """The network that counts as one client."""
    try:
        address = parse_host(client_address)
    except ValueError:  # Postfix says "unknown" of a client that it lost
        return printable(client_address, limit=MAX_ADDRESS_OCTETS).replace(" ", "_")
    prefix = IPV4_PREFIX if address.version == 4 else IPV6_PREFIX
    return str(ip_network((address, prefix), strict=False))


def wide_network(network: str) -> str:
    """What holds `network` and its neighbours; itself, where it is none."""
    try:
        parsed = ip_network(network)
    except ValueError:
        return network
    prefix = IPV4_WIDE_PREFIX if parsed.version == 4 else IPV6_WIDE_PREFIX
    return str(parsed.supernet(new_prefix=prefix))


def _folded(address: str) -> str:
    try:
        return parse_address(address).folded_key
    except AddressError:  # a recipient without a domain, say
        return printable(address.lower(), limit=MAX_ADDRESS_OCTETS)
