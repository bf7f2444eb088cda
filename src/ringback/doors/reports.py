"""Reports as JSON, as one line, and as the account that `--explain` gives. Not here: printing them."""

from ..errors import AddressError
from ..rules.flags import FlagLists, flags_of
from ..values.address import parse_address
from ..values.evidence import Exchange
from ..values.query import Flags, Report
from .instants import utc, utc_or_none


def encode_report(report: Report, lists: FlagLists) -> dict[str, object]:
    """The report of doors.md."""
    flags = flags_of_address(report.address, lists)
    return {
        "address": report.address,
        "verdict": report.verdict,
        "reason": report.reason,
        "blame": report.blame,
        "final": report.final,
        "gate": report.gate or None,
        "rule": report.rule,
        "retry_at": utc_or_none(report.retry_at),
        "checked_at": utc(report.checked_at),
        "expires_at": utc_or_none(report.expires_at),
        "from_cache": report.from_cache,
        "callouts": report.callouts,
        "flags": {name: getattr(flags, name) for name in Flags.__struct_fields__},
        "evidence": [encode_exchange(exchange) for exchange in report.evidence],
    }


def encode_exchange(exchange: Exchange) -> dict[str, object]:
    return {
        "at": utc(exchange.at),
        "connection": exchange.connection,
        "host": exchange.host,
        "ip": exchange.ip,
        "stage": exchange.stage,
        "about": exchange.about,
        "command": exchange.command,
        "code": exchange.code,
        "enhanced": exchange.enhanced,
        "text": exchange.text,
        "meaning": exchange.meaning,
        "rule": exchange.rule or None,
        "weak": exchange.weak,
        "fault": exchange.fault,
    }


def flags_of_address(address: str, lists: FlagLists) -> Flags:
    """What the look of an address says; nothing of what is none."""
    try:
        return flags_of(parse_address(address), lists)
    except AddressError:
        return Flags()
