"""[identity] and [dns]: who we are, and whom we ask about others.

Not here: whether that is in order (rules/fitness.py).
"""

from typing import Annotated

from ..constraints import FLAG, each, optional, seconds
from ..forms import DOMAIN, EMAIL, HELO_NAME, IP, NAMESERVER
from ..section import Section
from .bounds import MAX_LIST_ITEMS, MAX_SERVERS


class Identity(Section, frozen=True):
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
        "whether no callouts are made while `ringback doctor` finds something fatal but a silent DNS; "
        "without a contact none are made either way",
    ] = True


class Dns(Section, frozen=True):
    """Whom we ask about domains."""

    nameservers: Annotated[
        tuple[str, ...], each(NAMESERVER, most=MAX_SERVERS), "empty: the system's"
    ] = ()
    timeout_s: Annotated[float, seconds(0.01, 60), "how long one question may take"] = 5.0
    canary: Annotated[
        str,
        optional(DOMAIN, "no canary"),
        "must resolve, or the resolver is not believed when it says that a domain does not exist",
    ] = "example.com"
