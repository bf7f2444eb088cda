"""Recipients with a route, with fakes around the engine: who is asked, what is remembered, what stands in."""

import asyncio

import pytest

from fakes import NO_SUCH_USER, FakeHost, FakeOutside
from ringback.engine import flights as flights_module
from ringback.engine import logins
from ringback.engine.verifier import Verifier
from ringback.rules.actions import Kind, choose
from ringback.values.dns import DnsStatus, Mx, RecordType
from ringback.values.endpoint import Login
from ringback.values.events import Trouble
from ringback.values.evidence import Fault, Stage
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import (
    Budget,
    Etiquette,
    Identity,
    Method,
    Policy,
    Recipient,
    RecipientRoute,
    RouteProtocol,
    RouteTls,
    Smtp,
)
from ringback.values.verdict import Reason, Verdict

BEHIND = "10.0.0.1"
ROUTE = RecipientRoute("ours.example", (BEHIND,))
CLIENT = Client("198.51.100.7", helo="mail.shop.example")
HOUR_S = 3_600


def primary() -> FakeHost:
    return FakeHost(mailboxes={"bob@ours.example", "postmaster@ours.example"})


class Gateway:
    """A verifier with a route, and the host behind it."""

    def __init__(
        self,
        world: FakeOutside,
        route: RecipientRoute = ROUTE,
        before: Verifier | None = None,
        **sections: object,
    ) -> None:
        self.world, self.host = world, primary()
        world.dialer.hosts[BEHIND] = self.host
        recipient = Recipient(route=(route,))
        self.verifier: Verifier = world.verifier(before, recipient=recipient, **sections)

    async def ask(
        self, recipient: str, sender: str = "", *, fresh: bool = False, by_at: float | None = None
    ) -> Report:
        query = Query(
            recipient,
            Purpose.RECIPIENT,
            CLIENT,
            sender=sender,
            fresh=fresh,
            answer_by_at=by_at,
        )
        return await self.verifier.verify(query)

    def go_down(self) -> None:
        self.world.dialer.hosts[BEHIND] = Fault.REFUSED

    def come_back(self) -> None:
        self.world.dialer.hosts[BEHIND] = self.host


async def settle() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_the_host_behind_knows_its_recipients(world: FakeOutside) -> None:
    gateway = Gateway(world)

    there, not_there = await gateway.ask("bob@ours.example"), await gateway.ask("x@ours.example")
    await settle()

    assert Verdict.UNDELIVERABLE is not_there.verdict
    assert there.settled or there.verdict is Verdict.DELIVERABLE
    assert [BEHIND] * 2 == world.dialer.calls
    assert [] == world.resolver.asked
    assert Reason.ACCEPTED is (await gateway.ask("bob@ours.example")).reason


async def test_nobody_is_asked_for_a_recipient_without_a_route(world: FakeOutside) -> None:
    report = await Gateway(world).ask("bob@other.example")

    assert (Reason.NOT_ASKED, "no_route") == (report.reason, report.gate)
    assert [] == world.dialer.calls


async def test_neither_fitness_nor_budgets_nor_contact_stand_before_our_own_host(
    world: FakeOutside,
) -> None:
    world.fit = False
    identity = Identity(helo_name="verify.example.net")
    gateway = Gateway(world, identity=identity, budget=Budget(1, 1, 1, 1, 1, 1))

    reports = [await gateway.ask(f"x{number}@ours.example") for number in range(5)]

    assert {Reason.NO_SUCH_MAILBOX} == {report.reason for report in reports}


async def test_the_senders_own_address_goes_into_the_envelope(world: FakeOutside) -> None:
    gateway = Gateway(world)
    await gateway.ask("bob@ours.example", sender="ann@shop.example")
    await settle()

    assert "MAIL FROM:<ann@shop.example>" in gateway.host.heard


@pytest.mark.parametrize(
    ("configured", "said"),
    [("null", "<>"), ("probe@ours.example", "<probe@ours.example>")],
)
async def test_another_sender_can_be_configured(
    world: FakeOutside, configured: str, said: str
) -> None:
    gateway = Gateway(world, ROUTE.but(sender=configured))
    await gateway.ask("bob@ours.example", sender="ann@shop.example")

    assert f"MAIL FROM:{said}" in gateway.host.heard


async def test_vrfy_is_for_others(world: FakeOutside) -> None:
    gateway = Gateway(world, smtp=Smtp(method=Method.VRFY))

    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason
    assert ["x@ours.example"] == gateway.host.recipients


