"""Instants."""

from ringback.doors.instants import utc, utc_or_none


def test_instants_are_utc() -> None:
    assert "2026-11-21T10:00:00Z" == utc(1_795_255_200.9)
    assert "1970-01-01T00:00:00Z" == utc_or_none(0.0)
    assert utc_or_none(None) is None
