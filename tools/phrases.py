"""Write src/ringback/rules/phrases.json, the form of phrases.toml that is read at a start; --check compares.

Usage: python tools/phrases.py [--check]
"""

import sys
from pathlib import Path

from ringback.rules.phrase_file import parse_phrasebook
from ringback.rules.phrase_table import encode_table

RULES = Path(__file__).parent.parent / "src" / "ringback" / "rules"
SOURCE, TABLE = RULES / "phrases.toml", RULES / "phrases.json"


def main(arguments: list[str]) -> int:
    """Write the table, or say that it differs. Returns the exit status."""
    table = encode_table(parse_phrasebook(SOURCE.read_text(encoding="utf-8")))
    if "--check" not in arguments:
        TABLE.write_bytes(table)
    elif not TABLE.exists() or TABLE.read_bytes() != table:
        sys.stderr.write(f"{TABLE.name} is not what {SOURCE.name} says: run make docs\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
