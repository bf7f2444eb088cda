"""The audit's calls as text, as JSON, and as rows of a spreadsheet. Not here: printing them."""

from collections.abc import Iterator

from ..values.calls import Call
from ..values.evidence import Exchange
from ..values.text import printable
from .account import dialogue
from .cells import cell
from .instants import utc
from .reports import encode_exchange

COLUMNS = (
    "at",
    "id",
    "session",
    "address",
    "domain",
    "host",
    "ip",
    "purpose",
    "client",
    "recipient",
    "gates",
    "outcome",
    "said",
)
UNDER_WAY = "no answer noted: under way, or stopped in it"


def encode_call(call: Call) -> dict[str, object]:
    """The call for a program."""
    return {
        "at": utc(call.at),
        "id": call.id,
        "session": call.session,
        "address": call.address,
        "domain": call.domain,
        "host": call.host,
        "ip": call.ip,
        "purpose": call.purpose,
        "client": call.client or None,
        "recipient": call.recipient or None,
        "gates": list(call.gates),
        "outcome": call.outcome or None,
        "said": [encode_exchange(exchange) for exchange in call.said],
    }


def row_of(call: Call) -> tuple[str, ...]:
    """The call as COLUMNS, safe to open in a spreadsheet."""
    cells = (
        utc(call.at),
        call.id,
        call.session,
        call.address,
        call.domain,
        call.host,
        call.ip,
        call.purpose,
        call.client,
        call.recipient,
        "; ".join(call.gates),
        call.outcome,
        " | ".join(_in_short(exchange) for exchange in call.said),
    )
    return tuple(cell(text) for text in cells)


def tell_call(call: Call) -> Iterator[str]:
    """The call for a person who asks why, line by line."""
    place = f"{printable(call.host)} [{call.ip}]" if call.host != call.ip else call.ip
    outcome = call.outcome or UNDER_WAY
    yield f"{utc(call.at)}  {printable(call.address)} at {place}: {outcome}"
    yield f"  asked for  {_asked_for(call)}"
    yield f"  let in by  {printable('; '.join(call.gates)) or 'nothing noted'}"
    yield from (f"  {line}" for line in dialogue(call.said))


def _asked_for(call: Call) -> str:
    if not call.client:
        return f"an operator ({call.purpose})"
    to = f" to {printable(call.recipient)}" if call.recipient else ""
    return f"a mail from {printable(call.client)}{to}"


def _in_short(exchange: Exchange) -> str:
    answer = exchange.fault or f"{exchange.code or ''} {exchange.enhanced or ''}".strip()
    asked = exchange.command or exchange.stage
    return f"{asked}: {answer} {exchange.text}".strip()
