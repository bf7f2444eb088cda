"""Text of others as octets, made text that can be held. Not here: making it safe to show (values/text.py)."""

# A byte that is not UTF-8 becomes the private character U+EFnn: JSON and SQLite can hold it (lone
# surrogates they cannot), no valid address contains it, and `printable` shows which byte it was.
# A backslash escape would not do: inside a quoted local part it names another mailbox.
_NOT_UTF8 = {0xDC00 + byte: 0xEF00 + byte for byte in range(0x80, 0x100)}


def decode_text(octets: bytes) -> str:
    """Return `octets` as text; different octets are different texts."""
    if octets.isascii():
        return octets.decode("ascii")
    return octets.decode("utf-8", "surrogateescape").translate(_NOT_UTF8)
