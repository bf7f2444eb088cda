"""The page about a whole list."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from ringback.doors.lists.page import (
    MAX_DOMAINS,
    Account,
    groups_of,
    percent,
    place_of,
    render,
    require_page,
    write_page,
)
from ringback.errors import UsageError
from ringback.values.job import DomainTally, Tally
from ringback.values.verdict import Reason, Verdict

DONE = {Reason.ACCEPTED: 1_500, Reason.NO_SUCH_MAILBOX: 400, Reason.GREYLISTED: 99}
DONE |= {Reason.BAD_SYNTAX: 1}
ACCOUNT = Account(
    name="list.csv",
    out="out.csv",
    rows=2_010,
    without_address=3,
    ragged=2,
    first_ragged=7,
    begun_at=1_800_000_000.0,
    ended_at=1_800_007_500.0,
    tally=Tally(0, DONE, 1_234),
    domains=(
        DomainTally("shop.example", 0, {Reason.ACCEPTED: 9, Reason.GREYLISTED: 1}),
        DomainTally("", 0, {Reason.BAD_SYNTAX: 1}),
    ),
)


class Reader(HTMLParser):
    """What a browser would do: the elements, and what they refer to."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "action"}]


def text_of(page: str) -> str:
    body = re.sub(r"(?s)<style>.*?</style>|<[^>]*>", " ", page)
    return re.sub(r"\s+", " ", body)


def test_it_counts_by_verdict_and_reason_and_says_what_to_do() -> None:
    text = text_of(render(ACCOUNT))

    assert "Addresses 2 000" in text.replace("\u202f", " ")
    assert "no such mailbox" in text
    assert "take it off the list" in text
    assert "2 h 5 min later" in text
    assert "3 of them without an address" in text
    assert "2 have more or fewer cells than the first, from line 7 on" in text
    assert "no address at all" in text


def test_it_needs_no_other_file_and_no_host() -> None:
    page = render(ACCOUNT)
    reader = Reader(page)

    assert [] == reader.links
    assert "script" not in reader.tags
    assert "default-src 'none'" in page
    assert "url(" not in page


def test_whatever_names_hold_is_text() -> None:
    hostile = "<script>alert(1)</script>\x1b[2J\u202e\udcff"
    domains = (DomainTally(hostile, 0, {Reason.ACCEPTED: 1}),)
    page = render(ACCOUNT.but(name=hostile, out=hostile, domains=domains))

    assert "script" not in Reader(page).tags
    assert 3 == page.count("&lt;script&gt;")  # in the title, the heading and the table
    assert "\x1b" not in page
    assert page.encode()


def test_an_empty_list_has_a_page_too() -> None:
    page = render(ACCOUNT.but(tally=Tally(), domains=(), ragged=0, without_address=0))

    assert "Domains" not in text_of(page)
    assert "Addresses 0" in text_of(page)


def test_verdicts_are_in_order_and_reasons_by_number() -> None:
    deliverable, undeliverable, unknown = groups_of(Tally(0, DONE, 0))

    assert [Verdict.DELIVERABLE, Verdict.UNDELIVERABLE, Verdict.UNKNOWN] == [
        group.verdict for group in (deliverable, undeliverable, unknown)
    ]
    assert [Reason.NO_SUCH_MAILBOX, Reason.BAD_SYNTAX] == [it.reason for it in undeliverable.lines]
    assert (75.0, 401) == (deliverable.part, undeliverable.count)


def test_a_domain_says_what_is_commonest_in_it() -> None:
    place = place_of(ACCOUNT.domains[0])

    assert (10, "accepted") == (place.total, place.mostly)
    assert [9, 0, 1] == list(place.counts.values())
    assert "" == place_of(DomainTally("a.example", 1, {})).mostly


@pytest.mark.parametrize(
    ("part", "said"),
    [(0, "0"), (0.2, "<1"), (1, "1"), (99, "99"), (99.1, ">99"), (99.99, ">99"), (100, "100")],
)
def test_less_than_one_per_cent_is_said_so(part: float, said: str) -> None:
    assert f"{said}\u202f%" == percent(part)


def test_a_page_replaces_a_page_and_nothing_else(tmp_path: Path) -> None:
    page, other, empty = tmp_path / "a.html", tmp_path / "b.html", tmp_path / "c.html"
    write_page(page, ACCOUNT)
    other.write_text("<!doctype html>\n<p>My diary</p>")
    empty.touch()

    for path in (page, empty, tmp_path / "new.html"):
        require_page(path)
    with pytest.raises(UsageError, match="it exists, and is no list report"):
        require_page(other)
    with pytest.raises(UsageError, match="there is no folder"):
        require_page(tmp_path / "no" / "such.html")


@pytest.mark.parametrize("overwrite", [True, False])
@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("no/page.html", "there is no folder"),
        (".", "it is no file; name one"),
        ("x" * 300, "File name too long; PAGE is a file that this user may write"),
    ],
)
def test_what_could_not_be_written_in_the_end_is_told_at_once(
    tmp_path: Path, name: str, problem: str, overwrite: bool
) -> None:
    with pytest.raises(UsageError, match=problem):
        require_page(tmp_path / name, overwrite=overwrite)


def test_a_page_has_a_name() -> None:
    with pytest.raises(UsageError, match="--report -: the page is a file; name it"):
        require_page(Path("-"))


def test_nothing_is_there_before_there_is_something_to_say(tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    require_page(page)

    assert not page.exists()


def test_the_largest_domains_are_told_to_be_so() -> None:
    domains = [DomainTally(f"d{i}.example", 0, {Reason.ACCEPTED: 1}) for i in range(MAX_DOMAINS)]

    assert ", at most 25" in text_of(render(ACCOUNT.but(domains=domains)))
    assert ", at most" not in text_of(render(ACCOUNT))
