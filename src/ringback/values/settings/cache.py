"""[cache] and [store]: what is remembered, for how long and where.

Not here: judging an entry by its age (rules/freshness.py).
"""

from typing import Annotated

from ...errors import SettingError
from ..constraints import Rule, quote, seconds, whole
from ..forms import STORE_URL
from ..section import Section
from .bounds import DAY_S, HOUR_S

# Past these a typing error is likelier than a wish.
MAX_AGE_S = 36_500 * DAY_S
MAX_MEMORY_ENTRIES = 100_000_000


class Ages(Section, frozen=True):
    """How long something is believed."""

    refresh_s: Annotated[float, seconds(0, MAX_AGE_S), "without asking again"]
    expire_s: Annotated[float, seconds(0, MAX_AGE_S), "at all"]

    def __post_init__(self) -> None:
        Section.__post_init__(self)
        if self.refresh_s > self.expire_s:
            problem = f"{quote(self.refresh_s)} is more than expire, {quote(self.expire_s)}"
            raise SettingError("refresh_s", problem, "ask again before it expires")


def _read_ages(value: object) -> object:
    if isinstance(value, Ages):
        return value
    if not isinstance(value, list | tuple) or len(value) != 2:
        raise ValueError(f"{quote(value)} is not a pair of durations")
    try:
        return Ages(*value)
    except SettingError as error:
        raise ValueError(error.problem) from None


AGES = Rule("[refresh, expire] in seconds, refresh no more than expire", list, _read_ages)


class Cache(Section, frozen=True):
    """How long verdicts and facts are believed: before they are asked again, and at all."""

    deliverable: Annotated[Ages, AGES, "a mailbox that exists"] = Ages(7 * DAY_S, 31 * DAY_S)
    undeliverable: Annotated[Ages, AGES, "one that does not"] = Ages(3 * HOUR_S, 3 * DAY_S)
    unknown: Annotated[Ages, AGES, "one that could not be told"] = Ages(600, HOUR_S)
    facts: Annotated[Ages, AGES, "what is known of domains and hosts"] = Ages(7 * DAY_S, 90 * DAY_S)
    recipient_deliverable: Annotated[
        Ages, AGES, "a recipient that the host of its route has; the second, while that is down"
    ] = Ages(HOUR_S, 31 * DAY_S)
    recipient_undeliverable: Annotated[
        Ages, AGES, "one that it does not have; the second, while that is down"
    ] = Ages(300, 3 * DAY_S)
    memory_entries: Annotated[
        int, whole(0, MAX_MEMORY_ENTRIES), "how many verdicts are held in memory as well"
    ] = 200_000


class StoreSettings(Section, frozen=True):
    """Where all that is remembered."""

    url: Annotated[
        str,
        STORE_URL,
        "what follows `sqlite://` is an absolute path; `memory:` forgets all at a restart, budgets too",
    ] = "sqlite:///var/lib/ringback/ringback.db"

    @property
    def sqlite_path(self) -> str | None:
        """The file of an SQLite store."""
        scheme, _, rest = self.url.partition("://")
        return rest if scheme == "sqlite" else None
