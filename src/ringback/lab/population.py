"""Who there is: innocents whose addresses are forged, people who write honestly, spammers, bots. From a seed.

Shares and weights are guesses at what a mid-sized site sees, chosen once and written down here; what they
lead to is measured (harm.py). Not here: who writes honestly (correspondents.py), who writes when
(traffic.py), how domains are built (sites.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from ..values.query import Client
from .correspondents import Correspondent, found_correspondents
from .dice import Dice, Urn, zipf
from .mx import Door
from .sites import Hoster, Land, Manner, Site, Spf
from .zone import Node

OURS = "ours.example"
CANARY = "example.com"  # of the default configuration


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many there are. 500 domains, as in the measurements of other verifiers."""

    innocents: int = 500  # domains
    correspondents: int = 1_500
    spammers: int = 20
    bots: int = 500
    users: int = 200  # of ours


@dataclass(frozen=True, slots=True)
class Spammer:
    """Somebody with a domain of his own; what he says of it is in order."""

    senders: tuple[str, ...]
    client: Client


@dataclass(frozen=True, slots=True)
class Population:
    """All of them. `innocent_ips` are those of the hosts that take innocents' mail."""

    land: Land
    innocent_ips: frozenset[str]
    forged: Urn[tuple[str, ...]]  # each draw is a domain's addresses
    correspondents: Urn[Correspondent]
    spammers: tuple[Spammer, ...]
    bots: tuple[Client, ...]
    users: tuple[str, ...]


# (what, share); of innocents with hosts of their own.
_MANNERS = (
    (Manner(), 0.60),
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
    (Manner("trouble_at_rcpt"), 0.01),
    (Manner(door=Door.SHUT), 0.02),
    (Manner(door=Door.STUCK), 0.01),
)
_SPF = ((Spf.FAIL, 0.35), (Spf.SOFT, 0.35), (Spf.NONE, 0.29), (Spf.OPEN, 0.01))
# (how its hosts behave, how many there are)
_HOSTERS = (
    (Manner(), 3),
    (Manner(), 2),
    (Manner("exchange_online"), 4),
    (Manner(round_trip_s=0.15), 2),
    (Manner("accept_all"), 2),
    (Manner("greylisting"), 2),
)
_HOSTED_SHARE = 0.45
_IMPLICIT_SHARE = 0.03  # without MX
_OPTED_OUT_SHARE = 0.02
# The first innocents are the large free mail providers, whom everybody forges and many use.
_FREE_MAIL_HOSTS = (1, 3, 3)  # the first shows one address to the world
# Four of five forged addresses were refused in the measurements of other verifiers.
_EXISTING_SHARE = 0.2
# What bots know of all domains together; a domain's part of it is its part of the forged mail.
_FORGED_ADDRESSES, _LEAST_FORGED = 9_000, 2
_NAMED_BOTS_SHARE = 0.6
_SPAMMERS_ADDRESSES, _SPAMMERS_EXISTING_SHARE = 30, 0.5


def populate(seed: str, sizes: Sizes) -> Population:
    """Make everybody anew: hosts remember, and count."""
    dice, land = Dice(f"{seed}/population"), Land()
    land.zone[CANARY] = Node({"A": ("192.0.2.80",)})
    hosters = tuple(
        land.hoster(f"hoster{number}.example", manner, hosts)
        for number, (manner, hosts) in enumerate(_HOSTERS, start=1)
    )
    free_mail = tuple(
        land.hoster(f"freemail{number}.example", Manner(), hosts)
        for number, hosts in enumerate(_FREE_MAIL_HOSTS, start=1)
    )
    weights = zipf(sizes.innocents)
    sites = tuple(_innocents(dice.of("innocents"), land, hosters, free_mail, sizes.innocents))
    known = tuple(
        _forged_addresses(dice.of(site.domain), site, weight / sum(weights))
        for site, weight in zip(sites, weights, strict=True)
    )
    users = tuple(f"user{number}@{OURS}" for number in range(1, sizes.users + 1))
    writers = found_correspondents(
        dice.of("correspondents"), land, (*free_mail, *hosters), users, sizes.correspondents
    )
    return Population(
        land=land,
        innocent_ips=frozenset(host.ip for site in sites for host in site.hosts),
        forged=Urn(known, weights),
        correspondents=writers,
        spammers=tuple(_spammers(dice.of("spammers"), land, hosters[0], sizes.spammers)),
        bots=tuple(_bots(dice.of("bots"), land, sizes.bots)),
        users=users,
    )


def _innocents(
    dice: Dice, land: Land, hosters: tuple[Hoster, ...], free_mail: tuple[Hoster, ...], count: int
) -> Iterator[Site]:
    manners, policies = Urn.of(_MANNERS), Urn.of(_SPF)
    for number in range(count):
        spf = policies.draw(dice)
        if number < len(free_mail):
            yield land.hosted(free_mail[number].name, free_mail[number], Spf.SOFT)
            continue
        domain = f"innocent{number}.example"
        if dice.happens(_OPTED_OUT_SHARE):
            land.opt_out(domain)
        if dice.happens(_HOSTED_SHARE):
            yield land.hosted(domain, dice.pick(hosters), spf)
        else:
            implicit = dice.happens(_IMPLICIT_SHARE)
            yield land.own(domain, manners.draw(dice), spf, implicit=implicit)


def _forged_addresses(dice: Dice, site: Site, share: float) -> tuple[str, ...]:
    count = max(_LEAST_FORGED, round(_FORGED_ADDRESSES * share))
    local_parts = [f"forged{number}" for number in range(count)]
    site.mailboxes.update(name for name in local_parts if dice.happens(_EXISTING_SHARE))
    return tuple(f"{name}@{site.domain}" for name in local_parts)


def _spammers(dice: Dice, land: Land, victim: Hoster, count: int) -> Iterator[Spammer]:
    """The first points his MX at a victim, the second lets anybody send for him."""
    for number in range(count):
        domain, network = f"deals{number}.example", land.network()
        client = land.client(f"{network}.25", f"mail.{domain}")
        allowed = f"ip4:{network}.0/24"
        if number == 0:
            site = land.borrowed(domain, victim.hosts[0], allowed)
        else:
            spf = Spf.OPEN if number == 1 else Spf.FAIL
            site = land.own(domain, Manner(), spf, senders=allowed)
        names = [f"offer{serial}" for serial in range(_SPAMMERS_ADDRESSES)]
        site.mailboxes.update(name for name in names if dice.happens(_SPAMMERS_EXISTING_SHARE))
        yield Spammer(tuple(f"{name}@{domain}" for name in names), client)


def _bots(dice: Dice, land: Land, count: int) -> Iterator[Client]:
    for number in range(count):
        network = land.network()
        ip = f"{network}.{1 + dice.below(254)}"
        named = dice.happens(_NAMED_BOTS_SHARE)
        name = f"dsl{number}.access{number % 7}.example" if named else ""
        yield land.client(ip, name, helo=f"pc{number}")
