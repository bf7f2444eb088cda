"""Block lists: what is asked of them, and which of their answers is a listing."""

import pytest

from ringback.rules.dnsbl import MAX_CODES, Listing, ask_list
from ringback.values.dns import DnsAnswer, DnsStatus, Question, RecordType

ZONE = "bl.example"


def listing(ip: str, status: DnsStatus, *texts: str, detail: str = "") -> Listing:
    """What comes of one answer."""
    machine = ask_list(ZONE, ip)
    question = next(machine)
    with pytest.raises(StopIteration) as ended:
        machine.send(DnsAnswer(question.name, question.kind, status, texts=texts, detail=detail))
    found: Listing = ended.value.value
    return found


@pytest.mark.parametrize(
    ("ip", "labels"),
    [
        ("192.0.2.99", "99.2.0.192"),
        ("::ffff:192.0.2.99", "99.2.0.192"),
        ("2001:db8::7", "7" + 20 * ".0" + ".0.0.0.8.b.d.0.1.0.0.2"),
    ],
)
def test_the_address_is_asked_for_backwards(ip: str, labels: str) -> None:
    assert Question(f"{labels}.{ZONE}", RecordType.A) == next(ask_list(ZONE, ip))


@pytest.mark.parametrize("status", [DnsStatus.NXDOMAIN, DnsStatus.NODATA])
def test_what_the_list_does_not_know_is_not_listed(status: DnsStatus) -> None:
    found = listing("192.0.2.99", status)

    assert Listing() == found
    assert not found.is_listed


def test_an_answer_within_the_first_network_is_a_listing() -> None:
    found = listing("192.0.2.99", DnsStatus.OK, "127.0.0.2", "127.0.0.255")

    assert found.is_listed
    assert ("127.0.0.2", "127.0.0.255") == found.codes


@pytest.mark.parametrize(
    "text", ["127.255.255.254", "127.0.1.2", "198.51.100.80", "not an address"]
)
def test_any_other_answer_is_an_error_of_the_list(text: str) -> None:
    found = listing("192.0.2.99", DnsStatus.OK, text)

    assert not found.is_listed
    assert f"it answers {text}, which is no listing" == found.error


def test_no_answer_is_no_listing() -> None:
    silent = listing("192.0.2.99", DnsStatus.FAILURE)
    failed = listing("192.0.2.99", DnsStatus.FAILURE, detail="SERVFAIL")

    assert (False, "no answer") == (silent.is_listed, silent.failure)
    assert (False, "SERVFAIL") == (failed.is_listed, failed.failure)


def test_what_is_no_address_is_not_asked_for() -> None:
    with pytest.raises(StopIteration) as ended:
        next(ask_list(ZONE, "unknown"))

    assert Listing(error="not an IP address") == ended.value.value


def test_a_talkative_list_is_cut_short() -> None:
    codes = [f"127.0.0.{number}" for number in range(2, 40)]

    assert MAX_CODES == len(listing("192.0.2.99", DnsStatus.OK, *codes).codes)
