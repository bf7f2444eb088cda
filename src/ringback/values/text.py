"""Remote text made safe to show. Not here: escaping for HTML or CSV, which their writers add on top."""

import unicodedata

# Longer than any reply line that helps a person; bounds what a peer can put into our logs and replies.
MAX_SHOWN_CHARS = 1_000

# Cc and Cf hold terminal escapes and the marks that reorder text (U+202E); Cs, Co and Cn have no
# glyph; Zl and Zp end a line for some readers of logs.
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


def printable(text: str, *, limit: int = MAX_SHOWN_CHARS) -> str:
    """Return `text` on one line, every invisible character escaped, at most `limit` characters."""
    cut = text[:limit]
    plain = cut.isascii() and cut.isprintable()
    shown = cut if plain else "".join(_shown(char) for char in cut)
    if len(text) > limit or len(shown) > limit:
        shown = shown[: max(limit - 1, 0)] + "…"
    return shown


def _shown(char: str) -> str:
    if char == "\n":
        return " "
    if unicodedata.category(char) in _UNSEEN:
        return char.encode("unicode_escape").decode("ascii")
    return char
