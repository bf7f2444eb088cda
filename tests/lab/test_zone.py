"""What the lab's DNS says, without sockets."""

import dns.message
import dns.rcode
import pytest

from ringback.errors import ConfigError
from ringback.lab.zone import Behaviour, Node, Zone, judge_node, respond

ZONE: Zone = {
    "shop.example": Node({"MX": ("10 mx.shop.example", "20 mx2.shop.example")}),
    "mx.shop.example": Node({"A": ("127.25.0.1",), "AAAA": ("::1",)}, ttl_s=60),
    "nullmx.example": Node({"MX": ("0 .",)}),
    "alias.example": Node(cname="second.example"),
    "second.example": Node(cname="shop.example"),
    "dangling.example": Node(cname="nowhere.example"),
    "loop.example": Node(cname="loop.example"),
    "words.example": Node({"TXT": ('v=CALLOUT1; p="none"', "x" * 300)}),
    "half.example": Node({"A": ("127.25.0.1",)}, by_kind={"AAAA": Behaviour.SERVFAIL}),
    "1.0.25.127.in-addr.arpa": Node({"PTR": ("mx.shop.example",)}),
}


def ask(name: str, kind: str, lie: Behaviour | None = None) -> dns.message.Message:
    return respond(ZONE, dns.message.make_query(name, kind), lie=lie)[0]


def records(response: dns.message.Message) -> list[str]:
    return [record.to_text() for rrset in response.answer for record in rrset]


def test_records_are_said_with_their_ttl() -> None:
    response = ask("MX.Shop.Example", "A")

    assert ["127.25.0.1"] == records(response)
    assert 60 == response.answer[0].ttl
    assert ["10 mx.shop.example.", "20 mx2.shop.example."] == records(ask("shop.example", "MX"))
    assert ["0 ."] == records(ask("nullmx.example", "MX"))
    assert ["mx.shop.example."] == records(ask("1.0.25.127.in-addr.arpa", "PTR"))


def test_text_is_quoted_and_cut_as_dns_wants_it() -> None:
    texts = ask("words.example", "TXT").answer[0]

    assert [b'v=CALLOUT1; p="none"', b"x" * 300] == [b"".join(record.strings) for record in texts]


def test_no_name_and_no_data_are_kept_apart() -> None:
    nowhere, no_data, above = (
        ask("nowhere.example", "A"),
        ask("shop.example", "A"),
        ask("example", "A"),
    )

    assert dns.rcode.NXDOMAIN == nowhere.rcode()
    assert dns.rcode.NOERROR == no_data.rcode() == above.rcode()
    assert [] == records(no_data) == records(above)
    assert "SOA" in nowhere.authority[0].to_text()


def test_chains_of_names_are_followed_to_their_end() -> None:
    found, dangling, loop = (
        ask("alias.example", "MX"),
        ask("dangling.example", "A"),
        ask("loop.example", "A"),
    )

    assert ["second.example.", "shop.example."] == records(found)[:2]
    assert 4 == len(records(found))
    assert dns.rcode.NXDOMAIN == dangling.rcode()
    assert dns.rcode.SERVFAIL == loop.rcode()


def test_one_type_may_fail_where_another_works() -> None:
    assert dns.rcode.NOERROR == ask("half.example", "A").rcode()
    assert dns.rcode.SERVFAIL == ask("half.example", "AAAA").rcode()


@pytest.mark.parametrize(
    ("lie", "rcode"),
    [(Behaviour.NXDOMAIN, dns.rcode.NXDOMAIN), (Behaviour.SERVFAIL, dns.rcode.SERVFAIL)],
)
def test_a_liar_says_the_same_of_every_name(lie: Behaviour, rcode: dns.rcode.Rcode) -> None:
    said = {ask(name, "MX", lie).rcode() for name in ("shop.example", "alias.example", "x.y")}

    assert {rcode} == said


def test_a_record_that_dns_cannot_say_is_named() -> None:
    with pytest.raises(ConfigError, match=r"names\.bad\.example\.A"):
        judge_node("bad.example", Node({"A": ("not an address",)}), "plan")
