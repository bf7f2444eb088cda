"""A row of a list, and the address in it. Not here: the rows of a file (texts.py, tables.py, objects.py)."""

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
    return "".join(name.casefold().replace("_", " ").split())
