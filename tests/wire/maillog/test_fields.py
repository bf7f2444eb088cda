"""Fields of mail logs."""

import re

import pytest

from ringback.wire.maillog.events import LoggedClient
from ringback.wire.maillog.fields import PATH, bare, named_client


@pytest.mark.parametrize(
    "path", ["", "ann@shop.example", '"a> to=<b"@x.example', '"a\\"b"@x', "a\\>b@x", "@a,@b:c@d"]
)
def test_an_address_is_a_path(path: str) -> None:
    assert re.fullmatch(PATH, path)


@pytest.mark.parametrize("path", ["a>b@x", "a<b@x", '"a@x', 'a"b@x', "x" * 600])
def test_what_could_end_its_field_is_none(path: str) -> None:
    assert not re.fullmatch(PATH, path)


def test_a_source_route_is_no_part_of_an_address() -> None:
    assert ["c@d", "@a", "a:b@c"] == [bare(path) for path in ("@a,@b:c@d", "@a", "a:b@c")]


def test_names_are_compared_in_lower_case() -> None:
    assert LoggedClient("2001:db8::a", "mx.example", "H") == named_client(
        "2001:DB8::A", "MX.Example.", "H"
    )
