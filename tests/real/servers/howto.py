"""What the how-tos tell operators to write: the blocks of docs/howto/, as tests put them to use.

Not here: whether their prose is right.
"""

import re
from pathlib import Path

_PAGES = Path(__file__).parents[3] / "docs" / "howto"
_BLOCK = re.compile(r"^```(?P<kind>[a-z0-9]+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def snippet(page: str, kind: str) -> str:
    """Return the one block of `kind` on a page."""
    blocks = _BLOCK.finditer((_PAGES / page).read_text("utf-8"))
    (text,) = [found["text"] for found in blocks if found["kind"] == kind]
    return text


def postfix_settings(page: str, kind: str = "postfix") -> dict[str, str]:
    """Return the lines of main.cf on a page, by parameter; lines that begin with a blank go on with one."""
    lines = re.sub(r"\n[ \t]+", " ", snippet(page, kind)).splitlines()
    return {
        name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines)
    }
