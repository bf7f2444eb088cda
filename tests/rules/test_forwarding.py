"""Call-forward's own rules: which route, which keys, which words, which ages."""

from typing import Any

import pytest

from ringback.rules.forwarding import (
    Routes,
    ages_of_recipients,
    breakers_of,
    is_address,
    is_answer,
    is_kept,
    is_of_host,
    is_of_sender,
    kept_of,
    key_of,
    leads_to_us,
    listeners_of,
    manner_of,
    parse_key,
    sender_for,
    stands_in,
    subject_of,
    tls_of,
)
from ringback.rules.freshness import Entry
from ringback.rules.lessons import Lessons
from ringback.values.address import parse_address
from ringback.values.endpoint import Endpoint, Login
from ringback.values.evidence import Exchange, Meaning, Stage
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.query import Purpose, Query
from ringback.values.settings import (
    Cache,
    Http,
    Milter,
    Policy,
    RecipientRoute,
    RouteTls,
    Settings,
    Socketmap,
    TlsPolicy,
)
from ringback.values.verdict import Conclusion, Reason, Verdict

BOB = parse_address("bob@ours.example")
LOGIN = Login("gateway", "s3cret")


def route(domain: str = "ours.example", **more: Any) -> RecipientRoute:
    return RecipientRoute(domain, ("10.0.0.1",)).but(**more)


def entry(reason: Reason = Reason.ACCEPTED, doubted_at: float | None = None) -> Entry:
    return Entry("to:bob@ours.example", reason, True, "", 0.0, 100.0, doubted_at=doubted_at)


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("ours.example", "ours.example"),
        ("x.ours.example", ".ours.example"),
        ("sub.ours.example", ".sub.ours.example"),
        ("deep.sub.ours.example", ".sub.ours.example"),
        ("sub.other.example", "*"),
    ],
)
def test_the_longest_route_that_fits_counts(domain: str, found: str) -> None:
    names = ("*", ".ours.example", ".sub.ours.example", "ours.example")
    chosen = Routes.of([route(name) for name in names]).find(domain)

    assert chosen
    assert found == chosen.domain


@pytest.mark.parametrize(
    ("recipient", "has"),
    [
        ("bob@OURS.example", True),
        ("bob@other.example", False),
        ("b..b@ours.example", False),
        ("", False),
    ],
)
def test_only_what_can_be_asked_is_forwarded(recipient: str, has: bool) -> None:
    assert has is Routes.of([route()]).has(recipient)
    assert not Routes.of([]).has(recipient)


def test_what_is_kept_of_a_recipient_is_kept_apart() -> None:
    assert "to:bob@ours.example" == key_of(BOB, Purpose.RECIPIENT)
    assert "bob@ours.example" == key_of(BOB, Purpose.SENDER) == key_of(BOB, Purpose.BULK)
    assert "to:ours.example" == subject_of("ours.example", Purpose.RECIPIENT)
    assert "ours.example" == subject_of("ours.example", Purpose.SENDER)
    assert ("bob@ours.example", Purpose.RECIPIENT) == parse_key("to:bob@ours.example")
    assert ("bob@ours.example", Purpose.SENDER) == parse_key("bob@ours.example")


@pytest.mark.parametrize(
    ("configured", "sender", "said"),
    [
        ("null", "ann@shop.example", ""),
        ("probe@ours.example", "ann@shop.example", "probe@ours.example"),
        ("envelope", "ann@SHOP.example", "ann@shop.example"),
        ("envelope", "", ""),
        ("envelope", f"{'a' * 600}@shop.example", ""),
        ("envelope", "änn@shop.example", ""),
    ],
)
def test_the_sender_of_a_callout(configured: str, sender: str, said: str) -> None:
    asked = Query("bob@ours.example", Purpose.RECIPIENT, sender=sender)

    assert said == sender_for(route(sender=configured), asked, BOB)


def test_beyond_ascii_a_sender_does_no_harm_where_the_recipient_is_too() -> None:
    query = Query("böb@ours.example", Purpose.RECIPIENT, sender="änn@shop.example")

    assert "änn@shop.example" == sender_for(route(), query, parse_address("böb@ours.example"))


@pytest.mark.parametrize(
    ("tls", "ip", "login", "secret"),
    [
        (RouteTls.WHEN_OFFERED, "10.0.0.1", None, False),
        (RouteTls.REQUIRED, "127.0.0.1", None, True),
        (RouteTls.VERIFIED, "10.0.0.1", None, True),
        (RouteTls.WHEN_OFFERED, "10.0.0.1", LOGIN, True),
        (RouteTls.WHEN_OFFERED, "127.0.0.1", LOGIN, False),
        (RouteTls.WHEN_OFFERED, "unix:/run/lmtp", LOGIN, False),
    ],
)
def test_a_password_leaves_this_machine_through_tls_only(
    tls: RouteTls, ip: str, login: Login | None, secret: bool
) -> None:
    manner = manner_of(route(tls=tls), Endpoint("mx", ip, 25), login)

    assert (secret, login) == (manner.secret, manner.login)


def test_tls_is_begun_where_it_is_offered_unless_it_is_unwanted() -> None:
    assert TlsPolicy.NEVER is tls_of(route(tls=RouteTls.NEVER))
    assert TlsPolicy.OPPORTUNISTIC is tls_of(route())


