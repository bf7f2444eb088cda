"""Time stamps of logs → Unix seconds. No clock: callers pass `now`. Not here: where in a line they stand."""

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

DAY_S = 86_400
# A leap year may be eight years back (2096, 2104), and 29 February is of no other.
_YEARS_BACK = 8
# What has no date in every zone: the last day that calendars know; and before 1970 nobody logged mail.
_END_AT = datetime(9999, 12, 31, tzinfo=UTC).timestamp() - DAY_S
# A busy second has many lines, and several logs are read in turns.
_REMEMBERED = 64
_MONTHS = {
    name: number
    for number, name in enumerate(
        ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1
    )
}

Stamp = Callable[[str], float | None]


def year_guesser(now: float, zone: tzinfo | None) -> Stamp:
    """A reader of stamps without a year (RFC 3164 section 4.1.2: "Nov 21 09:05:00"), None for what is none.

    The year is the last in which the day is not after tomorrow, seen from `now`: clocks differ a little.
    `zone` None is the zone of this machine.
    """
    latest_at = now + DAY_S
    latest_year = datetime.fromtimestamp(latest_at, zone or UTC).year + 1  # zones differ, too

    @lru_cache(_REMEMBERED)
    def read(text: str) -> float | None:
        month, day, clock = _MONTHS.get(text[:3]), text[4:6], text[7:15]
        if month is None:
            return None
        for year in range(latest_year, latest_year - _YEARS_BACK - 1, -1):
            at = _parse(f"{year:04}-{month:02}-{day.strip():0>2}T{clock}", zone)
            if at is not None and at <= latest_at:
                return at
        return None

    return read


def stamp_reader(zone: tzinfo | None) -> Stamp:
    """A reader of whole stamps: RFC 3339, those of journald, and Exim's with and without an offset.

    `zone` is for those that name none; None is the zone of this machine.
    """

    @lru_cache(_REMEMBERED)
    def read(text: str) -> float | None:
        joined = (
            text.replace(" UTC", "Z").replace(" +", "+").replace(" -", "-")
        )  # Exim sets it apart
        return _parse(joined, zone)

    return read


def _parse(text: str, zone: tzinfo | None) -> float | None:
    leap = text[17:19] == "60"  # a leap second, which datetime does not know
    try:
        read = datetime.fromisoformat(f"{text[:17]}59{text[19:]}" if leap else text)
        placed = read if read.tzinfo else read.replace(tzinfo=zone)
        at = placed.timestamp()
    except (ValueError, OverflowError, OSError):
        return None
    return at + leap if 0 <= at < _END_AT else None
