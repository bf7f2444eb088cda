"""The settings, section by section, as frozen values; names are those of the TOML file.

Each field carries the rule that its value obeys and a line for the manual. A section refuses
nonsense when it is made (SettingError, which is a ValueError). Durations are in seconds, rates per
hour unless said otherwise. Not here: reading files and the environment, and which settings this
version cannot honour yet (doors/configuration.py).
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Annotated

from ..errors import SettingError
from .constraints import (
    FLAG,
    Rule,
    choice,
    each,
    one_or_each,
    optional,
    quote,
    seconds,
    text,
    whole,
)
from .forms import (
    DOMAIN,
    EMAIL,
    HELO_NAME,
    IP,
    LISTENER,
    NAMESERVER,
    NETWORK,
    PATH,
    PORT,
    ROUTE_DOMAIN,
    ROUTE_HOST,
    ROUTE_SENDER,
    SENDER,
    STORE_URL,
    is_loopback,
)
from .section import Section, tables

HOUR_S, DAY_S = 3_600, 86_400
# A list in a file that a person keeps; longer ones belong into the DNS or a database.
MAX_LIST_ITEMS = 10_000
MAX_LISTENERS = 64
# Past these a typing error is likelier than a wish.
MAX_AGE_S = 36_500 * DAY_S
MAX_ROUTE_HOSTS = 10
MAX_USERNAME_OCTETS = 120  # with a password of 240 it fits into one command
MAX_PER_HOUR, MAX_AT_A_TIME, MAX_MEMORY_ENTRIES = 10_000_000, 100_000, 100_000_000


_HERE = frozenset({"localhost", "::1"})


def _parse_username(value: str) -> str:
    if len(value.encode()) > MAX_USERNAME_OCTETS:
        raise ValueError(f"is longer than {MAX_USERNAME_OCTETS} octets")
    return value


USERNAME = text("a user name", _parse_username)


class Method(StrEnum):
    RCPT = "rcpt"
    VRFY = "vrfy"


class TlsPolicy(StrEnum):
    WHEN_REQUIRED = "when_required"
    OPPORTUNISTIC = "opportunistic"
    NEVER = "never"


class CallWhen(StrEnum):
    ALIGNED = "aligned"
    RETRIED = "retried"
    ALWAYS = "always"


class DeferOrAccept(StrEnum):
    """What happens to mail whose sender is not known: nothing else may, without evidence."""

    DEFER = "defer"
    ACCEPT = "accept"


class Mode(StrEnum):
    OBSERVE = "observe"
    ENFORCE = "enforce"


class RouteProtocol(StrEnum):
    SMTP = "smtp"
    LMTP = "lmtp"


class RouteTls(StrEnum):
    NEVER = "never"
    WHEN_OFFERED = "when_offered"
    REQUIRED = "required"  # whoever holds the certificate
    VERIFIED = "verified"  # and it is one for the host's name


@dataclass(frozen=True, slots=True)
class Ages(Section):
    """How long something is believed."""

    refresh_s: Annotated[float, seconds(0, MAX_AGE_S), "without asking again"]
    expire_s: Annotated[float, seconds(0, MAX_AGE_S), "at all"]

    def __post_init__(self) -> None:
        Section.__post_init__(self)
        if self.refresh_s > self.expire_s:
            problem = f"{quote(self.refresh_s)} is more than expire, {quote(self.expire_s)}"
            raise SettingError("refresh_s", problem, "ask again before it expires")


def _read_ages(value: object) -> object:
    if isinstance(value, Ages):
        return value
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{quote(value)} is not a pair of durations")
    try:
        return Ages(*value)
    except SettingError as error:
        raise ValueError(error.problem) from None


AGES = Rule("[refresh, expire] in seconds, refresh no more than expire", list, _read_ages)


@dataclass(frozen=True, slots=True)
class Identity(Section):
    """Who we are to those we call."""

    helo_name: Annotated[
        str,
        optional(HELO_NAME, "the host's confirmed reverse name"),
        "the name given with EHLO; it should resolve to the address that calls",
    ] = ""
    contact: Annotated[
        str,
        optional(EMAIL, "nobody"),
        "who answers for the callouts; `check` and `serve` make none without",
    ] = ""
    source_addresses: Annotated[
        tuple[str, ...],
        each(IP, most=MAX_LIST_ITEMS),
        "the addresses that callouts come from; empty: the system chooses",
    ] = ()
    public_addresses: Annotated[
        tuple[str, ...],
        each(IP, most=MAX_LIST_ITEMS),
        "what others see of them, behind NAT",
    ] = ()
    probe_sender: Annotated[
        str,
        optional(EMAIL, "the null sender"),
        "the envelope sender of callouts",
    ] = ""
    require_fit: Annotated[
        bool,
        FLAG,
        "whether no callouts are made while `ringback doctor` finds something fatal; without a "
        "contact none are made either way",
    ] = True


@dataclass(frozen=True, slots=True)
class Dns(Section):
    """Whom we ask about domains."""

    nameservers: Annotated[
        tuple[str, ...], each(NAMESERVER, most=MAX_LISTENERS), "empty: the system's"
    ] = ()
    timeout_s: Annotated[float, seconds(0.01, 60), "how long one question may take"] = 5.0
    canary: Annotated[
        str,
        optional(DOMAIN, "no canary"),
        "must resolve, or the resolver is not believed when it says that a domain does not exist",
    ] = "example.com"


@dataclass(frozen=True, slots=True)
class Smtp(Section):
    """How a callout talks."""

    port: Annotated[int, PORT, "where mail exchangers listen"] = 25
    method: Annotated[Method, choice(Method), "the command that asks"] = Method.RCPT
    vrfy_fallback: Annotated[
        bool, FLAG, "whether RCPT asks where VRFY was not answered, which is the owner's wish"
    ] = False
    control: Annotated[
        bool, FLAG, "whether a local part that nobody has is tried where the address was accepted"
    ] = True
    tls: Annotated[TlsPolicy, choice(TlsPolicy), "when STARTTLS is used"] = TlsPolicy.WHEN_REQUIRED
    answer_within_s: Annotated[
        float, seconds(0.01, HOUR_S), "how long a door waits for an answer; the callout goes on"
    ] = 10.0
    callout_deadline_s: Annotated[
        float, seconds(0.01, HOUR_S), "the whole of one callout, all hosts and stages"
    ] = 60.0
    stage_timeout_s: Annotated[float, seconds(0.01, HOUR_S), "one step of the dialogue"] = 20.0
    max_hosts: Annotated[int, whole(1, 100), "how many hosts of a domain are tried"] = 4
    allowed_networks: Annotated[
        tuple[str, ...],
        each(NETWORK, most=MAX_LIST_ITEMS),
        "reserved networks, such as private ones, that may be called all the same",
    ] = ()


@dataclass(frozen=True, slots=True)
class Etiquette(Section):
    """Who may be called, and when."""

    call_when: Annotated[
        CallWhen, choice(CallWhen), "how far evidence must go before a sender is called"
    ] = CallWhen.RETRIED
    retried_wait_s: Annotated[
        float, seconds(0, DAY_S), 'with "retried": how long a mail must wait before it returns'
    ] = 60.0
    recheck_after_s: Annotated[
        tuple[float, ...],
        each(seconds(1, 30 * DAY_S), most=10, unique=False),
        "when a host that greylists is asked again, each after the time before",
    ] = (360.0, 900.0, 3600.0)
    on_deadline: Annotated[
        DeferOrAccept,
        choice(DeferOrAccept),
        "what happens to mail whose answer is not known in time",
    ] = DeferOrAccept.DEFER
    on_first_contact: Annotated[
        DeferOrAccept,
        choice(DeferOrAccept),
        'with "retried": to mail of a client that its sender\'s domain does not vouch for',
    ] = DeferOrAccept.DEFER
    on_unaligned: Annotated[
        DeferOrAccept, choice(DeferOrAccept), 'with "aligned": to such mail'
    ] = DeferOrAccept.ACCEPT
    on_spf_fail: Annotated[
        DeferOrAccept,
        choice(DeferOrAccept),
        "to mail that its sender's domain disowns, when it has come back",
    ] = DeferOrAccept.ACCEPT
    on_dnsbl: Annotated[
        DeferOrAccept, choice(DeferOrAccept), "to mail of clients on a block list of `dnsbl`"
    ] = DeferOrAccept.ACCEPT
    on_opted_out: Annotated[
        DeferOrAccept, choice(DeferOrAccept), "to mail whose sender's side wants no callouts"
    ] = DeferOrAccept.ACCEPT
    on_over_budget: Annotated[
        DeferOrAccept, choice(DeferOrAccept), "to mail when enough has been asked for now"
    ] = DeferOrAccept.ACCEPT
    on_unfit: Annotated[
        DeferOrAccept, choice(DeferOrAccept), "to mail while our own identity is not in order"
    ] = DeferOrAccept.ACCEPT
    on_unsure_recipient: Annotated[
        DeferOrAccept,
        choice(DeferOrAccept),
        "to mail for a recipient of whom the host of its route does not say whether it exists",
    ] = DeferOrAccept.ACCEPT
    max_deferrals: Annotated[
        int, whole(0, 100), "how often one mail is told to come back before it passes"
    ] = 3
    exempt_clients: Annotated[
        tuple[str, ...],
        each(NETWORK, most=MAX_LIST_ITEMS),
        "clients whose mail raises no question",
    ] = ()
    exempt_senders: Annotated[
        tuple[str, ...],
        each(SENDER, most=MAX_LIST_ITEMS),
        "senders, or their domains, that are not called",
    ] = ()
    opted_out: Annotated[
        tuple[str, ...],
        each(DOMAIN, most=MAX_LIST_ITEMS),
        "domains and mail exchangers that do not want to be called",
    ] = ()
    dnsbl: Annotated[
        tuple[str, ...],
        each(DOMAIN, most=MAX_LISTENERS),
        "block lists whose clients raise no callout",
    ] = ()
    audit_keep_days: Annotated[
        int,
        whole(1, 36_500),
        "how long it is remembered who was called and why, see `ringback audit`; the last million callouts "
        "at most",
    ] = 90


@dataclass(frozen=True, slots=True)
class Budget(Section):
    """How much is asked of others, per hour unless said otherwise."""

    per_host: Annotated[int, whole(1, MAX_PER_HOUR), "callouts at one address"] = 60
    per_domain: Annotated[
        int, whole(1, MAX_PER_HOUR), "callouts for one domain, at whatever hosts"
    ] = 60
    overall: Annotated[int, whole(1, MAX_PER_HOUR), "callouts in all"] = 20_000
    refused_recipients_per_host: Annotated[
        int, whole(1, MAX_PER_HOUR), "refused RCPT commands at one address"
    ] = 20
    concurrent_per_host: Annotated[
        int, whole(1, MAX_AT_A_TIME), "connections to one address at a time"
    ] = 2
    concurrent: Annotated[int, whole(1, MAX_AT_A_TIME), "connections at a time, in all"] = 500


@dataclass(frozen=True, slots=True)
class Cache(Section):
    """How long verdicts and facts are believed: before they are asked again, and at all."""

    deliverable: Annotated[Ages, AGES, "a mailbox that exists"] = Ages(7 * DAY_S, 31 * DAY_S)
    undeliverable: Annotated[Ages, AGES, "one that does not"] = Ages(3 * HOUR_S, 3 * DAY_S)
    unknown: Annotated[Ages, AGES, "one that could not be told"] = Ages(600, HOUR_S)
    facts: Annotated[Ages, AGES, "what is known of domains and hosts"] = Ages(7 * DAY_S, 90 * DAY_S)
    recipient_deliverable: Annotated[
        Ages, AGES, "a recipient that the host of its route has; the second, while that is down"
    ] = Ages(HOUR_S, 31 * DAY_S)
    recipient_undeliverable: Annotated[
        Ages, AGES, "one that it does not have; the second, while that is down"
    ] = Ages(300, 3 * DAY_S)
    memory_entries: Annotated[
        int, whole(0, MAX_MEMORY_ENTRIES), "how many verdicts are held in memory as well"
    ] = 200_000


@dataclass(frozen=True, slots=True)
class StoreSettings(Section):
    """Where all that is remembered."""

    url: Annotated[
        str,
        STORE_URL,
        "what follows `sqlite://` is an absolute path; `memory:` forgets all at a restart, budgets too",
    ] = "sqlite:///var/lib/ringback/ringback.db"

    @property
    def sqlite_path(self) -> str | None:
        """The file of an SQLite store."""
        scheme, _, rest = self.url.partition("://")
        return rest if scheme == "sqlite" else None


@dataclass(frozen=True, slots=True)
class Policy(Section):
    """The policy service for Postfix and Exim."""

    listen: Annotated[
        tuple[str, ...], each(LISTENER, most=MAX_LISTENERS), "empty: no policy service"
    ] = ("127.0.0.1:10040",)
    mode: Annotated[Mode, choice(Mode), '"observe" decides, logs and tells the MTA nothing'] = (
        Mode.OBSERVE
    )
    own_domains: Annotated[
        tuple[str, ...],
        each(DOMAIN, most=MAX_LIST_ITEMS),
        "recipients here are ours, senders here are not called",
    ] = ()


@dataclass(frozen=True, slots=True)
class Milter(Section):
    """The milter for Postfix and Sendmail; `policy.mode` and `policy.own_domains` hold for it too."""

    listen: Annotated[tuple[str, ...], each(LISTENER, most=MAX_LISTENERS), "empty: no milter"] = ()


@dataclass(frozen=True, slots=True)
class Socketmap(Section):
    """Recipients with a route as a table for Postfix, such as `relay_recipient_maps`."""

    listen: Annotated[
        tuple[str, ...], each(LISTENER, most=MAX_LISTENERS), "empty: no socketmap"
    ] = ()


@dataclass(frozen=True, slots=True)
class Http(Section):
    """The API and the dashboard."""

    listen: Annotated[str, optional(LISTENER, "no HTTP"), "where"] = "127.0.0.1:8025"
    tokens_file: Annotated[
        str, optional(PATH, "no tokens"), "bearer tokens, required when listening beyond loopback"
    ] = ""

    def __post_init__(self) -> None:
        Section.__post_init__(self)
        if self.listen and not self.tokens_file and not is_loopback(self.listen):
            problem = f"{quote(self.listen)} can be reached from outside, and there are no tokens"
            raise SettingError("listen", problem, "set http.tokens_file, or listen on 127.0.0.1")


@dataclass(frozen=True, slots=True)
class Bulk(Section):
    """Lists of addresses."""

    consent: Annotated[
        bool, FLAG, "whether those on your lists agreed to be on them; without it none is checked"
    ] = False


@dataclass(frozen=True, slots=True)
class RecipientRoute(Section):
    """Call-forward: whom to ask about the recipients of a domain."""

    domain: Annotated[
        str, ROUTE_DOMAIN, "the recipients' domain; of several that fit, the longest counts"
    ]
    host: Annotated[
        tuple[str, ...],
        one_or_each(ROUTE_HOST, most=MAX_ROUTE_HOSTS),
        "who has their mailboxes; of several, the next is asked where one gives no answer",
    ]
    port: Annotated[int, PORT, "where it listens; a `unix:` host has none"] = 25
    protocol: Annotated[RouteProtocol, choice(RouteProtocol), "what it speaks"] = RouteProtocol.SMTP
    sender: Annotated[
        str, ROUTE_SENDER, 'the envelope sender of the callout; "envelope" is that of the mail'
    ] = "envelope"
    tls: Annotated[
        RouteTls, choice(RouteTls), 'when STARTTLS is used; "verified" wants a valid certificate'
    ] = RouteTls.WHEN_OFFERED
    username: Annotated[
        str,
        optional(USERNAME, "no authentication"),
        "who we are to the host, by AUTH PLAIN or LOGIN; never in clear, but to this machine",
    ] = ""
    password_file: Annotated[
        str, optional(PATH, "no authentication"), "a file with the password on its only line"
    ] = ""

    def __post_init__(self) -> None:
        Section.__post_init__(self)
        if bool(self.username) != bool(self.password_file):
            missing = "password_file" if self.username else "username"
            raise SettingError(missing, "it is missing", "give both of the two, or none")
        if self.username and self.tls is RouteTls.NEVER and not self._is_here:
            problem = "the password would travel in clear"
            raise SettingError("tls", problem, f'write tls = "{RouteTls.REQUIRED}"')

    @property
    def _is_here(self) -> bool:
        """True where nothing leaves this machine, as far as the names of the hosts say."""
        return all(host.startswith(("unix:", "127.")) or host in _HERE for host in self.host)


ROUTES = tables(
    RecipientRoute,
    "[[recipient.route]] with domain and host under it",
    most=MAX_LIST_ITEMS,
    unique="domain",
)


@dataclass(frozen=True, slots=True)
class Recipient(Section):
    """Whose recipients are asked about, and where; entries are counted from 1 in messages."""

    route: Annotated[tuple[RecipientRoute, ...], ROUTES, "one table for each domain"] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """All of them."""

    identity: Identity = field(default_factory=Identity)
    dns: Dns = field(default_factory=Dns)
    smtp: Smtp = field(default_factory=Smtp)
    etiquette: Etiquette = field(default_factory=Etiquette)
    budget: Budget = field(default_factory=Budget)
    cache: Cache = field(default_factory=Cache)
    store: StoreSettings = field(default_factory=StoreSettings)
    policy: Policy = field(default_factory=Policy)
    milter: Milter = field(default_factory=Milter)
    socketmap: Socketmap = field(default_factory=Socketmap)
    http: Http = field(default_factory=Http)
    bulk: Bulk = field(default_factory=Bulk)
    recipient: Recipient = field(default_factory=Recipient)
