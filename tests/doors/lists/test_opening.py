"""A list and what it is written to, opened together."""

import asyncio
from pathlib import Path

import pytest

from ringback.doors.lists.listing import Form, Listing
from ringback.doors.lists.opening import ROWS_AT_ONCE, Wish, digest_of, opened, opened_list
from ringback.errors import UsageError


@pytest.fixture
def wish(tmp_path: Path) -> Wish:
    (tmp_path / "list.csv").write_text("email\nann@shop.example\n")
    return Wish(str(tmp_path / "list.csv"), out=str(tmp_path / "out.csv"))


def refused(wish: Wish) -> str:
    with pytest.raises(UsageError) as error, opened(wish):
        pass
    return str(error.value)


async def test_a_list_is_known_by_its_addresses_in_their_order(wish: Wish, tmp_path: Path) -> None:
    async def digest(octets: str, form: Form | None = None) -> str:
        (tmp_path / "list.csv").write_text(octets)
        with opened_list(wish.but(form=form)) as listing:
            return await digest_of(listing)

    known = await digest("email\nann@A.example\nb@b.example\n")

    assert known == await digest("ann@a.example\n\n<b@b.example>", Form.TEXT)
    assert known != await digest("email\nb@b.example\nann@a.example\n")


@pytest.mark.parametrize("how", ["out", "page", "link", "hard link"])
def test_nothing_is_written_over_what_is_read(wish: Wish, tmp_path: Path, how: str) -> None:
    path, other = Path(wish.file), tmp_path / "other.csv"
    octets = path.read_bytes()
    if how == "link":
        other.symlink_to(path)
    elif how == "hard link":
        other.hardlink_to(path)
    wishes = {"out": wish.but(out=wish.file), "page": wish.but(page=path)}

    said = refused(wishes.get(how, wish.but(out=str(other))).but(force=True))

    assert "FILE, OUT and PAGE are three files; name another one" in said
    assert octets == path.read_bytes()


def test_what_is_there_is_asked_again_only_by_force(wish: Wish) -> None:
    Path(wish.out).write_text("mine")

    assert "it exists; what is asked again needs --force as well" in refused(wish.but(again=True))
    with opened(wish.but(again=True, force=True)) as files:
        assert not files.output.is_empty


@pytest.mark.parametrize("out", ["out.parquet", "out.XLSX", "out.ods", "out.csv.gz", "out.html"])
def test_a_form_that_we_cannot_write_is_refused_by_name(
    wish: Wish, tmp_path: Path, out: str
) -> None:
    path = str(tmp_path / out)

    assert refused(wish.but(out=path)).endswith("; write .csv or .jsonl")
    with opened(wish.but(out=path, to=Form.CSV)):
        pass


def test_a_folder_that_is_missing_is_told(wish: Wish) -> None:
    assert "no/o.csv: there is no folder no; make it first" == refused(wish.but(out="no/o.csv"))


def test_a_page_that_is_none_is_overwritten_only_by_force(wish: Wish, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    page.write_text("mine")

    assert "is no list report" in refused(wish.but(page=page))
    with opened(wish.but(page=page, force=True)):
        pass


@pytest.mark.parametrize("name", ["file", "out", "page"])
def test_a_link_to_itself_is_a_mistake_like_others(wish: Wish, tmp_path: Path, name: str) -> None:
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    wishes = {"file": wish.but(file=str(loop)), "out": wish.but(out=str(loop))}

    assert "loop.csv: Too many levels" in refused(wishes.get(name, wish.but(page=loop)))


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        ("email,n\n,1\n", "line 2: no address in this row, nor has any other row one; see --col"),
        (
            "email\n\nAnn <ann@shop.example>\n",
            "line 3: it is no address, though ann@shop.example in it ",
        ),
        ("email\n\nAnn\n", "line 3: this can be no address, nor has any other row one; see"),
    ],
)
def test_a_list_without_any_address_is_a_mistake(wish: Wish, octets: str, problem: str) -> None:
    Path(wish.file).write_text(octets)
    with opened_list(wish) as listing, pytest.raises(UsageError) as error:
        asyncio.run(digest_of(listing))

    assert problem in str(error.value)


def test_a_list_without_any_row_is_none(wish: Wish) -> None:
    Path(wish.file).write_text("email\n")
    with opened_list(wish) as listing:
        assert asyncio.run(digest_of(listing))


def test_others_have_their_turn_while_a_long_list_is_read(wish: Wish) -> None:
    async def read_beside_others(listing: Listing) -> bool:
        reading = asyncio.create_task(digest_of(listing))
        await asyncio.sleep(0)
        was_done = reading.done()
        await reading
        return was_done

    Path(wish.file).write_text("email\n" + "ann@shop.example\n" * ROWS_AT_ONCE)
    with opened_list(wish) as listing:
        assert not asyncio.run(read_beside_others(listing))


def test_a_table_keeps_its_delimiter(wish: Wish, tmp_path: Path) -> None:
    path = str(tmp_path / "out.tsv")
    Path(wish.file).write_text("email,n\nann@shop.example,1\n")

    assert refused(wish.but(out=path)).endswith("has , between cells, and keeps it; write .csv")
    with opened(wish.but(out=path, to=Form.JSONL)):
        pass
