"""Text made safe to show: what comes from afar, and what holds a password.

Not here: escaping for HTML or CSV, which their writers add on top.
"""

import re
import unicodedata

# Longer than any reply line that helps a person; bounds what a peer can put into our logs and replies.
MAX_SHOWN_CHARS = 1_000

# Cc and Cf hold terminal escapes and the marks that reorder text (U+202E); Cs, Co and Cn have no
# glyph; Zl and Zp end a line for some readers of logs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})

# Up to the last @, since whoever writes a URL by hand does not escape one in a password.
_BEFORE_HOST = re.compile(r"\A([^:/]*://[^:@/]*):.*@", re.DOTALL)
_IN_QUERY = re.compile(r"([?&][a-z]*password=)[^&]*", re.IGNORECASE)


def printable(text: str, *, limit: int = MAX_SHOWN_CHARS) -> str:
    """Return `text` on one line, every invisible character escaped, at most `limit` characters."""
    cut = text[:limit]
    plain = cut.isascii() and cut.isprintable()
    shown = cut if plain else "".join(_shown(char) for char in cut)
    if len(text) > limit or len(shown) > limit:
        shown = shown[: max(limit - 1, 0)] + "…"
    return shown


def conceal_password(text: str) -> str:
    """Return `text` with stars for the password, if it is a URL with one."""
    return _IN_QUERY.sub(r"\1***", _BEFORE_HOST.sub(r"\1:***@", text))


def _shown(char: str) -> str:
    if char == "\n":
        return " "
    if unicodedata.category(char) in _UNSEEN:
        return char.encode("unicode_escape").decode("ascii")
    return char