async def test_what_a_public_host_says_of_an_address_is_kept_apart(world: FakeOutside) -> None:
    gateway = Gateway(world)
    public = FakeHost(mailboxes={"old@ours.example"}, ehlo="250 mx")
    world.host("ours.example", public)

    as_sender = await gateway.verifier.verify("bob@ours.example")
    as_recipient = await gateway.ask("bob@ours.example")
    await settle()

    assert Reason.NO_SUCH_MAILBOX is as_sender.reason
    assert as_recipient.verdict is not Verdict.UNDELIVERABLE
    assert Reason.NO_SUCH_MAILBOX is (await gateway.verifier.verify("bob@ours.example")).reason
    assert Reason.ACCEPTED is (await gateway.ask("bob@ours.example")).reason


async def test_a_search_finds_both_and_forgetting_forgets_both(world: FakeOutside) -> None:
    gateway = Gateway(world)
    world.host("ours.example", FakeHost(ehlo="250 mx"))
    await gateway.verifier.verify("x@ours.example")
    await gateway.ask("x@ours.example")

    found = await world.store.search("x@ours.example", 10)

    assert {"x@ours.example", "to:x@ours.example"} == {entry.key for entry in found}
    assert 2 == await world.store.forget("x@ours.example")


# While the host behind is down.


async def test_what_is_known_answers_while_the_host_is_down(world: FakeOutside) -> None:
    gateway = Gateway(world)
    for recipient in ("bob@ours.example", "x@ours.example"):
        await gateway.ask(recipient)
    await settle()
    gateway.go_down()
    world.clock.advance(2 * HOUR_S)  # too old to be believed without asking

    there, not_there = await gateway.ask("bob@ours.example"), await gateway.ask("x@ours.example")

    assert (Reason.ACCEPTED, True) == (there.reason, there.from_cache)
    assert (Reason.NO_SUCH_MAILBOX, True) == (not_there.reason, not_there.from_cache)
    assert 4 == len(world.dialer.calls), "it was tried"


async def test_it_is_not_tried_for_every_mail(world: FakeOutside) -> None:
    gateway = Gateway(world)
    await gateway.ask("x@ours.example")
    gateway.go_down()
    world.clock.advance(2 * HOUR_S)
    await gateway.ask("x@ours.example")
    calls = len(world.dialer.calls)

    report = await gateway.ask("x@ours.example")

    assert Reason.NO_SUCH_MAILBOX is report.reason
    assert calls == len(world.dialer.calls)


async def test_a_new_recipient_waits_until_the_host_is_back_however_long(
    world: FakeOutside,
) -> None:
    gateway = Gateway(world)
    gateway.go_down()
    for _ in range(20):
        report = await gateway.ask("bob@ours.example")
        world.clock.advance(61)

        assert Reason.UNREACHABLE is report.reason
        assert report.retry_at is not None
    gateway.come_back()

    await gateway.ask("bob@ours.example")
    await settle()

    assert Reason.ACCEPTED is (await gateway.ask("bob@ours.example")).reason


async def test_what_is_known_answers_while_the_host_is_silent(world: FakeOutside) -> None:
    gateway = Gateway(world)
    await gateway.ask("x@ours.example")
    gateway.host.may_answer = asyncio.Event()
    world.clock.advance(2 * HOUR_S)

    report = await gateway.ask("x@ours.example", by_at=world.clock.now())
    unknown = await gateway.ask("y@ours.example", by_at=world.clock.now())

    assert Reason.NO_SUCH_MAILBOX is report.reason
    assert Reason.DEADLINE is unknown.reason
    gateway.host.may_answer.set()


async def test_who_asks_for_the_truth_gets_it(world: FakeOutside) -> None:
    gateway = Gateway(world)
    await gateway.ask("x@ours.example")
    gateway.go_down()

    assert Reason.UNREACHABLE is (await gateway.ask("x@ours.example", fresh=True)).reason


async def test_a_mailbox_that_was_made_meanwhile_takes_mail_within_minutes(
    world: FakeOutside,
) -> None:
    gateway = Gateway(world)
    await gateway.ask("new@ours.example")
    gateway.host.mailboxes.add("new@ours.example")
    world.clock.advance(301)

    report = await gateway.ask("new@ours.example")

    assert report.verdict is not Verdict.UNDELIVERABLE


