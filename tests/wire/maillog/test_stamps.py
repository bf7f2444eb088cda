"""Time stamps of logs."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from ringback.wire.maillog.stamps import stamp_reader, year_guesser

NEW_YEAR = datetime(2026, 1, 1, 0, 30, tzinfo=UTC).timestamp()


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("stamp", "read"),
    [
        pytest.param("Jan  1 00:20:00", "2026-01-01 00:20:00", id="just-now"),
        pytest.param("Dec 31 23:59:59", "2025-12-31 23:59:59", id="last-year"),
        pytest.param("Jan  1 23:00:00", "2026-01-01 23:00:00", id="a-clock-that-is-ahead"),
        pytest.param("Jan  3 00:00:00", "2025-01-03 00:00:00", id="not-in-the-future"),
        pytest.param("Feb 29 12:00:00", "2024-02-29 12:00:00", id="the-last-leap-year"),
        pytest.param("Nov 21 09:05:60", "2025-11-21 09:06:00", id="a-leap-second"),
    ],
)
def test_a_stamp_without_a_year_is_of_the_last_that_it_can_be_of(stamp: str, read: str) -> None:
    assert at(read) == year_guesser(NEW_YEAR, UTC)(stamp)


@pytest.mark.parametrize(
    "stamp", ["Foo  1 00:20:00", "Jan 32 00:20:00", "Jan  1 25:00:00", "", "Jan", "Jan  x 1:1:1"]
)
def test_what_is_no_stamp_is_none(stamp: str) -> None:
    assert year_guesser(NEW_YEAR, UTC)(stamp) is None


def test_leap_years_may_be_eight_years_apart() -> None:
    in_2103 = datetime(2103, 5, 1, tzinfo=UTC).timestamp()

    assert at("2096-02-29 00:00:00") == year_guesser(in_2103, UTC)("Feb 29 00:00:00")


@pytest.mark.parametrize(
    ("stamp", "read"),
    [
        ("2026-11-21T10:00:00Z", "2026-11-21 10:00:00"),
        ("2026-11-21T10:00:00.25+01:00", "2026-11-21 09:00:00.25"),
        ("2026-11-21T10:00:00+0100", "2026-11-21 09:00:00"),
        ("2026-11-21 10:00:00", "2026-11-21 08:00:00"),
        ("2026-11-21 10:00:00.219 +0000", "2026-11-21 10:00:00.219"),
        ("2016-12-31T23:59:60Z", "2017-01-01 00:00:00"),
        ("2026-11-21 10:00:00 UTC", "2026-11-21 10:00:00"),
        ("2026-11-21 10:00:00 +03", "2026-11-21 07:00:00"),
    ],
)
def test_a_whole_stamp_is_read(stamp: str, read: str) -> None:
    zone = timezone(timedelta(hours=2))  # of stamps that name none

    assert at(read) == stamp_reader(zone)(stamp)


@pytest.mark.parametrize(
    "stamp",
    [
        "",
        "2026-13-01T00:00:00Z",
        "0001-01-01 00:00:00",
        "0001-01-01T00:00:00+14:00",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59Z",
        "x" * 40,
    ],
)
def test_what_is_no_whole_stamp_is_none(stamp: str) -> None:
    assert stamp_reader(None)(stamp) is None
