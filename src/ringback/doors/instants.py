"""Instants as people and programs write them. Not here: clocks (net/clock.py)."""

from datetime import UTC, datetime


def utc(at: float) -> str:
    """Write an instant (Unix seconds) as RFC 3339 does."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_or_none(at: float | None) -> str | None:
    return None if at is None else utc(at)
