"""SPF records by their grammar."""

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.spf_macros import Macro
from ringback.rules.spf_record import (
    MAX_RECORD_CHARS,
    MAX_TERMS,
    Directive,
    Mechanism,
    Record,
    choose_record,
    parse_record,
)


def only(term: str) -> Directive:
    (directive,) = parse_record(f"v=spf1 {term}").directives
    return directive


def test_one_text_is_the_record() -> None:
    assert choose_record(["google-site=1", "v=spf10 a", "V=sPf1 mx", "xv=spf1"]) == "V=sPf1 mx"
    assert choose_record(["v=spf1"]) == "v=spf1"
    assert choose_record(["v=spf1\t-all", "v=spf1\n", "v=ſpf1 -all"]) is None
    assert choose_record([]) is None


def test_two_records_are_none() -> None:
    with pytest.raises(ValueError, match="more than one"):
        choose_record(["v=spf1 -all", "V=SPF1"])


def test_terms_in_their_order() -> None:
    record = parse_record("v=spf1  a -mx  ~all redirect=b.example Exp=c.example x-y.z_1=a/%{d} ")

    assert [directive.text for directive in record.directives] == ["a", "-mx", "~all"]
    assert [directive.qualifier for directive in record.directives] == ["+", "-", "~"]
    assert record.redirect == ("b.example",)
    assert record.explanation == ("c.example",)


def test_an_empty_record() -> None:
    assert parse_record("v=spf1") == parse_record("v=spf1  ") == Record()


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("+all", Directive("+all", "+", Mechanism.ALL)),
        ("ptr", Directive("ptr", "+", Mechanism.PTR)),
        ("PTR:b.example", Directive("PTR:b.example", "+", Mechanism.PTR, ("b.example",))),
        (
            "?exists:%{i}.b.example",
            Directive("?exists:%{i}.b.example", "?", Mechanism.EXISTS, (Macro("i"), ".b.example")),
        ),
        (
            "include:b.example",
            Directive("include:b.example", "+", Mechanism.INCLUDE, ("b.example",)),
        ),
        ("a/16", Directive("a/16", "+", Mechanism.A, ipv4_prefix=16)),
        ("a//32", Directive("a//32", "+", Mechanism.A, ipv6_prefix=32)),
        ("mx/0//0", Directive("mx/0//0", "+", Mechanism.MX, ipv4_prefix=0, ipv6_prefix=0)),
        (
            "mx:b.example/8//128",
            Directive("mx:b.example/8//128", "+", Mechanism.MX, ("b.example",), ipv4_prefix=8),
        ),
        (
            "a:b:c/d.example",
            Directive("a:b:c/d.example", "+", Mechanism.A, ("b:c/d.example",)),
        ),
    ],
)
def test_a_directive(term: str, expected: Directive) -> None:
    assert only(term) == expected


@pytest.mark.parametrize(
    ("term", "network"),
    [
        ("ip4:192.0.2.1", "192.0.2.1/32"),
        ("ip4:192.0.2.1/24", "192.0.2.0/24"),
        ("ip4:1.2.3.4/0", "0.0.0.0/0"),
        ("ip6:2001:DB8::1", "2001:db8::1/128"),
        ("ip6:2001:db8:1::/32", "2001:db8::/32"),
        ("ip6:::1.2.3.4/0", "::/0"),
    ],
)
def test_a_network(term: str, network: str) -> None:
    assert only(term).network == ip_network(network)


@pytest.mark.parametrize(
    "term",
    [
        "moo",
        "all.",
        "all:b.example",
        "all/8",
        "=all",
        "-",
        "!all",
        "--all",
        "-exp=b.example",
        "redirect:b.example",
        "redirect=",
        "redirect=all",
        "exp=",
        "exp=%{r}.example",
        "redirect=b.example redirect=b.example",
        "exp=b.example EXP=b.example",
        "x=%d",
        "1x=y",
        "moo/x=y",
        "include",
        "include:",
        "include:b.example/24",
        "exists",
        "exists/24",
        "ptr:",
        "ptr/24",
        "a:",
        "a:/24",
        "a:museum",
        "a:1.2.3.4",
        "a/33",
        "a//129",
        "a/024",
        "a//",
        "a/24/64",
        "a:b.example/33",
        "mx:b.example//129",
        "a:b.example\rptr",
        "a:b.example\x00",
        "ip4",
        "ip4:",
        "ip4:1.2.3",
        "ip4:1.2.3.256",
        "ip4:1.2.3.04",
        "ip4:1.2.3.4:25",
        "ip4:1.2.3.4/33",
        "ip4:1.2.3.4/032",
        "ip4:1.2.3.4//32",
        "ip4:1.2.3.4\n",
        "ip6",
        "ip6:1.2.3.4",
        "ip6::CAFE::BABE",
        "ip6:::1/129",
        "ip6:::1//64",
        "ip6:fe80::1%eth0",
        "é",
        "a:é.example",
        "K",  # KELVIN SIGN, a k to who folds case beyond ASCII
    ],
)
def test_what_no_record_may_say(term: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_record(f"v=spf1 {term} -all")


def test_a_record_has_a_size() -> None:
    fill = "v=spf1 x=".ljust(MAX_RECORD_CHARS, "x")

    assert parse_record(fill) == Record()
    with pytest.raises(ValueError, match="characters"):
        parse_record(fill + "x")


def test_a_record_has_so_many_terms() -> None:
    assert len(parse_record("v=spf1" + " a" * MAX_TERMS).directives) == MAX_TERMS
    with pytest.raises(ValueError, match="terms"):
        parse_record("v=spf1" + " a" * (MAX_TERMS + 1))


@given(st.text(st.sampled_from("aipmx4:/.=%{}d0128 +-?~é\x00")) | st.text())
def test_any_text_is_a_record_or_an_error(text: str) -> None:
    try:
        record = parse_record(f"v=spf1 {text}")
    except ValueError:
        return

    assert all(directive.text in text for directive in record.directives)
