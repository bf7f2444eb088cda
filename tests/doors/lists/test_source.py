"""Files of lists: what is refused by name, and lines that are bounded."""

import os
import sys
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from ringback.doors.lists import source as source_module
from ringback.doors.lists.source import STDIN, open_source
from ringback.errors import UsageError

from .conftest import Opens


def test_lines_keep_their_ends_and_their_octets(opens: Opens) -> None:
    source = opens(b"a\r\nb\rc\n\nm\xfcller\x00")

    assert [(1, "a\r\n"), (2, "b\r"), (3, "c\n"), (4, "\n"), (5, "m\udcfcller\x00")] == [
        *source.lines()
    ]


def test_lines_can_be_read_again_even_if_a_reader_stopped_early(opens: Opens) -> None:
    source = opens(b"a\nb\n")

    assert (1, "a\n") == next(source.lines())
    assert [(1, "a\n"), (2, "b\n")] == [*source.lines()]


def test_a_byte_order_mark_is_no_part_of_the_first_line(opens: Opens) -> None:
    source = opens(b"\xef\xbb\xbfa\n")

    assert source.has_mark
    assert [(1, "a\n")] == [*source.lines()]


@pytest.mark.parametrize(
    ("octets", "problem"),
    [
        ("ann@shop.example".encode("utf-16"), "this is UTF-16; save it as UTF-8"),
        ("ann@shop.example".encode("utf-16-be"), "this is UTF-16, or no text; save it as UTF-8"),
        (b"PAR1\x15\x04", "this is Parquet; that comes with a later version; export it as CSV"),
        (b"PK\x03\x04\x14", "this is a spreadsheet or an archive; export it as CSV"),
        (
            b"\x1f\x8b\x08",
            "this is compressed; unpack it, or pipe it: zcat FILE | ringback bulk - …",
        ),
    ],
)
def test_what_is_no_list_is_refused_by_name(opens: Opens, octets: bytes, problem: str) -> None:
    with pytest.raises(UsageError, match=r"list\.txt: ") as refused:
        opens(octets)

    assert str(refused.value).endswith(f"list.txt: {problem}")


def test_parquet_is_refused_before_it_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Parquet comes with a later version; export it as CSV"):
        open_source("no/such.parquet", tmp_path)


def test_a_line_of_ten_mebibytes_is_told_and_not_held(opens: Opens) -> None:
    source = opens(b"a\n" + b"x" * 10_485_760)

    with pytest.raises(UsageError, match=r"list.txt, line 2: longer than 1 MiB; is this a list\?"):
        list(source.lines())


def test_a_file_that_changes_meanwhile_is_told(opens: Opens, tmp_path: Path) -> None:
    source = opens(b"a\nb\n")
    (tmp_path / "list.txt").write_bytes(b"a\nb\nc\n")

    with pytest.raises(
        UsageError, match="it changed while it was read, and is another list now; begin that one"
    ):
        list(source.lines())


def test_a_pipe_is_read_once_and_its_lines_as_often_as_wanted(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a\nb\n")
    os.close(writing)
    with open_source(f"/dev/fd/{reading}", tmp_path) as source:
        os.close(reading)

        assert 2 == len(list(source.lines())) == len(list(source.lines()))
    assert [] == list(tmp_path.iterdir())


def test_standard_input_is_a_list_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"ann@shop.example\n")))
    with open_source(STDIN, tmp_path) as source:
        assert [(1, "ann@shop.example\n")] == [*source.lines()]
        assert "standard input" == source.shown


def test_a_pipe_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source_module, "MAX_PIPED_BYTES", 3)
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"ann@shop.example\n")))

    with pytest.raises(UsageError, match="standard input: longer than 1 GiB; name a file"):
        open_source(STDIN, tmp_path)


def test_a_pipe_that_cannot_be_kept_is_told_with_its_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", TextIOWrapper(BytesIO(b"ann@shop.example\n")))

    with pytest.raises(UsageError, match="No such file or directory; it is kept there while"):
        open_source(STDIN, tmp_path / "no")


def test_a_folder_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory; FILE is one that this user can read"):
        open_source(str(tmp_path), tmp_path)


def test_a_closed_standard_input_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)

    with pytest.raises(UsageError, match="standard input: it is closed; name a file"):
        open_source(STDIN, tmp_path)