@pytest.mark.parametrize(
    ("host", "known"), [("10.0.0.1", True), ("::1", True), ("unix:/a", True), ("a.example", False)]
)
def test_which_hosts_need_no_dns(host: str, known: bool) -> None:
    assert known is is_address(host)


@pytest.mark.parametrize(
    ("ip", "port", "ours"),
    [
        ("127.0.0.1", 10040, True),
        ("127.0.0.1", 25, False),
        ("127.0.0.2", 10040, False),
        ("127.0.0.9", 10025, True),
        ("10.0.0.1", 10025, False),
        ("unix:/run/ringback/map", 0, True),
        ("unix:/run/lmtp", 0, False),
        ("127.0.0.1", 8025, True),
    ],
)
def test_a_door_of_ours_is_known_wherever_it_is_met(ip: str, port: int, ours: bool) -> None:
    settings = Settings(
        policy=Policy(listen=("127.0.0.1:10040",)),
        milter=Milter(listen=("0.0.0.0:10025",)),
        socketmap=Socketmap(listen=("unix:/run//ringback/map",)),
        http=Http(listen="localhost:8025"),
    )

    assert ours is leads_to_us(Endpoint("mx", ip, port, ours=True), listeners_of(settings))


def test_no_http_is_no_listener() -> None:
    assert ("127.0.0.1:10040",) == listeners_of(Settings(http=Http(listen="")))


@pytest.mark.parametrize(
    ("stage", "meaning", "kept"),
    [
        (Stage.RCPT, Meaning.UNKNOWN_USER, True),
        (Stage.RCPT, Meaning.SENDER_REJECTED, False),
        (Stage.RCPT, Meaning.NULL_SENDER_REFUSED, False),
        (Stage.MAIL, Meaning.CONTENT_OR_POLICY, False),
        (Stage.AUTH, Meaning.AUTH_REQUIRED, False),
        (Stage.GREETING, Meaning.CLIENT_BLOCKED, True),
    ],
)
def test_what_is_said_of_one_sender_or_of_our_login_is_not_kept_for_the_next(
    stage: Stage, meaning: Meaning, kept: bool
) -> None:
    because = Exchange(0.0, stage, code=550, meaning=meaning)

    assert kept is is_kept(Conclusion(Reason.REFUSES_US, True, "", because))
    assert is_kept(Conclusion(Reason.UNREACHABLE, False, ""))
    if is_of_sender(because):
        assert not kept


def test_only_a_permanent_word_on_the_recipient_is_todays_answer() -> None:
    def said(stage: Stage, code: int, meaning: Meaning = Meaning.UNCLEAR) -> Exchange:
        return Exchange(0.0, stage, code=code, meaning=meaning)

    assert is_answer(said(Stage.RCPT, 550))
    assert not is_answer(said(Stage.RCPT, 450))
    assert not is_answer(said(Stage.GREETING, 554))
    assert not is_answer(said(Stage.RCPT, 550, Meaning.SENDER_REJECTED))


def test_facts_that_an_operators_mistake_would_leave_are_not_kept() -> None:
    facts = tuple(Fact("to:ours.example", kind, 0.0, 1.0) for kind in DomainFact)

    assert {DomainFact.ACCEPTS_ANY, DomainFact.SELECTIVE} == {
        fact.kind for fact in kept_of(Lessons(facts)).learned
    }


@pytest.mark.parametrize(
    ("stage", "meaning", "of_host"),
    [
        (Stage.MAIL, Meaning.CLIENT_BLOCKED, True),
        (Stage.MAIL, Meaning.SENDER_REJECTED, False),
        (Stage.MAIL, Meaning.UNCLEAR, False),
        (Stage.AUTH, Meaning.AUTH_REQUIRED, False),
        (Stage.RCPT, Meaning.UNCLEAR, True),
    ],
)
def test_what_may_be_of_one_mail_or_of_our_settings_is_not_of_the_host(
    stage: Stage, meaning: Meaning, of_host: bool
) -> None:
    assert of_host is is_of_host(Exchange(0.0, stage, 1, code=550, meaning=meaning))


def test_of_our_own_host_only_a_refusal_of_us_counts() -> None:
    facts = [Fact("10.0.0.1", kind, 0.0, 1.0) for kind in HostFact]

    counting = {HostFact.REFUSES_US, HostFact.REFUSES_SOME, HostFact.NO_CONTRAST}
    assert counting == {it.kind for it in breakers_of(facts)}


@pytest.mark.parametrize(
    ("kept", "now", "stands"),
    [
        (entry(), 99.0, True),
        (entry(Reason.NO_SUCH_MAILBOX), 99.0, True),
        (entry(), 100.0, False),
        (entry(doubted_at=1.0), 99.0, False),
        (entry(Reason.UNREACHABLE), 99.0, False),
    ],
)
def test_what_stands_in_for_a_host_that_is_down(kept: Entry, now: float, stands: bool) -> None:
    assert stands is stands_in(kept, now)


def test_recipients_have_ages_of_their_own() -> None:
    cache = Cache()

    assert {
        Verdict.DELIVERABLE: cache.recipient_deliverable,
        Verdict.UNDELIVERABLE: cache.recipient_undeliverable,
        Verdict.UNKNOWN: cache.unknown,
    } == dict(ages_of_recipients(cache))