async def test_a_mailbox_that_was_removed_is_put_off_and_then_refused(world: FakeOutside) -> None:
    gateway = Gateway(world)
    await gateway.ask("bob@ours.example")
    await settle()
    gateway.host.mailboxes.clear()
    world.clock.advance(HOUR_S + 1)
    first = await gateway.ask("bob@ours.example")
    again = await gateway.ask("bob@ours.example")
    world.clock.advance(HOUR_S + 1)

    assert (Reason.AMBIGUOUS_REPLY, False) == (first.reason, first.final)
    assert (Reason.AMBIGUOUS_REPLY, False) == (again.reason, again.final)
    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("bob@ours.example")).reason


# What the host behind may be like.


async def test_a_host_that_takes_any_recipient_is_found_out_and_answers_when_down(
    world: FakeOutside,
) -> None:
    gateway = Gateway(world)
    gateway.host.rcpt = lambda _: "250 Ok"
    await gateway.ask("bob@ours.example")
    await settle()
    gateway.go_down()

    report = await gateway.ask("somebody@ours.example")

    assert (Reason.ACCEPTS_ANY, True) == (report.reason, report.settled or report.final)


async def test_one_that_no_longer_takes_any_is_noticed_within_the_hour(world: FakeOutside) -> None:
    gateway = Gateway(world)
    gateway.host.rcpt = lambda _: "250 Ok"
    await gateway.ask("bob@ours.example")
    await settle()
    gateway.host.rcpt = None
    world.clock.advance(HOUR_S + 1)
    await gateway.ask("x@ours.example")
    await settle()

    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason


@pytest.mark.parametrize(
    "words", ["550 mailbox unavailable", "550 Unknown user", "550 5.1.1 no", "550 User unknown"]
)
async def test_its_word_on_its_own_mailboxes_needs_no_postmaster(
    world: FakeOutside, words: str
) -> None:
    gateway = Gateway(world)
    gateway.host.rcpt = lambda _: words

    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason
    assert ["x@ours.example"] == gateway.host.recipients


@pytest.mark.parametrize(
    "words",
    ["550 relay not permitted", "554 5.7.1 Client host blocked", "550 5.7.1 Relaying denied"],
)
async def test_what_it_says_of_us_is_no_word_on_a_mailbox(world: FakeOutside, words: str) -> None:
    gateway = Gateway(world)
    gateway.host.rcpt = lambda _: words

    assert Verdict.UNKNOWN is (await gateway.ask("x@ours.example")).verdict


async def test_what_it_says_of_one_sender_is_no_answer_for_another(world: FakeOutside) -> None:
    gateway = Gateway(world)
    gateway.host.mail = "550 5.1.8 Sender address rejected: Domain not found"
    refused = await gateway.ask("x@ours.example", sender="spam@nowhere.example")
    gateway.host.mail = "250 Ok"

    report = await gateway.ask("x@ours.example", sender="ann@shop.example")

    assert Verdict.UNKNOWN is refused.verdict
    assert Reason.NO_SUCH_MAILBOX is report.reason


async def test_two_senders_at_a_time_ask_each_for_itself(world: FakeOutside) -> None:
    gateway = Gateway(world)

    await asyncio.gather(
        gateway.ask("x@ours.example", sender="ann@shop.example"),
        gateway.ask("x@ours.example", sender="bob@shop.example"),
        gateway.ask("x@ours.example", sender="ann@shop.example"),
    )

    assert ["x@ours.example"] * 2 == gateway.host.recipients


async def test_a_host_that_greylists_one_recipient_does_not_stop_the_others(
    world: FakeOutside,
) -> None:
    gateway = Gateway(world)
    gateway.host.rcpt = lambda it: (
        "450 4.2.0 Greylisted" if it.startswith("grey@") else NO_SUCH_USER
    )
    grey = await gateway.ask("grey@ours.example")

    assert Reason.GREYLISTED is grey.reason
    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason


async def test_no_place_among_the_connections_is_a_matter_of_time(
    world: FakeOutside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flights_module, "MAX_FLIGHTS", 0)

    assert Reason.DEADLINE is (await Gateway(world).ask("x@ours.example")).reason


# How the host behind is found.


async def test_the_next_host_is_asked_where_one_is_down(world: FakeOutside) -> None:
    gateway = Gateway(world, ROUTE.but(host=("10.0.0.9", BEHIND)))
    world.dialer.hosts["10.0.0.9"] = Fault.TIMEOUT

    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason
    assert ["10.0.0.9", BEHIND] == world.dialer.calls


