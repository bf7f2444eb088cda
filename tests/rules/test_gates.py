"""Who may be called for a mail, by what the DNS says."""

import pytest

from ringback.rules.asking import Asking, T
from ringback.rules.gates import (
    MAX_HOSTS,
    MAX_NAMES,
    Found,
    Gate,
    Passed,
    Stopped,
    align,
    has_nobody_to_call,
    look_up_lists,
)
from ringback.values.address import parse_address
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, Question, RecordType
from ringback.values.query import Client

A, AAAA, MX, TXT, PTR = (
    RecordType.A,
    RecordType.AAAA,
    RecordType.MX,
    RecordType.TXT,
    RecordType.PTR,
)
ANN = parse_address("ann@shop.example")
CLIENT = Client("198.51.100.7", helo="mail.sender.example")
Zone = dict[tuple[str, RecordType], DnsAnswer]


def says(name: str, kind: RecordType, *texts: str) -> Zone:
    return {(name, kind): DnsAnswer(name, kind, DnsStatus.OK, texts=texts)}


def says_mx(name: str, *hosts: str) -> Zone:
    records = tuple(Mx(10, host) for host in hosts)
    return {(name, MX): DnsAnswer(name, MX, DnsStatus.OK, mx=records)}


def fails(name: str, kind: RecordType, status: DnsStatus = DnsStatus.FAILURE) -> Zone:
    return {(name, kind): DnsAnswer(name, kind, status)}


def run(machine: Asking[T], zone: Zone) -> tuple[T, list[Question]]:
    """Answer from `zone`; any other name exists and has no such record."""
    asked: list[Question] = []
    try:
        question = next(machine)
        while True:
            asked.append(question)
            nothing = DnsAnswer(question.name, question.kind, DnsStatus.NODATA)
            question = machine.send(zone.get((question.name, question.kind), nothing))
    except StopIteration as done:
        return done.value, asked


def organisation(domain: str) -> str:
    return ".".join(domain.split(".")[-2:])


def aligned(zone: Zone, client: Client = CLIENT, address: str = "ann@shop.example") -> Found:
    found, _ = run(align(parse_address(address), client, organisation), zone)
    return found


# Whom a callout would bother.


@pytest.mark.parametrize(
    ("zone", "nobody"),
    [
        (fails("shop.example", MX, DnsStatus.NXDOMAIN), True),
        (says_mx("shop.example", ""), True),
        (says_mx("shop.example", "", "mx.victim.example"), False),
        (says_mx("shop.example", "mx.shop.example"), False),
        (fails("shop.example", MX), False),
        (says("shop.example", A, "192.0.2.1"), False),
        (says("shop.example", AAAA, "2001:db8::1"), False),
        (fails("shop.example", A), False),
        ({}, True),
    ],
)
def test_a_domain_without_hosts_has_nobody_to_call(zone: Zone, nobody: bool) -> None:
    assert run(has_nobody_to_call("shop.example"), zone)[0] is nobody


# Block lists.


def test_a_listed_client_stops_at_the_first_list_that_says_so() -> None:
    zone = says("7.100.51.198.two.example", A, "127.0.0.2")
    lists = ("one.example", "two.example", "three.example")
    found, asked = run(look_up_lists(CLIENT, lists), zone)

    assert found == Stopped(Gate.DNSBL, "198.51.100.7 is listed by two.example")
    assert [question.name for question in asked] == [
        "7.100.51.198.one.example",
        "7.100.51.198.two.example",
    ]


def test_a_client_on_no_list_passes_and_the_audit_says_so() -> None:
    assert run(look_up_lists(CLIENT, ("one.example",)), {})[0] == Passed(
        ("not listed by one.example",)
    )
    assert run(look_up_lists(CLIENT, ()), {}) == (Passed(), [])


# Alignment.


def test_a_narrow_pass_of_spf_is_alignment_and_asks_no_further() -> None:
    zone = says("shop.example", TXT, "v=spf1 ip4:198.51.100.0/24 -all")
    found, asked = run(align(ANN, CLIENT, organisation), zone)

    assert isinstance(found, Passed)
    assert found.gates[0] == "SPF pass"
    assert "ip4:198.51.100.0/24" in found.gates[1]
    assert asked == [Question("shop.example", TXT)]


