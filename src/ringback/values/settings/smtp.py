"""[smtp]: how a callout talks, and for how long. Not here: to whom (etiquette.py, recipient.py)."""

from enum import StrEnum
from typing import Annotated

from ..constraints import FLAG, choice, each, seconds, whole
from ..forms import NETWORK, PORT
from ..section import Section
from .bounds import HOUR_S, MAX_LIST_ITEMS


class Method(StrEnum):
    RCPT = "rcpt"
    VRFY = "vrfy"


class TlsPolicy(StrEnum):
    WHEN_REQUIRED = "when_required"
    OPPORTUNISTIC = "opportunistic"
    NEVER = "never"


class Smtp(Section, frozen=True):
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
