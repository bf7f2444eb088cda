"""Instants."""

import pytest

from ringback.doors.instants import in_words, parse_instant, parse_span, utc, utc_or_none


def test_instants_are_utc() -> None:
    assert "2026-11-21T10:00:00Z" == utc(1_795_255_200.9)
    assert "1970-01-01T00:00:00Z" == utc_or_none(0.0)
    assert utc_or_none(None) is None


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-21T10:00:00Z", 1_795_255_200.0),
        ("2026-11-21t11:00:00.5+01:00", 1_795_255_200.5),
        ("2026-11-21T10:00:00", None),  # whose time?
        ("2026-11-21", None),
        ("2026-13-21T10:00:00Z", None),
        ("now", None),
    ],
)
def test_instants_are_read_as_rfc_3339_writes_them(text: str, at: float | None) -> None:
    assert at == parse_instant(text)


@pytest.mark.parametrize(
    ("text", "span_s"), [("30m", 1_800), ("12h", 43_200), ("4w", 2_419_200), ("4 w", None)]
)
def test_spans_are_read(text: str, span_s: int | None) -> None:
    assert span_s == parse_span(text)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (59.6, "1 min"),
        (61.0, "1 min 1 s"),
        (3_600.0, "1 h"),
        (7_505.0, "2 h 5 min"),
        (86_461.0, "1 d"),
        (200_000.0, "2 d 7 h"),
    ],
)
def test_spans_are_told_in_two_units_at_most(seconds: float, said: str) -> None:
    assert said == in_words(seconds)
