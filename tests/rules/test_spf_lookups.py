"""What an evaluation of SPF may ask the DNS. How terms use it: test_spf.py."""

from ipaddress import ip_address

import pytest

from ringback.rules.spf_lookups import (
    MAX_LOOKUP_TERMS,
    MAX_NAMES,
    MAX_VOID_TERMS,
    Lookups,
    SpfError,
)
from ringback.values.dns import DnsStatus, Question, RecordType
from rules.spf_zone import Zone

CLIENT, CLIENT6 = ip_address("192.0.2.3"), ip_address("2001:db8::3")
REVERSE = "3.2.0.192.in-addr.arpa"


def test_addresses_are_asked_for_in_the_clients_family() -> None:
    assert RecordType.A is Lookups(CLIENT).family
    assert RecordType.AAAA is Lookups(CLIENT6).family


def test_so_many_terms_may_ask() -> None:
    lookups = Lookups(CLIENT)
    for _ in range(MAX_LOOKUP_TERMS):
        lookups.count_term()

    with pytest.raises(SpfError, match="terms that ask") as found:
        lookups.count_term()

    assert found.value.lasts


def test_so_many_terms_may_ask_for_nothing() -> None:
    zone, lookups = Zone({"here.example": {"A": ["192.0.2.3"]}}), Lookups(CLIENT)
    answer = zone.run(lookups.ask_term("here.example", RecordType.A))
    for _ in range(MAX_VOID_TERMS):
        zone.run(lookups.ask_term("nowhere.example", RecordType.A))

    assert ("192.0.2.3",) == answer.texts
    with pytest.raises(SpfError, match="nothing there is"):
        zone.run(lookups.ask_term("nowhere.example", RecordType.A))


def test_no_answer_ends_the_evaluation_for_now() -> None:
    with pytest.raises(SpfError, match=r"TXT of silent\.example") as found:
        zone = Zone({"silent.example": {"FAIL": [""]}})
        zone.run(Lookups(CLIENT).ask("silent.example", RecordType.TXT))

    assert not found.value.lasts


def test_what_cannot_be_a_name_does_not_exist_and_is_not_asked_for() -> None:
    zone = Zone({})
    answer = zone.run(Lookups(CLIENT).ask("a..example", RecordType.A))

    assert DnsStatus.NXDOMAIN is answer.status
    assert [] == zone.asked


def test_of_the_clients_names_those_count_that_lead_back_to_it() -> None:
    zone = Zone(
        {
            REVERSE: {"PTR": ["near.example", "a\\.b", "HERE.example"]},
            "here.example": {"A": ["192.0.2.9", "192.0.2.3"]},
            "near.example": {"A": ["192.0.2.4"]},
        }
    )
    lookups = Lookups(CLIENT)
    names = [zone.run(lookups.confirmed_names()) for _ in range(2)]

    assert [("HERE.example",)] * 2 == names
    assert 3 == len(zone.asked)


def test_so_many_names_are_looked_at() -> None:
    names = [f"n{n}.example" for n in range(MAX_NAMES)]
    zone = Zone({REVERSE: {"PTR": [*names, "here.example"]}, "here.example": {"A": ["192.0.2.3"]}})

    assert () == zone.run(Lookups(CLIENT).confirmed_names())
    assert Question("here.example", RecordType.A) not in zone.asked
