"""Instants and spans of time as people and programs write them. Not here: clocks (net/clock.py)."""

import re
from datetime import UTC, datetime

_UNIT_S = {"m": 60, "h": 3_600, "d": 86_400, "w": 7 * 86_400}
_SPAN = re.compile(r"([0-9]{1,6})([mhdw])", re.ASCII)
# RFC 3339 section 5.6; datetime.fromisoformat takes far more forms than that.
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?"
    r"(?:[Zz]|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)


def utc(at: float) -> str:
    """Write an instant (Unix seconds) as RFC 3339 does."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_or_none(at: float | None) -> str | None:
    return None if at is None else utc(at)


def parse_instant(text: str) -> float | None:
    """Read an instant of RFC 3339 as Unix seconds; None if it is none."""
    if not _INSTANT.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper().replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def parse_span(text: str) -> int | None:
    """Read a span, such as 30m, 12h, 7d or 4w, as seconds; None if it is none."""
    found = _SPAN.fullmatch(text)
    return int(found[1]) * _UNIT_S[found[2]] if found else None


def in_words(seconds: float) -> str:
    """A span of time for people, in its largest unit and what is left in the next: "2 h 5 min"."""
    left, parts = round(seconds), list[str]()
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count} {unit}" if count else "")
    return " ".join(filter(None, parts[:2])) or "0 s"
