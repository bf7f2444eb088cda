"""A page about a whole list: one file that needs no other, and no host. Not here: its rows (writing.py).

It says how many, and names domains; addresses are in the rows only, so that the page can be passed on.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined, Template

from ...errors import UsageError
from ...values.job import DomainTally, Tally
from ...values.record import Record
from ...values.text import printable
from ...values.verdict import BLAME_OF, VERDICT_OF, Reason, Verdict
from ..http.wordings import label, mark
from ..instants import in_words, utc
from ..words import WHOSE
from .advice import ADVICE

MAX_DOMAINS = 25  # that the page names: the largest
_MARK = "<!doctype html>\n<!-- a list report of Ringback -->\n"
_MAX_NAME_CHARS = 200


class Account(Record, frozen=True):
    """What there is to say of a list that was worked through."""

    name: str
    out: str
    rows: int
    without_address: int
    ragged: int  # rows with more or fewer cells than the first
    first_ragged: int  # line of the first of them
    begun_at: float
    ended_at: float
    tally: Tally
    domains: Sequence[DomainTally]


class Line(Record, frozen=True):
    """A reason, and what to say of it."""

    reason: Reason
    count: int
    part: float  # of all, per cent
    means: str
    remedy: str


class Group(Record, frozen=True):
    """The reasons of one verdict."""

    verdict: Verdict
    count: int
    part: float
    lines: tuple[Line, ...]


class Place(Record, frozen=True):
    """A domain, and how many of its addresses came to which verdict."""

    domain: str
    total: int
    counts: Mapping[Verdict, int]
    mostly: str  # the commonest reason


def write_page(path: Path, account: Account) -> None:
    """Write the page. Raises OSError."""
    path.write_bytes(render(account).encode("utf-8", "backslashreplace"))


def require_page(path: Path, *, overwrite: bool = False) -> None:
    """Refuse what could not be written in the end, and to overwrite what is no page of ours.

    Raises UsageError, OSError if it cannot be told.
    """
    if str(path) == "-":
        raise UsageError("--report -: the page is a file; name it")
    if not path.parent.is_dir():
        raise UsageError(f"{path}: there is no folder {path.parent}; make it first")
    try:
        _try_to_write(path)
    except OSError as error:
        remedy = "PAGE is a file that this user may write"
        raise UsageError(f"{path}: {error.strerror}; {remedy}") from None
    if path.exists() and not overwrite:
        _refuse_others(path)


def _try_to_write(path: Path) -> None:
    if path.exists() and not path.is_file():
        raise UsageError(f"{path}: it is no file; name one")
    is_new = not os.path.lexists(path)
    path.open("ab").close()
    if is_new:  # nothing is left there before there is something to say
        path.unlink()


def _refuse_others(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(_MARK)) not in {_MARK.encode(), b""}:
            raise UsageError(
                f"{path}: it exists, and is no list report; name another file, or overwrite it with --force"
            )


def render(account: Account) -> str:
    """The page."""
    return _MARK + _template().render(
        account=account,
        out=Path(account.out).name,  # where it is concerns nobody to whom the page is passed on
        total=account.tally.total,
        groups=groups_of(account.tally),
        places=[place_of(domain) for domain in account.domains],
        verdicts=tuple(Verdict),
        most=MAX_DOMAINS,
        whose=WHOSE,
        blame_of=BLAME_OF,
    )


def groups_of(tally: Tally) -> tuple[Group, ...]:
    """What came of all, by verdict and reason, the commonest first."""
    whole = sum(tally.done.values()) or 1
    found: list[Group] = []
    for verdict in Verdict:
        counts = {it: count for it, count in tally.done.items() if VERDICT_OF[it] is verdict}
        lines = tuple(
            Line(reason, count, 100 * count / whole, *ADVICE[reason])
            for reason, count in _commonest(counts.items())
        )
        count = sum(counts.values())
        found.append(Group(verdict, count, 100 * count / whole, lines))
    return tuple(found)


def place_of(tally: DomainTally) -> Place:
    counts = dict.fromkeys(Verdict, 0)
    for reason, count in tally.done.items():
        counts[VERDICT_OF[reason]] += count
    mostly = next((label(reason) for reason, _ in _commonest(tally.done.items())), "")
    return Place(tally.domain, tally.total, counts, mostly)


def _commonest(counts: Iterable[tuple[Reason, int]]) -> list[tuple[Reason, int]]:
    return sorted(counts, key=lambda counted: (-counted[1], counted[0]))


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "shown": lambda text: printable(str(text), limit=_MAX_NAME_CHARS),
        "label": label,
        "mark": mark,
        "number": lambda count: f"{count:,}".replace(",", "\u202f"),
        "percent": percent,
        "span": in_words,
        "utc": lambda at: utc(at).replace("T", " ").removesuffix("Z"),
    }
    return environment.from_string(files(__package__).joinpath("page.html").read_text("utf-8"))


def percent(part: float) -> str:
    """Whole per cents; where they would say nothing or all, and it is not, that is said."""
    if 0 < part < 1:
        return "<1\u202f%"
    return ">99\u202f%" if 99 < part < 100 else f"{part:.0f}\u202f%"
