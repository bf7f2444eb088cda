"""Hosts that nobody calls: the real probe talks to what is known of them."""

import asyncio
from importlib.resources import files

import pytest

from ringback.lab import assumed
from ringback.lab.assumed import AssumedHosts, Mailboxes, Shown, Source, Standing
from ringback.lab.clock import HandClock
from ringback.rules.phrase_table import decode_table
from ringback.rules.plan import Plan
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ringback.values.endpoint import Endpoint, Patience
from ringback.values.evidence import Exchange, Fault, Stage
from ringback.values.settings import TlsPolicy
from ringback.wire.probe import Probe

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
ANN, CONTROL = "ann@shop.example", "nobody.here@shop.example"
THERE = Endpoint("mx.shop.example", "192.0.2.1", 25)


async def is_control(address: str) -> bool:
    return address == CONTROL


def converse(
    mailboxes: Mailboxes, *, plan: Plan | None = None, forbidden: str | None = None
) -> tuple[tuple[Exchange, ...], list[Endpoint], dict[Source, int]]:
    called: list[Endpoint] = []

    async def on_call(endpoint: Endpoint) -> None:
        called.append(endpoint)

    hosts = AssumedHosts(HandClock(), mailboxes, is_control, lambda _: forbidden, on_call)
    plan = plan or Plan(BOOK, ANN, control=CONTROL)
    probe = Probe(THERE, 1, "verify.example", TlsPolicy.NEVER, plan)
    asyncio.run(hosts.call(THERE, probe, Patience(20.0, 60.0)))
    return probe.transcript, called, dict(hosts.told)


def codes(said: tuple[Exchange, ...]) -> list[int | None]:
    return [one.code for one in said if one.stage in (Stage.RCPT, Stage.VRFY)]


@pytest.mark.parametrize(
    ("standing", "expected"),
    [(Standing.EXISTS, [250, 550]), (Standing.MISSING, [550]), (Standing.UNSAID, [451])],
)
def test_what_is_not_known_is_as_assumed(standing: Standing, expected: list[int]) -> None:
    said, called, told = converse(Mailboxes(standing))

    assert expected == codes(said)
    assert [THERE] == called
    assert {Source.ASSUMED: 1} == told
    assert [] == [one.fault for one in said if one.fault]


def test_what_is_known_goes_before_the_assumption_and_the_newer_before_the_older() -> None:
    def remembered(address: str) -> Shown | None:
        at = {"bob@shop.example": 8.0, "carl@shop.example": 6.0}.get(address)
        return Shown(Standing.EXISTS, at) if at else None

    mailboxes = Mailboxes(Standing.EXISTS, remembered)
    for name in ("ann@SHOP.example", "bob@shop.example", "carl@shop.example"):
        mailboxes.note(name, Shown(Standing.MISSING, 7.0))
    said, _, told = converse(mailboxes)

    assert [550] == codes(said)
    assert {Source.LOG: 1} == told
    assert (Standing.EXISTS, Source.STORE) == asyncio.run(mailboxes.find("bob@shop.example"))
    assert (Standing.MISSING, Source.LOG) == asyncio.run(mailboxes.find("carl@shop.example"))
    assert (Standing.EXISTS, Source.ASSUMED) == asyncio.run(mailboxes.find("No Address"))


def test_what_the_log_shows_is_bounded_and_the_last_word_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(assumed, "MAX_SHOWN", 1)
    mailboxes = Mailboxes(Standing.UNSAID)
    mailboxes.note(ANN, Shown(Standing.MISSING, 1.0))
    mailboxes.note(ANN, Shown(Standing.EXISTS, 2.0))
    mailboxes.note(ANN, Shown(Standing.EXISTS, 3.0))

    assert (Standing.EXISTS, Source.LOG) == asyncio.run(mailboxes.find(ANN))

    mailboxes.note("bob@shop.example", Shown(Standing.MISSING, 4.0))

    assert (Standing.UNSAID, Source.ASSUMED) == asyncio.run(mailboxes.find(ANN))


class Mx1:
    """A DNS by which example.com has no MX record, and any other domain mx1.example."""

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        hosts = () if name == "example.com" else (Mx(10, "MX1.example."),)
        return DnsAnswer(name, kind, DnsStatus.OK, mx=hosts)

    def ask_nowait(self, name: str, kind: RecordType) -> DnsAnswer | None:
        return None

    async def close(self) -> None: ...


@pytest.mark.parametrize(
    ("address", "relay", "expected"),
    [
        ("ann@shop.example", "mx1.example[192.0.2.1]:25", Source.LOG),  # Postfix
        ("ann@shop.example", "Mx1.example [192.0.2.1]", Source.LOG),  # Exim
        ("ann@shop.example", "mx1.example. [192.0.2.1]", Source.LOG),  # Sendmail
        ("ann@shop.example", "192.0.2.1 (mx1.example)", Source.LOG),  # OpenSMTPD
        ("ann@shop.example", "mx1.example.", Source.LOG),
        ("ann@example.com", "example.com[192.0.2.1]:25", Source.LOG),
        ("ann@shop.example", "shop.example[192.0.2.1]:25", Source.ASSUMED),
        ("ann@shop.example", "smart.isp.example[198.51.100.25]:587", Source.ASSUMED),
        ("ann@shop.example", "smtp.mx1.example[198.51.100.25]:587", Source.ASSUMED),
        ("ann@shop.example", "127.0.0.1[127.0.0.1]:10024", Source.ASSUMED),
    ],
)
def test_only_a_host_of_the_domain_shows_that_a_mailbox_exists(
    address: str, relay: str, expected: Source
) -> None:
    by_dns, without = (Mailboxes(Standing.UNSAID, resolver=it) for it in (Mx1(), None))
    for mailboxes in (by_dns, without):
        mailboxes.note(address, Shown(Standing.EXISTS, 1.0, relay))

    assert expected is asyncio.run(by_dns.find(address))[1]
    assert Source.ASSUMED is asyncio.run(without.find(address))[1]


def test_a_network_that_may_not_be_called_is_not_counted_as_called() -> None:
    said, called, _ = converse(Mailboxes(Standing.EXISTS), forbidden="private")

    assert [] == called
    assert Fault.FORBIDDEN_NETWORK is said[-1].fault


def test_vrfy_is_answered_as_most_hosts_do() -> None:
    plan = Plan(BOOK, ANN, vrfy=True)
    said, _, _ = converse(Mailboxes(Standing.EXISTS), plan=plan)

    assert [252] == codes(said)


def test_a_command_that_hosts_do_not_know_is_refused() -> None:
    async def ask() -> bytes:
        async def on_call(_: Endpoint) -> None: ...

        hosts = AssumedHosts(
            HandClock(), Mailboxes(Standing.EXISTS), is_control, lambda _: None, on_call
        )
        return await hosts._answer(b"STARTTLS")

    assert asyncio.run(ask()).startswith(b"502 ")