async def test_who_asks_after_the_route_was_changed_asks_its_new_host(world: FakeOutside) -> None:
    old = Gateway(world)
    old.host.ehlo, old.host.may_answer = "250 mx", asyncio.Event()  # it gets one command at a time
    first = asyncio.create_task(old.ask("x@ours.example"))
    await old.host.reached.wait()
    world.dialer.hosts["10.0.0.9"] = primary()
    recipient = Recipient(route=(ROUTE.but(host=("10.0.0.9",)),))
    new = world.verifier(old.verifier, recipient=recipient)

    report = await new.verify(Query("x@ours.example", Purpose.RECIPIENT, CLIENT))
    old.host.may_answer.set()
    await first

    assert Reason.NO_SUCH_MAILBOX is report.reason
    assert [BEHIND, "10.0.0.9"] == world.dialer.calls


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"port": 10026},
        {"protocol": RouteProtocol.LMTP},
        {"tls": RouteTls.NEVER},
        {"username": "gateway", "password_file": "/etc/ringback/password"},
    ],
)
async def test_who_asks_after_a_reload_asks_by_the_new_settings(
    world: FakeOutside, change: dict[str, object]
) -> None:
    old = Gateway(world)
    old.host.ehlo, old.host.may_answer = "250 mx", asyncio.Event()
    first = asyncio.create_task(old.ask("x@ours.example"))
    await old.host.reached.wait()
    world.logins = {"ours.example": Login("gateway", "mended")} if "username" in change else {}
    new = Gateway(world, ROUTE.but(**change), before=old.verifier)

    second = asyncio.create_task(new.ask("x@ours.example"))
    await settle()
    calls = list(world.dialer.calls)
    old.host.may_answer.set()
    await asyncio.gather(first, second)

    assert [BEHIND] * 2 == calls
    assert 0 == new.verifier.under_way


async def test_what_the_old_host_says_at_last_is_not_kept(world: FakeOutside) -> None:
    old = Gateway(world)
    old.host.ehlo, old.host.may_answer = "250 mx", asyncio.Event()
    old.host.mailboxes.clear()
    first = asyncio.create_task(old.ask("bob@ours.example"))
    await old.host.reached.wait()
    new = Gateway(world, before=old.verifier)
    old.verifier.retire_nowait()
    await new.ask("bob@ours.example")
    await settle()

    old.host.may_answer.set()
    said = await first
    await settle()

    assert Reason.NO_SUCH_MAILBOX is said.reason
    assert Reason.ACCEPTED is (await new.ask("bob@ours.example")).reason
    assert [BEHIND] * 2 == world.dialer.calls


async def test_a_name_is_looked_up_and_its_mx_is_not(world: FakeOutside) -> None:
    gateway = Gateway(world, ROUTE.but(host=("inside.example",)))
    world.resolver.say("inside.example", RecordType.A, BEHIND)

    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason
    assert RecordType.MX not in {kind for _, kind in world.resolver.asked}


async def test_an_mx_is_looked_up_where_the_route_says_so(world: FakeOutside) -> None:
    gateway = Gateway(world, ROUTE.but(host=("mx:inside.example",)))
    world.resolver.say_mx("inside.example", Mx(10, "a.inside.example"))
    world.resolver.say("a.inside.example", RecordType.A, BEHIND)

    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason


@pytest.mark.parametrize("host", ["nowhere.example", "mx:nowhere.example"])
async def test_a_host_that_the_dns_does_not_know_says_nothing_of_the_mailbox(
    world: FakeOutside, host: str
) -> None:
    gateway = Gateway(world, ROUTE.but(host=(host,)))
    world.resolver.fail("nowhere.example", RecordType.MX, DnsStatus.NXDOMAIN)

    report = await gateway.ask("x@ours.example")

    assert Verdict.UNKNOWN is report.verdict
    assert report.retry_at is not None


async def test_a_route_to_a_door_of_our_own_is_not_taken(world: FakeOutside) -> None:
    route = ROUTE.but(host=("127.0.0.1",), port=10040)
    gateway = Gateway(world, route, policy=Policy(listen=("127.0.0.1:10040",)))

    report = await gateway.ask("x@ours.example")

    assert Reason.UNREACHABLE is report.reason
    assert [] == world.dialer.calls


# How it is spoken to.


async def test_lmtp_begins_with_lhlo(world: FakeOutside) -> None:
    gateway = Gateway(world, ROUTE.but(protocol=RouteProtocol.LMTP, port=24))

    assert Reason.NO_SUCH_MAILBOX is (await gateway.ask("x@ours.example")).reason
    assert "LHLO verify.example.net" == gateway.host.heard[0]


