"""Ringback beside Exim, Postfix and others, row by row of docs/performance.md.

All rows, one after the other, unless some are named.
"""

from .figures import say
from .options import read_options
from .rows import cached, cold, full, growth, hostile, latency, pending, profile, start

ROWS = {
    "cold": cold,
    "latency": latency,
    "cached": cached,
    "pending": pending,
    "full": full,
    "hostile": hostile,
    "start": start,
    "growth": growth,
    "profile": profile,
}


def main() -> None:
    asked = read_options(__doc__, ROWS)
    for name, row in ROWS.items():
        if not asked.rows or any(map(name.startswith, asked.rows)):
            say(f"\n# {name}\n\n{row.__doc__}")
            row.run(asked)


if __name__ == "__main__":
    main()
