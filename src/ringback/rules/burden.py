"""What a callout is charged to (etiquette.md, Budgets). Pure. Not here: the arithmetic (rules/pacing.py)."""

from functools import lru_cache
from ipaddress import ip_network

from ..values.query import Client
from ..values.record import Record
from ..values.settings import Budget
from .networks import MAX_REMEMBERED, bearer, parse_ip
from .organisation import Organisation, share_organisation
from .pacing import HOUR_S, Charge, Rate

# The neighbours of a host: one operator, mostly, who bears for all of them four times what one bears.
IPV4_NETWORK, IPV6_NETWORK = 24, 48
NETWORK_TIMES = 4
# Of strangers to the client, a quarter: a spammer can point his MX at a victim.
STRANGERS_PART = 4
# The names of budgets: whose they are, and the one that all callouts fall under.
AT_HOST, IN_NETWORK = "callouts at this host", "callouts in its network"
AT_ORGANISATION = "callouts at the organisation of this host"
FOR_DOMAIN, OVERALL = "callouts for this domain", "callouts overall"
# As many refusals as a host bears in an hour say within a week that a domain is being forged.
FORGED_WINDOW_S = 7 * 86_400.0


class Target(Record, frozen=True):
    """Who would be called: an address of an MX, for a recipient domain."""

    ip: str
    host: str
    domain: str


def charges_for(
    target: Target, client: Client | None, budget: Budget, organisation: Organisation
) -> tuple[Charge, ...]:
    """The budgets that one callout falls under; `client` is None where an operator asks."""
    burdened = (
        f"host {bearer(target.ip)}",
        f"net {network_of(target.ip)}",
        f"mx {organisation(target.host or target.domain)}",
        f"domain {target.domain}",
    )
    borne = tuple(zip(burdened, _shares(budget), strict=True))
    charges = [Charge(key, share.rate, share.name) for key, share in borne]
    if client is not None and not are_related(target, client, organisation):
        charges += [
            Charge(f"strangers {key}", share.of_strangers, share.name_of_strangers)
            for key, share in borne
        ]
    return (*charges, Charge("all", _rate(budget.overall), OVERALL))


class _Share(Record, frozen=True):
    """What one of those who bear a callout may be asked for, and its budgets' names."""

    rate: Rate
    name: str
    of_strangers: Rate
    name_of_strangers: str


@lru_cache(1)
def _shares(budget: Budget) -> tuple[_Share, ...]:
    """Of a host, its network, its organisation, and the domain: the same for all callouts."""
    numbers = (
        (budget.per_host, AT_HOST),
        (NETWORK_TIMES * budget.per_host, IN_NETWORK),
        (budget.per_domain, AT_ORGANISATION),
        (budget.per_domain, FOR_DOMAIN),
    )
    return tuple(
        _Share(
            _rate(number),
            name,
            _rate(_part(number)),
            f"{name}, for clients that have nothing to do with it",
        )
        for number, name in numbers
    )


def refusal_charge(ip: str, budget: Budget) -> Charge:
    """The budget of recipients that a host refused."""
    rate = _rate(budget.refused_recipients_per_host)
    return Charge(f"refused {bearer(ip)}", rate, "refused recipients of this host")


def forgery_charge(name: str, budget: Budget) -> Charge:
    """The budget of senders that a domain, or a host, refused, of those whom strangers to it claimed to be.

    Whoever forges a domain makes up names in it; who it vouches for is called all the same. Used up, it is
    a suspicion: a stop of ours, clean or not, is no reason to have it of everybody for half a day.
    """
    rate = _rate(budget.refused_recipients_per_host, FORGED_WINDOW_S)
    shown = "refused senders, in mail of strangers"
    return Charge(f"forged {name}", rate, shown, starts_empty=False)


def wish_charge(name: str, per_hour: int) -> Charge:
    """The budget that an owner has set in the DNS."""
    return Charge(f"wish {name}", Rate(per_hour), f"callouts that {name} allows in the DNS")


def are_related(target: Target, client: Client, organisation: Organisation) -> bool:
    """True if MX and client share an organisational domain or a network."""
    if share_organisation(target.host, client.name, organisation):
        return True
    return bool(client.address) and network_of(target.ip) == network_of(client.address)


def network_of(ip: str) -> str:
    """The /24 or /48 of an address; what is no address stands for itself."""
    try:
        return _network_of(bearer(ip))
    except ValueError:
        return ip


@lru_cache(MAX_REMEMBERED)
def _network_of(ip: str) -> str:
    address = parse_ip(ip)
    prefix = IPV4_NETWORK if address.version == 4 else IPV6_NETWORK
    return str(ip_network((address, prefix), strict=False))


@lru_cache
def _rate(number: int, window_s: float = HOUR_S) -> Rate:
    """The rates of a budget are few, and each callout falls under a dozen."""
    return Rate(number, window_s)


def _part(number: int) -> int:
    # A budget of one to three leaves strangers one; a budget of none leaves them none.
    return max(1, number // STRANGERS_PART) if number else 0
