"""Answers of the DNS."""

from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType


def test_a_failure_is_not_an_absence() -> None:
    assert [status.value for status in DnsStatus] == ["ok", "nodata", "nxdomain", "failure"]


def test_types_are_spelled_as_dns_spells_them() -> None:
    assert [kind.value for kind in RecordType] == [kind.name for kind in RecordType]


def test_an_answer_holds_nothing_that_was_not_said() -> None:
    answer = DnsAnswer("shop.example", RecordType.MX, DnsStatus.NXDOMAIN)

    assert (answer.mx, answer.texts) == ((), ())


def test_preferences_sort_hosts() -> None:
    records = [Mx(20, "b.example"), Mx(10, "c.example")]

    assert sorted(records, key=lambda record: record.preference)[0].host == "c.example"
