"""A row of a list, and the address in it. Not here: the rows of a file (texts.py, tables.py, objects.py)."""

import re

from ...errors import AddressError
from ...values.address import MAX_ADDRESS_OCTETS, parse_address
from ...values.record import Record

# How columns and members that hold addresses are called, the likelier first: an "address" may be a street's.
ADDRESS_NAMES = (
    "email",
    "e-mail",
    "emailaddress",
    "e-mailaddress",
    "mail",
    "mailaddress",
    "recipient",
    "address",
)
# What stands around an address where somebody wrote more than that.
_AROUND = re.compile(r"[\s<>()\[\]\"',;:]+")
_LOOKED_AT_CHARS = 2 * MAX_ADDRESS_OCTETS
# A hint to who fills in a form: "E-Mail (required)".
_IN_BRACKETS = re.compile(r"\([^()]*\)")


class Row(Record, frozen=True):
    """A line, record or object, as it stands in its file: octets that are no UTF-8 are surrogates.

    `address`: what is to be asked; "" where there is none, and `problem` says why if that is a mistake.
    `body` is all of it but its line end.
    """

    number: int  # of its first line, from 1
    body: str
    end: str  # its line end; "" for the last, maybe
    address: str = ""
    problem: str = ""
    cells: tuple[str, ...] = ()  # of a table
    is_object: bool = False  # `body` is one in JSON


def address_in(text: str) -> tuple[str, str]:
    """The address in a cell or line, or ""; and a problem, if nobody can say whether it is meant as one.

    What is none is given as it is, for its verdict. But "take it off the list" is no verdict on somebody
    whose address stands there with his name.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return "", "it is not written in UTF-8; save the list so"
    address = bare(text)
    if address.isprintable() and is_address(address):
        return address, ""
    if inside := _address_inside(address):
        return "", f"it is no address, though {inside} in it is one; write that alone"
    return address, ""


def is_address(text: str) -> bool:
    """Whether a cell has an address, and nothing else."""
    try:
        parse_address(bare(text))
    except AddressError:
        return False
    return True


def _address_inside(text: str) -> str | None:
    # What comes along when text is copied may have no width, and would make another local part.
    looked_at = "".join(it if it.isprintable() else " " for it in text[:_LOOKED_AT_CHARS])
    pieces = (piece.strip(".") for piece in _AROUND.split(looked_at))
    return next((piece for piece in pieces if "@" in piece and is_address(piece)), None)


def bare(text: str) -> str:
    """The address in a cell or line: without what surrounds it, and such that it can be kept anywhere.

    Octets that are no UTF-8 become escapes, with which it is no address.
    """
    text = text.strip()
    if text.startswith("<") and text.endswith(
        ">"
    ):  # as logs and SMTP show one (RFC 5321 section 4.1.2)
        text = text[1:-1].strip()
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def without_end(line: str) -> tuple[str, str]:
    """A line and its line end, whichever it is."""
    body = line.rstrip("\r\n")
    return body, line[len(body) :]


def plain_name(name: str) -> str:
    """The name of a column as ADDRESS_NAMES spells it."""
    return "".join(_IN_BRACKETS.sub("", name).casefold().replace("_", " ").split())
