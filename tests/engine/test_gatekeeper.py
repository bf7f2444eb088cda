"""The gates, in their order, through the one use case that every door calls."""

import asyncio

import pytest

from fakes import FakeHost, FakeOutside
from ringback.engine.asker import MAX_QUESTIONS
from ringback.values.dns import DnsStatus, Mx, RecordType
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import Budget, Bulk, CallWhen, DeferOrAccept, Etiquette
from ringback.values.verdict import Reason, Verdict

CLIENT = Client("198.51.100.7", helo="mail.sender.example")
RETRIED = Etiquette(call_when=CallWhen.RETRIED)
ALIGNED = Etiquette(call_when=CallWhen.ALIGNED)
# Room for all but refused recipients.
ROOMY = Budget(per_host=1_000, per_domain=1_000)


def mail(sender: str = "ann@shop.example", client: Client | None = CLIENT) -> Query:
    return Query(sender, Purpose.SENDER, client, "bob@ours.example")


def stopped(report: Report) -> tuple[Reason, str]:
    return report.reason, report.gate


def shop(world: FakeOutside) -> FakeHost:
    host = FakeHost(mailboxes={"ann@shop.example"})
    world.host("shop.example", host)
    return host


async def test_a_first_contact_is_put_off_and_called_when_it_comes_back(world: FakeOutside) -> None:
    host, verifier = shop(world), world.verifier(etiquette=RETRIED)
    first = await verifier.verify(mail())
    soon = await verifier.verify(mail())
    calls_before = list(host.heard)
    world.clock.at += 60
    back = await verifier.verify(mail())

    assert stopped(first) == stopped(soon) == (Reason.NOT_ASKED, "retried")
    assert first.rule.startswith("not called: retried (a first contact: SPF none; ")
    assert (first.final, first.retry_at) == (False, world.clock.at)
    assert calls_before == []
    assert back.settled or back.verdict is Verdict.DELIVERABLE


async def test_a_client_that_the_domain_vouches_for_is_called_at_once(world: FakeOutside) -> None:
    shop(world)
    world.resolver.say("shop.example", RecordType.TXT, "v=spf1 ip4:198.51.100.7 -all")
    report = await world.verifier(etiquette=RETRIED).verify(mail())

    assert world.dialer.calls == ["192.0.2.1"]
    # MX and SPF by the gates; by the callout four for an opt-out, MX, A and AAAA, one of them twice.
    assert len(world.resolver.asked) == report.questions == 8


async def test_whom_the_domain_disowns_is_put_off_once_and_never_called(world: FakeOutside) -> None:
    shop(world)
    world.resolver.say("shop.example", RecordType.TXT, "v=spf1 -all")
    verifier = world.verifier(etiquette=RETRIED)
    first = await verifier.verify(mail())
    world.clock.at += 60
    back = await verifier.verify(mail())

    assert (stopped(first), stopped(back)) == (
        (Reason.NOT_ASKED, "retried"),
        (Reason.NOT_ASKED, "spf_fail"),
    )
    assert back.final
    assert world.dialer.calls == []


async def test_a_null_mx_beside_another_opens_no_gate(world: FakeOutside) -> None:
    victim = FakeHost()
    world.host("victim.example", victim)
    world.resolver.say_mx("shop.example", Mx(0, ""), Mx(10, "mx1.victim.example"))
    report = await world.verifier(etiquette=RETRIED).verify(mail())

    assert stopped(report) == (Reason.NOT_ASKED, "retried")
    assert victim.heard == []


