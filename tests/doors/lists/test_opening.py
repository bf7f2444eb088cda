"""A list and what it is written to, opened together."""

from pathlib import Path

import pytest

from ringback.doors.lists.listing import Form
from ringback.doors.lists.opening import Wish, digest_of, opened, opened_list
from ringback.errors import UsageError


@pytest.fixture
def wish(tmp_path: Path) -> Wish:
    (tmp_path / "list.csv").write_text("email\nann@shop.example\n")
    return Wish(str(tmp_path / "list.csv"), out=str(tmp_path / "out.csv"))


def refused(wish: Wish) -> str:
    with pytest.raises(UsageError) as error, opened(wish):
        pass
    return str(error.value)


def test_a_list_is_known_by_its_addresses_in_their_order(wish: Wish, tmp_path: Path) -> None:
    def digest(octets: str, form: Form | None = None) -> str:
        (tmp_path / "list.csv").write_text(octets)
        with opened_list(wish.but(form=form)) as listing:
            return digest_of(listing)

    known = digest("email\nann@A.example\nb@b.example\n")

    assert known == digest("ann@a.example\n\n<b@b.example>", Form.TEXT)
    assert known != digest("email\nb@b.example\nann@a.example\n")


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


@pytest.mark.parametrize("out", ["out.parquet", "out.XLSX", "out.ods"])
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
