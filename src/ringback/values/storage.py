"""What a store says of itself. Not here: the records it holds (facts.py, rules/freshness.py)."""

from .record import Record


class StoreStats(Record, frozen=True):
    """What a store holds: counts of records, those expired and not yet swept out among them."""

    entries: dict[str, int]  # by reason
    facts: dict[str, int]  # by kind
    waits: int
    size_bytes: int  # 0 for a store in memory
    acquaintances: int = 0  # client networks that were put off, and may have come back
    budgets: int = 0  # those that are not whole
    calls: int = 0  # kept for those who were called