@pytest.mark.parametrize("record", ["v=spf1 +all", "v=spf1 ip4:198.0.0.0/8 -all"])
def test_a_pass_that_lets_nearly_everybody_send_is_no_alignment(record: str) -> None:
    found = aligned(says("shop.example", TXT, record))

    assert isinstance(found, Stopped)
    assert (found.gate, found.why[:8]) == (Gate.UNALIGNED, "SPF pass")


def test_whom_the_domain_disowns_is_told_apart() -> None:
    zone = says("shop.example", TXT, "v=spf1 -all") | says("shop.example", A, "198.51.100.7")

    assert aligned(zone) == Stopped(Gate.SPF_FAIL, "SPF of shop.example forbids 198.51.100.7")


@pytest.mark.parametrize(
    ("zone", "bond"),
    [
        (says("shop.example", A, "198.51.100.7"), "aligned: an address of shop.example"),
        (
            says_mx("shop.example", "a.example", "b.example")
            | says("b.example", A, "192.0.2.1", "198.51.100.7"),
            "aligned: an MX of shop.example",
        ),
        (
            says("7.100.51.198.in-addr.arpa", PTR, "other.example", "out.shop.example")
            | says("out.shop.example", A, "198.51.100.7"),
            "aligned: its name is out.shop.example",
        ),
    ],
)
def test_hosts_and_names_of_the_domain_are_aligned(zone: Zone, bond: str) -> None:
    assert aligned(zone) == Passed(("SPF none", bond))


def test_a_reverse_name_that_does_not_lead_back_proves_nothing() -> None:
    zone = says("7.100.51.198.in-addr.arpa", PTR, "out.shop.example")

    assert isinstance(aligned(zone), Stopped)
    assert isinstance(aligned(zone | says("out.shop.example", A, "192.0.2.9")), Stopped)


def test_a_name_that_the_mta_has_confirmed_is_not_asked_for_again() -> None:
    named = Client("198.51.100.7", name="out7.shop.example")
    found, asked = run(align(ANN, named, organisation), {})

    assert found == Passed(("SPF none", "aligned: its name is out7.shop.example"))
    assert PTR not in {question.kind for question in asked}


def test_another_organisation_is_not_aligned() -> None:
    stranger = Client("198.51.100.7", name="bot.isp.example")

    assert aligned({}, stranger) == Stopped(
        Gate.UNALIGNED, "SPF none; 198.51.100.7 is no host of shop.example"
    )


def test_a_client_of_ipv6_is_looked_for_among_ipv6_addresses() -> None:
    zone = says_mx("shop.example", "mx.shop.example") | says("mx.shop.example", AAAA, "2001:db8::7")
    found, asked = run(align(ANN, Client("2001:db8:0::7"), organisation), zone)

    assert found == Passed(("SPF none", "aligned: an MX of shop.example"))
    assert A not in {question.kind for question in asked}


def test_a_mapped_address_is_the_one_it_carries() -> None:
    zone = says("shop.example", A, "198.51.100.7")

    assert aligned(zone, Client("::ffff:198.51.100.7")) == Passed(
        ("SPF none", "aligned: an address of shop.example")
    )


def test_an_address_literal_is_aligned_with_its_own_host_alone() -> None:
    assert aligned({}, address="ann@[198.51.100.7]") == Passed(
        ("aligned: the address names the client",)
    )
    assert aligned({}, address="ann@[192.0.2.1]") == Stopped(
        Gate.UNALIGNED, "198.51.100.7 is not the host that the address names"
    )


@pytest.mark.parametrize("address", ["", "unknown"])
def test_a_client_without_an_address_is_not_aligned(address: str) -> None:
    assert aligned({}, Client(address)) == Stopped(
        Gate.UNALIGNED, "the client's address is not known"
    )


def test_a_domain_of_many_hosts_costs_few_questions() -> None:
    zone = says_mx("shop.example", "", *(f"mx{number}.example" for number in range(99)))
    zone |= says("7.100.51.198.in-addr.arpa", PTR, *(f"n{number}.example" for number in range(99)))
    found, asked = run(align(ANN, CLIENT, organisation), zone)

    assert isinstance(found, Stopped)
    # SPF, the domain's address, its MX, the hosts but the null one, PTR and its names.
    assert len(asked) == 3 + (MAX_HOSTS - 1) + 1 + MAX_NAMES
