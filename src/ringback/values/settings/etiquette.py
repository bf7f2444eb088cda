"""[etiquette] and [budget]: who may be called, when and how often.

Not here: deciding it (rules/gates.py, rules/burden.py).
"""

from enum import StrEnum
from typing import Annotated

from ..constraints import choice, each, seconds, whole
from ..forms import DOMAIN, NETWORK, SENDER
from ..section import Section
from .bounds import DAY_S, MAX_LIST_ITEMS, MAX_SERVERS

# Past these a typing error is likelier than a wish.
MAX_PER_HOUR, MAX_AT_A_TIME = 10_000_000, 100_000


class CallWhen(StrEnum):
    ALIGNED = "aligned"
    RETRIED = "retried"
    ALWAYS = "always"


class DeferOrAccept(StrEnum):
    """What happens to mail whose sender is not known: nothing else may, without evidence."""

    DEFER = "defer"
    ACCEPT = "accept"


class Etiquette(Section, frozen=True):
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
        each(DOMAIN, most=MAX_SERVERS),
        "block lists whose clients raise no callout",
    ] = ()
    audit_keep_days: Annotated[
        int,
        whole(1, 36_500),
        "how long it is remembered who was called and why, see `ringback audit`; the last million callouts "
        "at most",
    ] = 90


class Budget(Section, frozen=True):
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
