"""Who writes honestly: each with an address that takes his bounces, or a host that will not say so.

Their hosts accept anybody, refuse bounces, greylist, are down or refuse us, but none says that his mailbox
does not exist: no mail of theirs may be refused. Not here: when they write (traffic.py).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from ..values.query import Client
from .dice import Dice, Urn, zipf
from .mx import Door
from .schedules import Schedule
from .sites import Hoster, Land, Manner, Spf


class Kind(StrEnum):
    """How honest mail comes."""

    SPF = "aligned by SPF"
    HOST = "aligned: its MX sends"
    NAME = "aligned by reverse name"
    POOL = "aligned, from a large pool"
    UNALIGNED = "unaligned: somebody else's smarthost"
    NO_NAME = "unaligned: no reverse name, no SPF"
    BROKEN_SPF = "unaligned: SPF that cannot be read"
    SILENT_SPF = "unaligned: SPF that gets no answer"
    REWRITTEN = "forwarded with SRS"
    FORWARDED = "forwarded as it came"
    LIST = "mailing list with VERP"


@dataclass(frozen=True, slots=True)
class Correspondent:
    """One of them. `sender` may have a {serial} and a {user}, which each mail fills in."""

    kind: Kind
    sender: str
    clients: tuple[Client, ...]  # attempt by attempt, over and over
    schedule: Schedule
    recipients: tuple[str, ...]


_KINDS = (
    (Kind.SPF, 0.34),
    (Kind.HOST, 0.10),
    (Kind.NAME, 0.06),
    (Kind.POOL, 0.18),
    (Kind.UNALIGNED, 0.08),
    (Kind.NO_NAME, 0.02),
    (Kind.BROKEN_SPF, 0.02),
    (Kind.SILENT_SPF, 0.01),
    (Kind.REWRITTEN, 0.04),
    (Kind.FORWARDED, 0.05),
    (Kind.LIST, 0.10),
)
_MANNERS = (
    (Manner(), 0.615),
    (Manner(round_trip_s=0.2), 0.08),
    (Manner("accept_all"), 0.10),
    (Manner("refuses_bounces"), 0.03),
    (Manner("refuses_bounces_at_rcpt"), 0.02),
    (Manner("greylisting"), 0.05),
    (Manner("greylisting_451"), 0.02),
    (Manner("slow"), 0.02),
    (Manner("blocks_us"), 0.02),
    (Manner("blocks_us_at_rcpt"), 0.01),
    (Manner("refuses_us"), 0.01),
    (Manner("mailbox_full"), 0.005),
    (Manner("trouble_at_rcpt"), 0.005),
    (Manner(door=Door.SHUT), 0.01),
    (Manner(door=Door.STUCK), 0.005),
)
_SCHEDULES = (
    (Schedule.POSTFIX, 0.5),
    (Schedule.EXIM, 0.25),
    (Schedule.SENDMAIL, 0.15),
    (Schedule.EXCHANGE, 0.1),
)
# Few write much, many write seldom.
_WEIGHT_EXPONENT = 0.9
_MOST_RECIPIENTS = 3
_FAR_SHARE = 0.15  # of pools: every other attempt comes from another network
_SOFT_SHARE = 0.5


def found_correspondents(
    dice: Dice, land: Land, hosters: tuple[Hoster, ...], users: tuple[str, ...], count: int
) -> Urn[Correspondent]:
    """Make them; some use the hosters."""
    founder = _Founder(dice, land, hosters, users)
    kinds = Urn.of(_KINDS)
    made = [founder.make(kinds.draw(dice), number) for number in range(count)]
    return Urn(made, zipf(count, _WEIGHT_EXPONENT))


class _Founder:
    """Makes correspondents, one after the other."""

    def __init__(
        self, dice: Dice, land: Land, hosters: tuple[Hoster, ...], users: tuple[str, ...]
    ) -> None:
        self._dice, self._land, self._hosters, self._users = dice, land, hosters, users
        self._manners, self._schedules = Urn.of(_MANNERS), Urn.of(_SCHEDULES)

    def make(self, kind: Kind, number: int) -> Correspondent:
        domain = f"firm{number}.example"
        sender, clients = _MADE_BY[kind](self, domain)
        pooled = kind is Kind.POOL
        schedule = Schedule.POOL if pooled else self._schedules.draw(self._dice)
        recipients = {self._dice.pick(self._users): None for _ in range(_MOST_RECIPIENTS)}
        return Correspondent(kind, sender, clients, schedule, tuple(recipients))

    # Each kind: its domain, and who sends for it.

    def by_spf(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        network = self._land.network()
        spf = Spf.SOFT if self._dice.happens(_SOFT_SHARE) else Spf.FAIL
        sender = self._own(domain, spf, f"ip4:{network}.0/24")
        return sender, (self._land.client(f"{network}.25", f"out.{domain}"),)

    def by_host(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        manner = self._manners.draw(self._dice)
        site = self._land.own(domain, manner, Spf.NONE)
        site.mailboxes.add("ann")
        # Its own host sends, and is down for nobody who sends from it.
        return f"ann@{domain}", (Client(site.hosts[0].ip, site.hosts[0].name, f"mx.{domain}"),)

    def by_name(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        sender = self._own(domain, Spf.NONE)
        return sender, (self._land.client(f"{self._land.network()}.25", f"out.{domain}"),)

    def by_pool(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        hoster = self._dice.pick(self._hosters)
        site = self._land.hosted(domain, hoster, Spf.SOFT)
        site.mailboxes.add("ann")
        far = self._dice.happens(_FAR_SHARE)
        mixed = [one for pair in zip(hoster.pool, hoster.far_pool, strict=True) for one in pair]
        return f"ann@{domain}", tuple(mixed) if far else hoster.pool

    def unaligned(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        return self._own(domain, Spf.NONE), (self._stranger(f"relay.{domain}-isp.example"),)

    def without_name(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        return self._own(domain, Spf.NONE), (self._stranger(""),)

    def with_broken_spf(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        return self._own(domain, Spf.BROKEN), (self._stranger(f"relay.{domain}-isp.example"),)

    def with_silent_spf(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        return self._own(domain, Spf.UNANSWERED), (self._stranger(f"relay.{domain}-isp.example"),)

    def rewritten(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        network = self._land.network()
        senders = f"ip4:{network}.0/24"
        self._land.own(domain, Manner("rewriting_host"), Spf.FAIL, senders=senders)
        sender = f"SRS0=h4sh=7X=far.example=writer{{serial}}@{domain}"
        return sender, (self._land.client(f"{network}.25", f"out.{domain}"),)

    def forwarded(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        """His domain says that nobody else may send, and the forwarder does."""
        sender = self._own(domain, Spf.SOFT if self._dice.happens(_SOFT_SHARE) else Spf.FAIL)
        return sender, (self._stranger(f"fwd.{domain}-forwarder.example"),)

    def listed(self, domain: str) -> tuple[str, tuple[Client, ...]]:
        network = self._land.network()
        senders = f"ip4:{network}.0/24"
        self._land.own(domain, Manner("list_host"), Spf.FAIL, senders=senders)
        sender = f"bounces+{{serial}}-{{user}}@{domain}"
        return sender, (self._land.client(f"{network}.25", f"lists.{domain}"),)

    def _own(self, domain: str, spf: Spf, senders: str = "") -> str:
        """A domain with a host of its own; the address of its mailbox."""
        manner = self._manners.draw(self._dice)
        self._land.own(domain, manner, spf, senders=senders).mailboxes.add("ann")
        return f"ann@{domain}"

    def _stranger(self, name: str) -> Client:
        return self._land.client(f"{self._land.network()}.25", name)


_MADE_BY: dict[Kind, Callable[[_Founder, str], tuple[str, tuple[Client, ...]]]] = {
    Kind.SPF: _Founder.by_spf,
    Kind.HOST: _Founder.by_host,
    Kind.NAME: _Founder.by_name,
    Kind.POOL: _Founder.by_pool,
    Kind.UNALIGNED: _Founder.unaligned,
    Kind.NO_NAME: _Founder.without_name,
    Kind.BROKEN_SPF: _Founder.with_broken_spf,
    Kind.SILENT_SPF: _Founder.with_silent_spf,
    Kind.REWRITTEN: _Founder.rewritten,
    Kind.FORWARDED: _Founder.forwarded,
    Kind.LIST: _Founder.listed,
}
