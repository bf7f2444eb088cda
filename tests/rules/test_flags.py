"""What the look of an address says."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.flags import FlagLists, flags_of, parse_flag_lists
from ringback.values.address import Address, parse_address
from ringback.values.query import Flags

SHIPPED = parse_flag_lists(files("ringback.rules").joinpath("flags.toml").read_text("utf-8"))
LISTS = FlagLists(
    role=frozenset({"postmaster", "sales"}),
    free=frozenset({"freemail.example", "gmail.com", "gmx.de"}),
    disposable=frozenset({"throwaway.example"}),
)


def flags(text: str) -> Flags:
    return flags_of(parse_address(text), LISTS)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ann@shop.example", Flags()),
        ("Ann@shop.example", Flags()),
        ('"ann bee"@shop.example', Flags()),
        ("Sales@shop.example", Flags(role=True)),
        ("sales+x@shop.example", Flags(role=True, tagged=True)),
        ("ann+list@shop.example", Flags(tagged=True)),
        ("prvs=4612ab9f3c=ann@shop.example", Flags(tagged=True)),
        ("SRS0=HHH=TT=other.example=ann@shop.example", Flags(tagged=True)),
        ("ann@throwaway.example", Flags(disposable=True)),
        ("ann@gmail.com", Flags(free=True)),
    ],
)
def test_flags(text: str, expected: Flags) -> None:
    assert flags(text) == expected


@pytest.mark.parametrize(
    ("domain", "meant"),
    [
        ("gmial.com", "gmail.com"),
        ("gmail.con", "gmail.com"),
        ("gmal.com", "gmail.com"),
        ("gmmail.com", "gmail.com"),
        ("gmaill.com", "gmail.com"),
        ("gmail.comm", "gmail.com"),
        ("freemail.exampel", "freemail.example"),
    ],
)
def test_one_slip_from_a_large_provider(domain: str, meant: str) -> None:
    assert flags(f"Ann+x@{domain}").suggestion == f"Ann+x@{meant}"


@pytest.mark.parametrize(
    "domain",
    [
        "gmail.com",
        "gmx.dw",
        "gmx.at",
        "gmaol.con",
        "shop.example",
        "a-very-long-name-of-a-domain.example",
    ],
)
def test_no_guess(domain: str) -> None:
    assert flags(f"ann@{domain}").suggestion is None


def test_the_lists_that_are_shipped_are_lower_case_and_apart() -> None:
    for names in (SHIPPED.role, SHIPPED.free, SHIPPED.disposable):
        assert names
        assert all(name == name.lower().strip() for name in names)
    assert not SHIPPED.free & SHIPPED.disposable
    assert "postmaster" in SHIPPED.role


@pytest.mark.parametrize("text", ["", "[role]\nnames = []", "not toml"])
def test_lists_that_cannot_be_read(text: str) -> None:
    with pytest.raises((ValueError, KeyError)):
        parse_flag_lists(text)


@given(st.text(max_size=64), st.text("abcgmilo.-", max_size=60))
def test_any_address_has_flags(local: str, domain: str) -> None:
    found = flags_of(Address(local, domain), SHIPPED)

    assert found.suggestion is None or found.suggestion.startswith(f"{local}@")
