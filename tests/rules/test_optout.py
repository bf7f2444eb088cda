"""Records by which owners say that they want no callouts, or how many."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.optout import (
    MAX_RECORD_CHARS,
    NO_WISH,
    Wish,
    owners_of,
    parse_record,
    read_wishes,
    record_of,
)
from ringback.values.dns import DnsAnswer, DnsStatus, RecordType

NAME, ORGANISATION = "mx1.shop.example", "shop.example"


def organisation(name: str) -> str:
    return ".".join(name.split(".")[-2:])


def wish_of(
    texts: Mapping[str, tuple[str, ...] | DnsStatus], name: str = NAME
) -> tuple[Wish, list[str]]:
    """What the owner of `name` wants, where DNS says `texts`; and which names were asked for."""
    owners = owners_of(name, organisation)
    asked = [record_of(owner) for owner in owners]
    answers = [answer_of(record, texts.get(record, DnsStatus.NXDOMAIN)) for record in asked]
    return read_wishes(owners, answers), asked


def answer_of(name: str, said: tuple[str, ...] | DnsStatus) -> DnsAnswer:
    if isinstance(said, DnsStatus):
        return DnsAnswer(name, RecordType.TXT, said)
    return DnsAnswer(name, RecordType.TXT, DnsStatus.OK, texts=said)


def test_a_name_and_its_organisation_are_asked() -> None:
    wish, asked = wish_of({})

    assert ["_callout.mx1.shop.example", "_callout.shop.example"] == asked
    assert NO_WISH == wish


def test_an_organisation_is_asked_once() -> None:
    _, asked = wish_of({}, ORGANISATION)

    assert ["_callout.shop.example"] == asked


def test_a_name_too_long_for_the_record_is_not_asked_for() -> None:
    name = ".".join(["a" * 60] * 4) + ".example"

    _, asked = wish_of({}, name)

    assert [f"_callout.{organisation(name)}"] == asked


def test_a_refusal_anywhere_is_a_refusal() -> None:
    wish, _ = wish_of(
        {"_callout.shop.example": ("v=CALLOUT1; p=none; contact=mailto:abuse@shop.example",)}
    )

    assert wish.forbids
    assert Wish(never=True, said_by="shop.example") == wish


@pytest.mark.parametrize("other", [(), ("v=CALLOUT1; p=allow",), ("v=CALLOUT1; rate=5/h",)])
def test_without_an_answer_nobody_is_called(other: tuple[str, ...]) -> None:
    wish, _ = wish_of(
        {"_callout.mx1.shop.example": DnsStatus.FAILURE, "_callout.shop.example": other}
    )

    assert wish.forbids
    assert (True, "mx1.shop.example") == (wish.unknown, wish.said_by)


def test_a_refusal_is_stricter_than_no_answer() -> None:
    wish, _ = wish_of(
        {
            "_callout.mx1.shop.example": DnsStatus.FAILURE,
            "_callout.shop.example": ("v=CALLOUT1; p=none",),
        }
    )

    assert wish.never
    assert not wish.unknown


@pytest.mark.parametrize(
    "texts",
    [
        ("v=CALLOUT1; p=none", "v=CALLOUT1; p=none"),
        ("v=CALLOUT1; p=never",),
        ("v=spf1 -all", "p=none"),
        ("v=CALLOUT1x; p=none",),
        (),
    ],
)
def test_a_repeated_malformed_or_foreign_record_counts_as_none(texts: tuple[str, ...]) -> None:
    wish, _ = wish_of({"_callout.shop.example": texts})

    assert NO_WISH == wish


def test_other_records_beside_it_do_no_harm() -> None:
    wish, _ = wish_of({"_callout.shop.example": ("v=spf1 -all", " V = CALLOUT1 ; P=None ;")})

    assert wish.never


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v=CALLOUT1", Wish(said_by="x")),
        ("v=CALLOUT1; p=allow; rate=20/h", Wish(per_hour=20, said_by="x")),
        ("v=CALLOUT1; rate=0/h", Wish(per_hour=0, said_by="x")),
        ("v=CALLOUT1; later=thing; p=none;", Wish(never=True, said_by="x")),
        ("v=CALLOUT1; rate=20/d", None),
        ("v=CALLOUT1; rate=٢/h", None),
        ("v=CALLOUT1; p=none; contact=http://shop.example", Wish(never=True, said_by="x")),
        ("v=CALLOUT1; p=none; ", Wish(never=True, said_by="x")),
        ("v=CALLOUT1;; p=none ;;", Wish(never=True, said_by="x")),
        ("v=CALLOUT1;p=NONE;x=y", Wish(never=True, said_by="x")),
        ("v=CALLOUT1; p=", None),
        ("v=CALLOUT1; p=none; no calls please", None),
        ("v=CALLOUT1; p=none; p=allow", None),
        ("v=CALLOUT1; none", None),
        ("v=CALLOUT1; =none", None),
        ("v=CALLOUT1; p=none; x=" + "y" * MAX_RECORD_CHARS, None),
    ],
)
def test_records(text: str, expected: Wish | None) -> None:
    assert expected == parse_record(text, "x")


@pytest.mark.parametrize(
    ("low", "high"), [(NAME, ORGANISATION), (ORGANISATION, NAME)], ids=["its own", "the other"]
)
def test_the_lower_of_two_rates_holds(low: str, high: str) -> None:
    wish, _ = wish_of(
        {record_of(low): ("v=CALLOUT1; rate=5/h",), record_of(high): ("v=CALLOUT1; rate=50/h",)}
    )

    assert Wish(per_hour=5, said_by=low) == wish


def test_a_rate_is_stricter_than_none() -> None:
    wish, _ = wish_of(
        {
            record_of(NAME): ("v=CALLOUT1; p=allow",),
            record_of(ORGANISATION): ("v=CALLOUT1; rate=50/h",),
        }
    )

    assert Wish(per_hour=50, said_by=ORGANISATION) == wish


@given(st.text(max_size=80))
def test_any_text_is_a_wish_or_none(text: str) -> None:
    wish, _ = wish_of({"_callout.shop.example": (f"v=CALLOUT1;{text}",)})

    assert not wish.unknown