async def test_tls_that_is_required_and_not_offered_leaves_the_question_open(
    world: FakeOutside,
) -> None:
    gateway = Gateway(world, ROUTE.but(tls=RouteTls.REQUIRED))

    report = await gateway.ask("x@ours.example")

    assert Reason.TLS_REQUIRED is report.reason
    assert [] == gateway.host.recipients


async def test_tls_that_fails_is_not_followed_by_a_question_in_clear(world: FakeOutside) -> None:
    gateway = Gateway(world, ROUTE.but(tls=RouteTls.REQUIRED))
    gateway.host.ehlo, gateway.host.handshake = "250-mx\n250 STARTTLS", Fault.TLS_FAILED

    for recipient in ("x@ours.example", "y@ours.example"):
        assert Reason.TLS_REQUIRED is (await gateway.ask(recipient)).reason
    await settle()

    assert [] == gateway.host.recipients
    (trouble,) = [event for event in world.events if isinstance(event, Trouble)]
    assert ("route", True) == (trouble.where, BEHIND in trouble.what)


async def test_without_tls_the_operator_is_told_once_a_spell(world: FakeOutside) -> None:
    gateway = Gateway(world, ROUTE.but(tls=RouteTls.REQUIRED))
    gateway.host.ehlo = "250-mx\n250 STARTTLS"
    told = []
    for handshake in (Fault.TLS_FAILED, Fault.TLS_FAILED, None, Fault.TLS_FAILED):
        gateway.host.handshake = handshake
        await gateway.ask("bob@ours.example", fresh=True)
        await settle()
        told.append(sum(isinstance(event, Trouble) for event in world.events))

    assert [1, 1, 1, 2] == told


async def test_a_login_that_is_refused_is_the_operators_business(world: FakeOutside) -> None:
    route = ROUTE.but(username="ringback", password_file="/etc/ringback/password")
    world.logins = {"ours.example": Login("ringback", "s3cret")}
    gateway = Gateway(world, route)
    gateway.host.ehlo = "250-mx\n250-STARTTLS\n250 AUTH PLAIN"

    report = await gateway.ask("x@ours.example")
    await settle()

    (auth,) = [said for said in report.evidence if said.stage is Stage.AUTH]
    assert (Reason.POLICY_REFUSAL, "AUTH PLAIN (secret)") == (report.reason, auth.command)
    assert "s3cret" not in repr(report)
    (trouble,) = [event for event in world.events if isinstance(event, Trouble)]
    assert "does not let us in" in trouble.what


async def test_a_wrong_password_is_not_repeated_for_each_recipient(world: FakeOutside) -> None:
    route = ROUTE.but(username="ringback", password_file="/etc/ringback/password")
    world.logins = {"ours.example": Login("ringback", "wrong")}
    gateway = Gateway(world, route)
    gateway.host.ehlo = "250-mx\n250-STARTTLS\n250 AUTH PLAIN"

    first = await gateway.ask("x@ours.example")
    others = [await gateway.ask(f"{name}@ours.example") for name in "yz"]
    await settle()
    at_once = len(world.dialer.calls)
    world.clock.advance(logins.REST_S)
    await gateway.ask("v@ours.example")
    await settle()

    assert [first.reason] * 2 == [report.reason for report in others]
    assert (1, 2) == (at_once, len(world.dialer.calls))
    assert 2 == len([event for event in world.events if isinstance(event, Trouble)])
    for report in (first, *others):
        assert Kind.DEFER is choose(report, Purpose.RECIPIENT, Etiquette()).kind


async def test_a_login_is_tried_again_after_its_rest_and_after_a_reload(world: FakeOutside) -> None:
    route = ROUTE.but(username="ringback", password_file="/etc/ringback/password")
    world.logins = {"ours.example": Login("ringback", "s3cret")}
    gateway = Gateway(world, route)
    gateway.host.ehlo = "250-mx\n250-STARTTLS\n250 AUTH PLAIN"
    await gateway.ask("x@ours.example")

    gateway.host.auth = "235 2.7.0 Welcome"
    reloaded = Gateway(world, route)
    world.dialer.hosts[BEHIND] = gateway.host
    await gateway.ask("x@ours.example")
    await reloaded.ask("y@ours.example")
    world.clock.advance(logins.REST_S)
    await gateway.ask("x@ours.example")
    await settle()

    assert ["y@ours.example", "x@ours.example"] == gateway.host.recipients
