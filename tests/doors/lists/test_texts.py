"""Lists of an address a line."""

from .conftest import Lists


def test_blank_lines_and_comments_count_as_lines(lists: Lists) -> None:
    rows = [*lists(b"# ours\n\n <ann@shop.example>\r\nbob@shop.example").rows()]

    assert [(1, ""), (2, ""), (3, "ann@shop.example"), (4, "bob@shop.example")] == [
        (row.number, row.address) for row in rows
    ]
    assert not any(row.problem for row in rows)
    assert "# ours\n\n <ann@shop.example>\r\nbob@shop.example" == "".join(
        row.body + row.end for row in rows
    )


def test_an_empty_file_has_no_rows(lists: Lists) -> None:
    assert [] == [*lists(b"").rows()]