@pytest.mark.parametrize(
    ("etiquette", "puts_off"),
    [
        (RETRIED, False),
        (Etiquette(call_when=CallWhen.RETRIED, on_first_contact=DeferOrAccept.ACCEPT), True),
    ],
)
async def test_where_nobody_is_told_to_come_back_nobody_is_remembered_or_called(
    world: FakeOutside, etiquette: Etiquette, puts_off: bool
) -> None:
    shop(world)
    verifier = world.verifier(etiquette=etiquette)
    query = mail().but(puts_off=puts_off)
    reports = []
    for _ in range(2):
        reports.append(await verifier.verify(query))
        world.clock.advance(600)

    assert [stopped(report) for report in reports] == [(Reason.NOT_ASKED, "retried")] * 2
    assert [report.final for report in reports] == [True, True]
    assert await world.store.load_acquaintance("198.51.100.0/24") is None
    assert world.dialer.calls == []


async def test_with_aligned_nobody_is_put_off_and_a_stranger_not_called(world: FakeOutside) -> None:
    shop(world)
    report = await world.verifier(etiquette=ALIGNED).verify(mail())

    assert stopped(report) == (Reason.NOT_ASKED, "unaligned")
    assert report.final
    assert world.dialer.calls == []


async def test_with_always_no_question_is_asked_about_the_client(world: FakeOutside) -> None:
    shop(world)
    report = await world.verifier().verify(mail())

    assert world.dialer.calls == ["192.0.2.1"]
    assert world.resolver.asked[0] == ("shop.example", RecordType.MX)  # is there anybody to call?
    assert report.questions == 7  # that, and the callout's


async def test_a_listed_client_is_not_called_for_in_any_mode(world: FakeOutside) -> None:
    shop(world)
    world.resolver.say("7.100.51.198.bl.example", RecordType.A, "127.0.0.2")
    etiquette = Etiquette(call_when=CallWhen.ALWAYS, dnsbl=("bl.example",))
    report = await world.verifier(etiquette=etiquette).verify(mail())

    assert stopped(report) == (Reason.NOT_ASKED, "dnsbl")
    assert world.dialer.calls == []


async def test_a_domain_that_does_not_exist_is_refused_without_waiting(world: FakeOutside) -> None:
    report = await world.verifier(etiquette=RETRIED).verify(mail("ann@nowhere.example"))

    assert report.reason is Reason.NO_SUCH_DOMAIN


async def test_an_operator_is_not_put_off(world: FakeOutside) -> None:
    shop(world)
    report = await world.verifier(etiquette=RETRIED).verify(mail(client=None))

    assert report.reason is Reason.ACCEPTED


async def test_an_unfit_identity_calls_nobody_whoever_asks(world: FakeOutside) -> None:
    shop(world)
    world.fit = False
    verifier = world.verifier()

    for query in (mail(), mail(client=None)):
        assert stopped(await verifier.verify(query)) == (Reason.IDENTITY_UNFIT, "identity")
    assert world.dialer.calls == []


async def test_a_list_is_not_asked_about_without_consent(world: FakeOutside) -> None:
    shop(world)
    query = Query("ann@shop.example", Purpose.BULK)

    refused = await world.verifier().verify(query)
    allowed = await world.verifier(bulk=Bulk(consent=True)).verify(query)

    assert stopped(refused) == (Reason.NOT_ASKED, "no_consent")
    assert allowed.reason is Reason.ACCEPTED


async def test_a_domain_that_strangers_forge_is_called_only_for_those_it_vouches_for(
    world: FakeOutside,
) -> None:
    shop(world)
    world.resolver.say("shop.example", RecordType.TXT, "v=spf1 ip4:203.0.113.5 ?all")
    verifier = world.verifier(budget=ROOMY)
    reports = [await verifier.verify(mail(f"made.up{number}@shop.example")) for number in range(7)]
    vouched = Client("203.0.113.5")
    world.clock.advance(3_600)  # the host's own budget of refusals has room again

    assert [report.reason for report in reports[:5]] == [Reason.NO_SUCH_MAILBOX] * 5
    assert stopped(reports[5]) == stopped(reports[6]) == (Reason.OVER_BUDGET, "forged_domain")
    assert stopped(await verifier.verify(mail("other@shop.example"))) == (
        Reason.OVER_BUDGET,
        "forged_domain",
    )
    honest = await verifier.verify(mail("ann@shop.example", vouched))
    assert honest.settled or honest.verdict is Verdict.DELIVERABLE


