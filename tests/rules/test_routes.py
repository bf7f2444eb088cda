"""DNS answers → hosts in order."""

from collections import Counter
from collections.abc import Callable
from itertools import cycle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.routes import (
    MAX_ADDRESSES_PER_HOST,
    NoRoute,
    Route,
    addresses,
    no_addresses,
    route_from_mx,
)
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ringback.values.evidence import Fault

DOMAIN = "shop.example"


def draws(*numbers: float) -> Callable[[], float]:
    return cycle(numbers or (0.5,)).__next__


def mx(*records: Mx) -> DnsAnswer:
    return DnsAnswer(DOMAIN, RecordType.MX, DnsStatus.OK, mx=records)


def without(status: DnsStatus, kind: RecordType = RecordType.MX) -> DnsAnswer:
    return DnsAnswer(DOMAIN, kind, status, detail="SERVFAIL" if status is DnsStatus.FAILURE else "")


def a(*texts: str, kind: RecordType = RecordType.A) -> DnsAnswer:
    return DnsAnswer("mx.example", kind, DnsStatus.OK, texts=texts)


def names(route: Route | NoRoute) -> list[str]:
    assert isinstance(route, Route)
    return [record.host for record in route.hosts]


def test_hosts_come_by_preference() -> None:
    answer = mx(Mx(20, "b.example"), Mx(10, "a.example"), Mx(30, "c.example"))

    assert names(route_from_mx(DOMAIN, answer, 4, draws())) == [
        "a.example",
        "b.example",
        "c.example",
    ]


def test_equals_are_shuffled_by_the_numbers_drawn() -> None:
    answer = mx(Mx(10, "a.example"), Mx(10, "b.example"), Mx(5, "z.example"))

    assert names(route_from_mx(DOMAIN, answer, 4, draws(0.1, 0.9, 0.5)))[1:] == [
        "a.example",
        "b.example",
    ]
    assert names(route_from_mx(DOMAIN, answer, 4, draws(0.9, 0.1, 0.5)))[1:] == [
        "b.example",
        "a.example",
    ]


def test_at_most_so_many_hosts_are_asked() -> None:
    answer = mx(*(Mx(n, f"mx{n}.example") for n in range(9)))

    assert names(route_from_mx(DOMAIN, answer, 2, draws())) == ["mx0.example", "mx1.example"]


def test_a_host_named_twice_is_asked_once_where_it_is_preferred() -> None:
    answer = mx(Mx(20, "a.example"), Mx(10, "a.example"), Mx(15, "b.example"))
    route = route_from_mx(DOMAIN, answer, 2, draws())

    assert route == Route((Mx(10, "a.example"), Mx(15, "b.example")))


def test_a_null_mx_takes_no_mail() -> None:
    assert route_from_mx(DOMAIN, mx(Mx(0, "")), 4, draws()) == NoRoute(Fault.NULL_MX, "null MX")


def test_a_null_mx_among_others_is_ignored() -> None:
    assert names(route_from_mx(DOMAIN, mx(Mx(0, ""), Mx(10, "a.example")), 4, draws())) == [
        "a.example"
    ]


def test_an_answer_without_records_says_nothing() -> None:
    route = route_from_mx(DOMAIN, mx(), 4, draws())

    assert isinstance(route, NoRoute)
    assert route.fault is Fault.DNS_FAILURE


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (DnsStatus.NODATA, Route((Mx(0, DOMAIN),), implicit=True)),
        (DnsStatus.NXDOMAIN, NoRoute(Fault.NO_SUCH_DOMAIN, "NXDOMAIN")),
        (DnsStatus.FAILURE, NoRoute(Fault.DNS_FAILURE, "SERVFAIL")),
    ],
)
def test_answers_without_mx(status: DnsStatus, expected: Route | NoRoute) -> None:
    assert route_from_mx(DOMAIN, without(status), 4, draws()) == expected


def test_one_address_of_each_family_comes_before_a_second() -> None:
    v6 = a("2001:db8::1", "2001:db8::2", kind=RecordType.AAAA)

    assert addresses([a("192.0.2.1", "192.0.2.2"), v6]) == (
        "192.0.2.1",
        "2001:db8::1",
        "192.0.2.2",
    )
    assert addresses([a("192.0.2.1"), v6]) == ("192.0.2.1", "2001:db8::1", "2001:db8::2")


def test_a_family_that_fails_does_not_hide_the_other() -> None:
    assert addresses([without(DnsStatus.FAILURE, RecordType.A), a("2001:db8::1")]) == (
        "2001:db8::1",
    )
    assert addresses([without(DnsStatus.NODATA, RecordType.A)]) == ()
    assert addresses([]) == ()


def test_one_address_in_two_spellings_is_tried_once() -> None:
    assert addresses([a("192.0.2.1"), a("::ffff:192.0.2.1", "2001:DB8::1")]) == (
        "192.0.2.1",
        "2001:db8::1",
    )


def test_many_addresses_are_not_all_tried() -> None:
    assert len(addresses([a(*(f"192.0.2.{n}" for n in range(50)))])) == MAX_ADDRESSES_PER_HOST


ABSENT = [without(DnsStatus.NODATA, RecordType.A), without(DnsStatus.NODATA, RecordType.AAAA)]


def test_a_domain_without_any_host_takes_no_mail() -> None:
    assert no_addresses(ABSENT, implicit=True).fault is Fault.NO_MAIL_HOST


def test_mx_records_that_lead_nowhere_are_no_reason_to_condemn() -> None:
    nowhere = [without(DnsStatus.NXDOMAIN, RecordType.A), *ABSENT]

    assert no_addresses(nowhere, implicit=False).fault is Fault.UNUSABLE_MX


@pytest.mark.parametrize("implicit", [True, False])
def test_half_an_answer_is_a_failure(implicit: bool) -> None:
    half = [ABSENT[0], without(DnsStatus.FAILURE, RecordType.AAAA)]

    assert no_addresses(half, implicit=implicit) == NoRoute(Fault.DNS_FAILURE, "SERVFAIL")


RECORDS = st.builds(
    Mx, st.integers(0, 3), st.sampled_from(["", "a.example", "b.example", "c.example"])
)


@pytest.mark.slow
@given(st.lists(RECORDS, min_size=1, max_size=8), st.integers(1, 4), st.floats(0, 1))
def test_any_records_give_a_bounded_ordered_route(
    records: list[Mx], most: int, number: float
) -> None:
    route = route_from_mx(DOMAIN, mx(*records), most, draws(number))

    if isinstance(route, NoRoute):
        assert {record.host for record in records} == {""}
        return
    assert 1 <= len(route.hosts) <= most
    assert list(route.hosts) == sorted(route.hosts, key=lambda record: record.preference)
    assert max(Counter(names(route)).values()) == 1
    assert set(route.hosts) <= set(records)
