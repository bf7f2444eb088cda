"""What was asked and what was said, one Exchange each: the only thing verdicts are drawn from.

Not here: what it means for the address (rules/conclude.py).
"""

from enum import StrEnum

from .record import Record


class Stage(StrEnum):
    """The step of a callout that an Exchange answers."""

    ROUTE = "route"  # DNS: which hosts take mail for the domain
    CONNECT = "connect"
    GREETING = "greeting"
    EHLO = "ehlo"  # or LHLO
    HELO = "helo"
    STARTTLS = "starttls"
    TLS = "tls"  # the handshake after it
    AUTH = "auth"  # to a host of our own (RFC 4954)
    MAIL = "mail"
    RCPT = "rcpt"
    VRFY = "vrfy"
    RSET = "rset"
    QUIT = "quit"


class About(StrEnum):
    """Whose mailbox a RCPT or VRFY asks for; the steps before it are asked for the first's sake."""

    ADDRESS = "address"  # the one in question
    CONTROL = "control"  # a local part that nobody has
    POSTMASTER = "postmaster"  # the mailbox that every host must have (RFC 5321 section 4.5.1)


class Meaning(StrEnum):
    """What one reply says (evidence.md section 1)."""

    ACCEPTED = "accepted"
    AMBIGUOUS_ACCEPT = "ambiguous_accept"  # 252: "cannot verify, will attempt delivery"
    UNKNOWN_USER = "unknown_user"  # the mailbox does not exist
    DISABLED_USER = "disabled_user"  # exists or existed: disabled, inactive, suspended
    MOVED = "moved"  # 551 and 5.1.6: another address now
    FULL = "full"  # over quota
    UNKNOWN_DOMAIN = "unknown_domain"  # relaying denied, not served here
    NULL_SENDER_REFUSED = "null_sender_refused"  # no bounces here, BATV
    SENDER_REJECTED = "sender_rejected"  # our MAIL FROM, for another reason: SPF, its domain
    CLIENT_BLOCKED = "client_blocked"  # our IP address, HELO name or PTR
    RATE_LIMITED = "rate_limited"  # too many connections, recipients, errors
    GREYLISTED = "greylisted"  # a deliberate first-contact deferral
    VERIFYING = "verifying"  # the peer is verifying us
    SERVER_TROUBLE = "server_trouble"  # local error, timeout behind, shutting down
    TLS_REQUIRED = "tls_required"
    AUTH_REQUIRED = "auth_required"
    CONTENT_OR_POLICY = "content_or_policy"  # about a message, or a rule not about the address
    SYNTAX = "syntax"  # address, command or sequence refused for its form
    UNCLEAR = "unclear"  # does not say, or says two things at once


class Fault(StrEnum):
    """Why there is no reply to read."""

    NO_SUCH_DOMAIN = "no_such_domain"  # authoritative NXDOMAIN
    NO_MAIL_HOST = "no_mail_host"  # the name exists, without MX, A and AAAA
    NULL_MX = "null_mx"  # RFC 7505: this domain takes no mail
    UNUSABLE_MX = "unusable_mx"  # MX records that lead to no address we may call
    DNS_FAILURE = "dns_failure"  # SERVFAIL, REFUSED, timeout, or a resolver we cannot believe
    FORBIDDEN_NETWORK = "forbidden_network"  # loopback, private, our own address …
    OPTED_OUT = "opted_out"  # who runs the host does not want callouts; nothing was sent
    OPT_OUT_UNKNOWN = "opt_out_unknown"  # DNS did not say whether he does; nothing was sent
    OVER_BUDGET = "over_budget"  # we had asked enough there; nothing was sent
    SOURCE_UNUSABLE = "source_unusable"  # our own source address cannot be bound
    REFUSED = "refused"  # connection refused or the network unreachable
    TIMEOUT = "timeout"  # the stage's or the whole deadline passed
    CLOSED = "closed"  # the peer went away
    NOT_SMTP = "not_smtp"  # garbage, codes mixed in one reply, a code outside 2xx to 5xx
    OUT_OF_STEP = "out_of_step"  # replies that nobody asked for
    TLS_FAILED = "tls_failed"  # the handshake failed
    NO_LOGIN = "no_login"  # the host of a route takes none in a form that we know
    NO_SMTPUTF8 = "no_smtputf8"  # a non-ASCII local part, and the host takes none (RFC 6531)


class Reading(Record, frozen=True):
    """How one reply was read. `rule` names the rule that read it.

    `weak`: a permanent refusal that hardly says why; it counts as a refusal of the mailbox only
    with contrast (evidence.md section 3).
    """

    meaning: Meaning
    rule: str
    weak: bool = False


class Exchange(Record, frozen=True, omit_defaults=True):
    """One question and its answer: a reply (`code` and on) or a `fault`, never both.

    What has its default is left out of its JSON: most fields do.
    """

    at: float  # Unix seconds, when the answer came
    stage: Stage
    connection: int = 0  # which connection of the callout, from 1; 0 before any
    host: str = ""  # the MX name, without a final dot
    ip: str = ""  # the address actually connected
    preference: int = 0  # of the MX record; lower is preferred
    about: About = About.ADDRESS
    command: str = ""  # as sent, without its line end; "" for a greeting
    code: int | None = None
    enhanced: str | None = None  # "5.1.1", only if its class agrees with the code
    text: str = ""  # the reply without codes, lines joined by "\n"; or the fault's detail
    meaning: Meaning | None = None
    rule: str = ""  # which rule gave the meaning
    weak: bool = False
    fault: Fault | None = None