async def test_a_host_whose_domains_are_forged_is_spared_the_strangers_of_all_of_them(
    world: FakeOutside,
) -> None:
    host = shop(world)
    for number in range(8):
        world.resolver.say_mx(f"shop{number}.example", Mx(10, "mx1.shop.example"))
    verifier = world.verifier(budget=ROOMY)
    reasons = [(await verifier.verify(mail(f"no@shop{n}.example"))).reason for n in range(8)]

    assert reasons == [Reason.NO_SUCH_MAILBOX] * 5 + [Reason.OVER_BUDGET] * 3
    assert len(host.recipients) == 5


async def test_one_stranger_who_came_back_too_often_in_vain_is_stopped(world: FakeOutside) -> None:
    shop(world)
    verifier = world.verifier(etiquette=RETRIED, budget=ROOMY)
    for number in range(7):
        await verifier.verify(mail(f"made.up{number}@shop.example"))
    world.clock.advance(60)
    reports = [await verifier.verify(mail(f"made.up{number}@shop.example")) for number in range(7)]

    assert [report.reason for report in reports] == [Reason.NO_SUCH_MAILBOX] * 5 + [
        Reason.OVER_BUDGET
    ] * 2


async def test_a_cached_verdict_needs_no_gate(world: FakeOutside) -> None:
    shop(world)
    verifier = world.verifier(etiquette=RETRIED)
    await verifier.verify("nobody@shop.example")
    asked = len(world.resolver.asked)
    report = await verifier.verify(mail("nobody@shop.example"))

    assert report.reason is Reason.NO_SUCH_MAILBOX
    assert len(world.resolver.asked) == asked


async def test_a_dns_that_takes_too_long_holds_no_mail_up(world: FakeOutside) -> None:
    shop(world)
    query = Query(
        "ann@shop.example", Purpose.SENDER, CLIENT, "bob@ours.example", answer_by_at=world.clock.at
    )
    report = await world.verifier(etiquette=RETRIED).verify(query)

    assert (report.reason, report.rule) == (
        Reason.DEADLINE,
        "the DNS did not say in time who may be called",
    )


async def test_a_flood_of_first_contacts_is_let_through_uncalled(world: FakeOutside) -> None:
    shop(world)
    verifier = world.verifier(etiquette=RETRIED)
    gates = []
    for number in range(502):
        gates.append((await verifier.verify(mail(f"ann{number}@shop.example"))).gate)

    assert gates == ["retried"] * 500 + ["crowded"] * 2
    assert world.dialer.calls == []


async def test_questions_about_one_mail_have_an_end(world: FakeOutside) -> None:
    shop(world)
    lists = tuple(f"bl{number}.example" for number in range(64))
    etiquette = Etiquette(call_when=CallWhen.RETRIED, dnsbl=lists)
    report = await world.verifier(etiquette=etiquette).verify(mail())

    assert report.questions == MAX_QUESTIONS
    assert stopped(report) == (Reason.NOT_ASKED, "retried")


async def test_two_who_were_let_in_at_the_same_time_share_one_call(world: FakeOutside) -> None:
    shop(world)
    world.resolver.say("shop.example", RecordType.TXT, "v=spf1 ip4:198.51.100.7 -all")
    verifier = world.verifier(etiquette=RETRIED)
    await asyncio.gather(*(verifier.verify(mail()) for _ in range(4)))

    assert world.dialer.calls == ["192.0.2.1"]


async def test_a_failing_dns_of_the_sender_is_no_alignment(world: FakeOutside) -> None:
    shop(world)
    world.resolver.fail("shop.example", RecordType.TXT, DnsStatus.FAILURE)
    report = await world.verifier(etiquette=ALIGNED).verify(mail())

    assert stopped(report) == (Reason.NOT_ASKED, "unaligned")
