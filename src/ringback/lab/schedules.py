"""When mail servers try again after a 4xx, as they come configured. Seconds after the first attempt.

Not here: from which of a site's addresses the next attempt comes (correspondents.py).
"""

from enum import Enum
from itertools import accumulate, chain, repeat, takewhile

MINUTE_S, HOUR_S, DAY_S = 60.0, 3_600.0, 86_400.0


def _until(days: float, *gaps: "chain[float] | repeat[float]") -> tuple[float, ...]:
    instants = accumulate(chain(*gaps))
    return tuple(takewhile(lambda at: at <= days * DAY_S, instants))


def _growing(first_s: float, factor: float, count: int) -> "chain[float]":
    return chain(first_s * factor**power for power in range(count))


class Schedule(Enum):
    """Who tries again when, and for how long."""

    # minimal_backoff_time 300 s, doubled up to maximal_backoff_time 4,000 s; maximal_queue_lifetime 5 d
    POSTFIX = _until(5, _growing(300, 2, 4), repeat(4_000.0))
    # retry rule of the default configuration: F,2h,15m; G,16h,1h,1.5; F,4d,6h
    EXIM = _until(4, repeat(15 * MINUTE_S, 8), _growing(HOUR_S, 1.5, 5), repeat(6 * HOUR_S))
    # the queue run of most installations, every hour; Timeout.queuereturn 5 d
    SENDMAIL = _until(5, repeat(HOUR_S))
    # transient failures: every 10 minutes six times, then every 15; 2 d
    EXCHANGE = _until(2, repeat(10 * MINUTE_S, 6), repeat(15 * MINUTE_S))
    # large providers: soon at first, then ever more slowly; 3 d
    POOL = _until(3, _growing(3 * MINUTE_S, 2, 7), repeat(4 * HOUR_S))
