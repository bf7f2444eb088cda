"""E-mail addresses: what is one, and what it is remembered under."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.errors import AddressError
from ringback.values.address import (
    MAX_ADDRESS_OCTETS,
    MAX_DOMAIN_OCTETS,
    Address,
    external_form,
    parse_address,
    parse_domain,
)
from ringback.wire import command

LONGEST_LABEL = "d" * 63


def test_the_domain_is_folded_and_the_local_part_kept() -> None:
    address = parse_address("Ok@Shop.EXAMPLE")

    assert address == Address("Ok", "shop.example")
    assert address.key == str(address) == "Ok@shop.example"


def test_case_of_the_local_part_makes_another_mailbox() -> None:
    assert parse_address("Ok@shop.example").key != parse_address("ok@shop.example").key


@pytest.mark.parametrize(
    "text",
    [
        "ann@shop.example",
        "ann.bee+tag@shop.example",
        "!#$%&'*+-/=?^_`{|}~@shop.example",
        '"a b"@shop.example',
        '"a@b"@shop.example',
        r'"a\"b\\c"@shop.example',
        '""@shop.example',
        "jürgen@shop.example",
        '"jürgen müller"@shop.example',
        "用户@shop.example",
        "root@localhost",
        "ann@mail_out.shop.example",
        "ann@_dmarc.shop.example",
        "ann@1.shop.example",
        "ann@[192.0.2.1]",
        "ann@[IPv6:2001:db8::1]",
    ],
)
def test_addresses_that_exist_in_the_wild(text: str) -> None:
    assert parse_address(text).key == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "@",
        "ann",
        "ann@",
        "@shop.example",
        "<ann@shop.example>",
        ".ann@shop.example",
        "ann.@shop.example",
        "ann..bee@shop.example",
        "ann bee@shop.example",
        "a@b@shop.example",
        '"a"b"@shop.example',
        '"a@shop.example',
        '"a\\"@shop.example',
        "ann@.shop.example",
        "ann@shop.example.",
        "ann@shop..example",
        "ann@-shop.example",
        "ann@shop-.example",
        "ann@shop example",
        "ann@shop!example",
        "ann@[192.0.2.1",
        "ann@[192.0.2.256]",
        "ann@[IPv6:2001:db8::g]",
        "ann@[x-tag:content]",
        "ann@[]",
        "ann\r\nRCPT TO:<bob@shop.example>@shop.example",
        "ann@shop.example\n",
        "ann\x00@shop.example",
        "ann\x7f@shop.example",
        '"a\tb"@shop.example',
        "ann\x85@shop.example",
        "ann\u202e@shop.example",
        "ann\u2028@shop.example",
        "ann\ud800@shop.example",
        "ann@shop\ud800.example",
        "ann@xn--\u2028.example",
        "ann@☃-_.example",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(AddressError):
        parse_address(text)


@pytest.mark.parametrize("octets", [64, 65, 200])
def test_a_local_part_may_be_as_long_as_mail_servers_take_it(octets: int) -> None:
    assert "l" * octets == parse_address(f"{'l' * octets}@shop.example").local


@pytest.mark.parametrize("letter", ["l", "ü"])
def test_an_address_fits_a_command(letter: str) -> None:
    room = MAX_ADDRESS_OCTETS - len("@shop.example")
    longest = letter * (room // len(letter.encode()))

    assert parse_address(f"{longest}@shop.example").local == longest
    assert len(command.rcpt(f"{longest}@shop.example")) <= command.MAX_COMMAND_OCTETS
    with pytest.raises(AddressError, match="480 octets"):
        parse_address(f"{longest}{letter}@shop.example")


def test_folding_a_hostile_local_part_is_bounded() -> None:
    address = parse_address(f"{'-=' * 230}@shop.example")

    assert len(address.folded_key) <= MAX_ADDRESS_OCTETS


def test_a_domain_has_at_most_255_octets_and_a_label_63() -> None:
    longest = ".".join(LONGEST_LABEL for _ in range(4))

    assert len(longest) == MAX_DOMAIN_OCTETS
    assert parse_domain(longest) == longest
    for domain in (f"{longest}d", "d" * 64, f"d.{longest}"):
        with pytest.raises(AddressError, match="longer than"):
            parse_domain(domain)


def test_a_domain_may_not_grow_too_long_as_a_labels() -> None:
    # As it is written it fits; with the prefix and the digits of five A-labels it does not.
    domain = ".".join("ü" + "d" * 49 for _ in range(5))

    assert len(domain) <= MAX_DOMAIN_OCTETS
    with pytest.raises(AddressError):
        parse_domain(domain)


def test_a_domain_beyond_ascii_is_kept_as_a_labels() -> None:
    expected = Address("ann", "xn--bcher-kva.example")

    assert parse_address("ann@bücher.example") == expected
    assert parse_address("ann@BÜCHER.example") == expected
    assert parse_address("ann@XN--BCHER-KVA.example") == expected
    assert parse_address("ann@bücher。example") == expected


@pytest.mark.parametrize(
    "domain", ["ü_b.example", "☃.example", "-ü.example", "ü\u0301\u200d.example"]
)
def test_what_idna_2008_refuses(domain: str) -> None:
    with pytest.raises(AddressError):
        parse_domain(domain)


@pytest.mark.parametrize(
    ("domain", "expected", "ip"),
    [
        ("[192.0.2.1]", "[192.0.2.1]", "192.0.2.1"),
        ("[IPv6:2001:DB8:0:0::1]", "[IPv6:2001:db8::1]", "2001:db8::1"),
        ("[ipv6:::1]", "[IPv6:::1]", "::1"),
        ("[::1]", "[IPv6:::1]", "::1"),
    ],
)
def test_address_literals_have_one_form(domain: str, expected: str, ip: str) -> None:
    assert parse_domain(domain) == expected
    assert Address("ann", expected).literal_ip == ip


def test_a_name_is_no_literal() -> None:
    assert Address("ann", "shop.example").literal_ip is None


@pytest.mark.parametrize(
    ("local", "folded"),
    [
        ("Ann", "ann"),
        ('"Ann Bee"', "ann bee"),
        ("ann.bee", "ann.bee"),
        ("ann-bee", "ann-bee"),
        ("prvs=4612ab9f3c=ann", "ann"),
        ("prvs=0123456789=Ann", "ann"),
        ("btv1==1234abcd==ann", "ann"),
        ("msprvs1=18712abcdef=ann", "ann"),
        ("prvs=4612ab9f3c=list+bob=other.example", "list"),
        ("SRS0=HHH=TT=other.example=ann", "srs0"),
        ("srs0+xyz=ab=other.example=bob", "srs0"),
        ("SRS1=HHH=first.example==HHH=TT=other.example=ann", "srs1"),
        ("list+bob=other.example", "list"),
        ("list-bounces+bob=other.example", "list-bounces"),
        ("bounces-123", "bounces"),
        ("bounce-5f3a-99_1", "bounce"),
        ("ann+shopping", "ann"),
        ("ann+a+b", "ann"),
        ("+ann", "+ann"),
        ("prvs==", "prvs=="),
    ],
)
def test_tags_are_folded_away_for_budgets(local: str, folded: str) -> None:
    assert Address(local, "shop.example").folded_key == f"{folded}@shop.example"


def test_two_tags_have_two_keys_for_verdicts_and_one_for_budgets() -> None:
    one, other = (parse_address(f"prvs=46{n}2ab9f3c=ann@shop.example") for n in (1, 2))

    assert one.key != other.key
    assert one.folded_key == other.folded_key


LOCALS = st.text(st.characters(codec=None), max_size=70) | st.text('ab"\\. +=-@\n', max_size=20)
DOMAINS = st.text("aZ9-_.[]:ü。\u200d\r\n", max_size=40) | st.text(max_size=70)


@given(st.one_of(st.text(), st.builds("{}@{}".format, LOCALS, DOMAINS)))
def test_what_is_read_is_an_address_whose_key_is_itself(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return

    assert parse_address(address.key) == address
    assert address.key.isprintable()
    assert len(address.key.encode()) <= MAX_ADDRESS_OCTETS
    assert address.domain.isascii()
    assert address.folded_key.isprintable()


@given(DOMAINS)
def test_a_domain_is_read_once(text: str) -> None:
    try:
        domain = parse_domain(text)
    except AddressError:
        return

    assert parse_domain(domain) == domain


@pytest.mark.parametrize(
    ("path", "written"),
    [
        ("ann@shop.example", "ann@shop.example"),
        ("", ""),
        ("root", "root"),
        ("@shop.example", "@shop.example"),
        ('"a b"@shop.example', '"a b"@shop.example'),
        ("john doe@shop.example", '"john doe"@shop.example'),
        ("john..doe@shop.example", '"john..doe"@shop.example'),
        ("joe.@shop.example", '"joe."@shop.example'),
        ("john@home@shop.example", '"john@home"@shop.example'),
        ('say "hi"@shop.example', r'"say \"hi\""@shop.example'),
        (r"back\slash@shop.example", r'"back\\slash"@shop.example'),
        ("ann@shop.example.", "ann@shop.example"),
        ("jörg@shop.example", "jörg@shop.example"),
        (
            f"{'j ' * MAX_ADDRESS_OCTETS}@shop.example",
            f'"{"j " * MAX_ADDRESS_OCTETS}"@shop.example',
        ),
    ],
)
def test_an_address_that_lost_its_quotes_gets_them_back(path: str, written: str) -> None:
    assert written == external_form(path)


@pytest.mark.parametrize("path", ["john doe@shop.example", 'a"b@shop.example', "a,b@shop.example"])
def test_an_address_with_its_quotes_back_is_one(path: str) -> None:
    assert parse_address(external_form(path)).domain == "shop.example"
