"""Templates: escaped, printable, within bounds."""

from http import HTTPStatus

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from door_fakes import NOON
from ringback.doors.http.problems import Problem
from ringback.doors.http.rendering import (
    link,
    percent,
    render,
    shown,
    shown_address,
    span,
    time_of_day,
)


def test_what_comes_from_outside_is_escaped() -> None:
    text = render("problem.html", problem=Problem(HTTPStatus.NOT_FOUND, "<script>\x1b[31m&"))

    assert "&lt;script&gt;\\x1b[31m&amp;" in text


def test_a_name_that_is_left_out_is_a_mistake() -> None:
    with pytest.raises(UndefinedError):
        render("problem.html")


def test_only_templates_are_templates() -> None:
    with pytest.raises(TemplateNotFound):
        render("../app.py.html")


def test_what_is_long_is_cut() -> None:
    assert 300 == len(shown("x" * 10_000))


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("ann@shop.example", "ann@shop.example"),
        ("a" * 300 + "@shop.example", "a" * 16 + "…@shop.example"),
        ("ann@" + "d" * 300, "ann@" + "d" * 25 + "…"),
        ("a" * 300 + "@" + "d" * 300, "a" * 13 + "…@" + "d" * 14 + "…"),
        ("a" * 300, "a" * 29 + "…"),
        ("a" * 30, "a" * 30),
        ("\x1b@shop.example", "\\x1b@shop.example"),
    ],
)
def test_a_long_address_keeps_its_domain(address: str, text: str) -> None:
    assert text == shown_address(address, 30)


def test_a_link_carries_anything() -> None:
    assert "/lookup?address=%22a%26b%22@x.example" == link("/lookup", address='"a&b"@x.example')
    assert "/lookup?address=%3F" == link("/lookup", address="\udcff")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "<1 ms"),
        (0.0123, "12 ms"),
        (1.5, "1.5 s"),
        (90, "1 min 30 s"),
        (3_605, "1 h"),
        (6_900, "1 h 55 min"),
        (7_200, "2 h"),
        (86_400, "1 d"),
    ],
)
def test_a_span_has_the_unit_that_fits(seconds: float, text: str) -> None:
    assert text == span(seconds).replace("\u202f", " ")


def test_a_part_of_nothing_is_none() -> None:
    assert ["50\u202f%", "–"] == [percent(1, 2), percent(0, 0)]


def test_an_instant_is_told_to_programs_too() -> None:
    assert 'datetime="2027-01-15T08:00:00Z"' in time_of_day(NOON)
