"""Strings with macros: read, and expanded."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.spf_macros import (
    MAX_MACROS,
    MAX_NAME_CHARS,
    Macro,
    Template,
    expand,
    expand_name,
    letters_in,
    parse_domain_spec,
    parse_explanation,
    parse_macro_string,
)

VALUES = {
    "s": "strong-bad@email.shop.example",
    "l": "strong-bad",
    "o": "email.shop.example",
    "d": "email.shop.example",
    "i": "192.0.2.3",
    "p": "mx.shop.example",
    "v": "in-addr",
    "h": "mail.example",
    "c": "192.0.2.3",
    "r": "us.example",
    "t": "1700000000",
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("plain.example", "plain.example"),
        ("%{s}", "strong-bad@email.shop.example"),
        ("%{o}", "email.shop.example"),
        ("%{d9}", "email.shop.example"),
        ("%{d2}", "shop.example"),
        ("%{d1}", "example"),
        ("%{dr}", "example.shop.email"),
        ("%{d2r}", "shop.email"),
        ("%{D2R}", "shop.email"),
        ("%{l-}", "strong.bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{s1@}", None),  # no delimiter of the RFC's
        ("%{s-.}", "strong.bad@email.shop.example"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.shop.example"),
        ("%{d127}", "email.shop.example"),
        ("%{S}", "strong-bad%40email.shop.example"),
        ("%%%_%-", "% %20"),
        ("%%{d}", "%{d}"),
    ],
)
def test_macros_expand(text: str, expected: str | None) -> None:
    if expected is None:
        with pytest.raises(ValueError, match="%"):
            parse_macro_string(text)
    else:
        assert expand(parse_macro_string(text), VALUES) == expected


@pytest.mark.parametrize(
    "text",
    [
        "%",
        "%d",
        "%(d)",
        "%{d",
        "%{}",
        "%{x}",
        "%{d0}",
        "%{d00}",
        "%{d-2}",
        "%{dr2}",
        "%{d1234567890}",
        "%{c}",
        "%{r}",
        "%{t}",
        "two words",
        "bell\a",
        "é",
        "%{é}",
        "%{ſ}",  # which is an s to who folds case beyond ASCII
    ],
)
def test_what_is_no_macro_string(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_macro_string(text)


def test_explanations_have_spaces_and_three_letters_more() -> None:
    template = parse_explanation("%{c} may not, says %{r} at %{t}")

    assert expand(template, VALUES) == "192.0.2.3 may not, says us.example at 1700000000"


def test_no_more_macros_than_anybody_needs() -> None:
    assert len(parse_macro_string("%{d}" * MAX_MACROS)) == MAX_MACROS
    with pytest.raises(ValueError, match="more than"):
        parse_macro_string("%{d}" * (MAX_MACROS + 1))


@pytest.mark.parametrize(
    "text",
    [
        "shop.example",
        "shop.example.",
        "shop.xn--zckzah",
        "a.1-2",
        "a..example",
        ".example",
        "%{d}",
        "_spf.%{d2}",
        "a%%",
        "%{i}._spf.example",
    ],
)
def test_a_domain_spec_ends_like_a_name_or_in_a_macro(text: str) -> None:
    assert parse_domain_spec(text) == parse_macro_string(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "example",
        "example.",
        "a.123",
        "a.-com",
        "a.com-",
        "%{d}com",
        "a.b:80",
        "a.b..",
        "%%{d}",
        "%{d}.",
    ],
)
def test_what_is_no_domain_spec(text: str) -> None:
    with pytest.raises(ValueError, match="not a domain name"):
        parse_domain_spec(text)


def test_letters_are_those_whose_values_it_takes() -> None:
    assert letters_in(parse_macro_string("a%%b%{I}.%{p2}.%{i}%-")) == {"i", "p"}


def test_a_name_has_no_final_dot() -> None:
    assert expand_name(parse_domain_spec("%{d1r}.example."), VALUES) == "email.example"


def test_a_name_too_long_loses_labels_on_the_left() -> None:
    template = parse_domain_spec(".".join(["%{d}"] * 20))
    full = expand(template, VALUES)
    name = expand_name(template, VALUES)

    assert MAX_NAME_CHARS - len("example.") < len(name) <= MAX_NAME_CHARS
    assert full.endswith(f".{name}")


def test_a_name_that_just_fits_is_kept() -> None:
    name = "a." * 123 + "example"

    assert len(name) == MAX_NAME_CHARS
    assert expand_name((name,), VALUES) == name
    assert expand_name((f"x.{name}",), VALUES) == name
    assert expand_name(("x" * 300,), VALUES) == ""


def test_escapes_are_those_of_urls() -> None:
    values = {"l": "~jack&jill=up-a_b3.c é\udc80"}

    assert expand((Macro("l", escaped=True),), values) == (
        "~jack%26jill%3Dup-a_b3.c%20%C3%A9%5Cudc80"
    )


@given(st.text(st.sampled_from("%{}slodipvhcrtSLT0123r-.+,/_= aé\x00")) | st.text())
def test_any_text_is_a_template_or_an_error(text: str) -> None:
    try:
        template: Template = parse_explanation(text)
    except ValueError:
        return

    assert len(expand(template, VALUES)) <= len(text) * 16
