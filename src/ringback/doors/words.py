"""The closed sets of evidence, and numbers, in plain words. Not here: the account made of them (account.py).

A test holds each table against its set, so that a new member cannot go without words.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ..rules.gates import Gate
from ..values.evidence import About, Fault, Meaning
from ..values.verdict import Blame, Reason

SAID = MappingProxyType(
    {
        Meaning.ACCEPTED: "it takes mail for this address",
        Meaning.AMBIGUOUS_ACCEPT: "it cannot or will not say",
        Meaning.UNKNOWN_USER: "the mailbox does not exist",
        Meaning.DISABLED_USER: "the mailbox is disabled",
        Meaning.MOVED: "the mailbox has another address now",
        Meaning.FULL: "the mailbox exists and is full",
        Meaning.UNKNOWN_DOMAIN: "it does not take mail for this domain",
        Meaning.NULL_SENDER_REFUSED: "it refuses bounces, whoever they are for",
        Meaning.SENDER_REJECTED: "it refuses our sender, not the mailbox",
        Meaning.CLIENT_BLOCKED: "it refuses us, not the mailbox",
        Meaning.RATE_LIMITED: "it had too much of us",
        Meaning.GREYLISTED: "newcomers have to come back later",
        Meaning.VERIFYING: "it is verifying our sender meanwhile",
        Meaning.SERVER_TROUBLE: "it has trouble of its own",
        Meaning.TLS_REQUIRED: "it wants TLS first",
        Meaning.AUTH_REQUIRED: "it wants a login first",
        Meaning.CONTENT_OR_POLICY: "it names a rule that is not about the mailbox",
        Meaning.SYNTAX: "it objects to the form of the command",
        Meaning.UNCLEAR: "it does not say why",
    }
)

FAILED = MappingProxyType(
    {
        Fault.NO_SUCH_DOMAIN: "the domain does not exist",
        Fault.NO_MAIL_HOST: "nothing takes mail for it",
        Fault.NULL_MX: "it takes no mail, and says so",
        Fault.UNUSABLE_MX: "that leads to no address to call",
        Fault.DNS_FAILURE: "no answer that can be believed",
        Fault.FORBIDDEN_NETWORK: "a network that may not be called",
        Fault.OPTED_OUT: "not called, as its owner wishes",
        Fault.OPT_OUT_UNKNOWN: "not called: the DNS does not say whether its owner wishes it",
        Fault.OVER_BUDGET: "not called, our budget is used up",
        Fault.SOURCE_UNUSABLE: "our own source address cannot be used",
        Fault.REFUSED: "no connection",
        Fault.TIMEOUT: "no answer in time",
        Fault.CLOSED: "the host went away",
        Fault.NOT_SMTP: "that is not SMTP",
        Fault.OUT_OF_STEP: "a reply that nobody asked for",
        Fault.TLS_FAILED: "the TLS handshake failed",
        Fault.NO_LOGIN: "not asked: no login in a form that we know",
        Fault.NO_SMTPUTF8: "not asked: the host takes only ASCII addresses",
    }
)

ASKED_FOR = MappingProxyType(
    {
        About.ADDRESS: "the address itself",
        About.CONTROL: "the control, an address that nobody has: is it refused?",
        About.POSTMASTER: "contrast, the mailbox that every host has: is it accepted?",
    }
)

WHOSE = MappingProxyType(
    {
        Blame.ADDRESS: "the address",
        Blame.PEER: "the other side",
        Blame.US: "ours; it is not held against the address",
        Blame.NETWORK: "the network's or the DNS's",
        Blame.POLICY: "our own policy",
    }
)

WOULD_CHANGE: Mapping[str, str] = MappingProxyType(
    {
        Reason.ACCEPTED: "a permanent refusal, confirmed by a second one at least an hour later",
        Reason.BAD_SYNTAX: "only another address: no host can have this one",
        Reason.NO_SUCH_DOMAIN: "the domain appearing in the DNS",
        Reason.NO_MAIL_HOST: "an MX, A or AAAA record appearing for the domain",
        Reason.NULL_MX: "the domain publishing another MX record",
        Reason.NO_SUCH_MAILBOX: "the mailbox being made",
        Reason.MAILBOX_DISABLED: "the mailbox being enabled again",
        Reason.MAILBOX_MOVED: "nothing here: the mailbox has another address now",
        Reason.ACCEPTS_ANY: "the host refusing addresses that nobody has",
        Reason.REFUSES_ANY: "the host accepting its postmaster, as RFC 5321 demands",
        Reason.REFUSES_NULL_SENDER: "the host taking bounces, as RFC 5321 demands",
        Reason.AMBIGUOUS_REPLY: "a reply that says more, or contrast to read it by",
        Reason.POLICY_REFUSAL: "the policy of the other side",
        Reason.DOMAIN_NOT_SERVED: "its MX record or its host: they contradict each other",
        Reason.GREYLISTED: "time: the host answers those who come back",
        Reason.PEER_IS_VERIFYING: "time: the host has to finish its question first",
        Reason.PEER_TROUBLE: "the host getting well",
        Reason.PROTOCOL_ERROR: "the host speaking SMTP",
        Reason.TLS_REQUIRED: "a TLS handshake that succeeds; see smtp.tls",
        Reason.NEEDS_SMTPUTF8: "the host offering SMTPUTF8",
        Reason.MAILBOX_FULL: "its owner making room",
        Reason.REFUSES_US: "our standing with the host: see what it says of us",
        Reason.RATE_LIMITED: "asking that host less",
        Reason.IDENTITY_UNFIT: "our own set-up: see [identity] in the configuration",
        Reason.OUR_TROUBLE: "the mending of what the log names",
        Reason.DNS_FAILURE: "its name servers, or ours, answering",
        Reason.UNREACHABLE: "the host being reached",
        Reason.OPTED_OUT: "nothing of ours: it is the owner's wish",
        Reason.OVER_BUDGET: "time, or a larger [budget]",
        Reason.NOT_ASKED: "the setting behind that gate",
        Reason.DEADLINE: "more patience",
    }
)

# By the gate that said no (rules/gates.py), for it says more than the reason.
BEHIND_GATE: Mapping[str, str] = MappingProxyType(
    {
        Gate.NULL_SENDER: "nothing: bounces come from it, and nobody answers them",
        Gate.POSTMASTER: "nothing: RFC 5321 demands that every host has it",
        Gate.AUTHENTICATED_CLIENT: "nothing: who has logged in is known",
        Gate.EXEMPT_CLIENT: "etiquette.exempt_clients",
        Gate.EXEMPT_SENDER: "etiquette.exempt_senders",
        Gate.OWN_DOMAIN: "policy.own_domains",
        Gate.NO_CONTACT: "identity.contact",
        Gate.IDENTITY: "what `ringback doctor` finds",
        Gate.NO_CONSENT: "bulk.consent, if those on the list have given it",
        Gate.DNSBL: "the client leaving the block list, or etiquette.dnsbl",
        Gate.SPF_FAIL: "the SPF record of the sender's domain",
        Gate.UNALIGNED: "SPF, an MX or a reverse name that joins client and domain, or etiquette.call_when",
        Gate.RETRIED: "the same mail coming back after etiquette.retried_wait_s",
        Gate.FORGED: "time, or the sender's domain vouching for the client",
        Gate.DOUBTED: "the first contacts of that network coming back, as servers' do",
        Gate.CROWDED: "fewer first contacts from that network",
        Gate.OPT_OUT_UNKNOWN: "the name server of the sender's side answering for _callout",
        Gate.OPTED_OUT_DOMAIN: "etiquette.opted_out, if the owner agrees",
        Gate.OPTED_OUT_HOST: "etiquette.opted_out, if the owner agrees",
        Gate.OPTED_OUT_DNS: "nothing of ours: the owner has a record at _callout that says no",
        Gate.OPTED_OUT_REPLY: "the host's administrator: it said that it wants no callouts",
        Gate.NO_ROUTE: "a [[recipient.route]] for the domain",
        Gate.OWN_CALLOUT: "the [[recipient.route]] that leads back here",
        Gate.FORBIDDEN_NETWORK: "smtp.allowed_networks, if that network may be called",
        Gate.BREAKER: "time, and our standing with the host: see what it says of us",
        Gate.GREYLIST: "time: another address has to pass that host's greylisting first",
        Gate.BUDGET: "time, or a larger [budget]",
        Gate.CONNECTIONS: "time, or more [budget] concurrent_per_host",
        Gate.REFUSED_RECIPIENTS: "time, or a larger [budget] refused_recipients_per_host",
    }
)


def counted(number: int, noun: str, end: str = "s") -> str:
    """So many of them: "1 row", "1,200 addresses"."""
    return f"{number:,} {noun}{'' if number == 1 else end}"
