"""The one use case, with fakes around it: what is asked, who shares it, what is remembered."""

import asyncio
from sys import getrefcount

import pytest

from fakes import START, FakeHost, FakeOutside
from ringback.engine.timekeeper import Due, Timekeeper
from ringback.engine.verifier import Verifier, Waiting
from ringback.errors import StoreError
from ringback.rules.conclude import conclude
from ringback.rules.freshness import SECOND_REFUSAL_AFTER_S, Entry
from ringback.values.address import parse_address
from ringback.values.dns import DnsAnswer, DnsStatus, RecordType
from ringback.values.events import Trouble
from ringback.values.evidence import Fault, Meaning
from ringback.values.query import Client, Purpose, Query, Report
from ringback.values.settings import (
    Budget,
    Bulk,
    CallWhen,
    Etiquette,
    Identity,
    Method,
    Settings,
    Smtp,
)
from ringback.values.verdict import Reason, Verdict

HOUR_S, DAY_S = 3_600, 86_400
CLIENT = Client("198.51.100.7")


def shop() -> FakeHost:
    return FakeHost(mailboxes={"ann@shop.example", "bob@shop.example"}, ehlo="250 mx")


async def asking_for_ann(
    world: FakeOutside,
) -> tuple[Verifier, asyncio.Event, asyncio.Task[Report]]:
    """A question whose callout is under way, and whose host answers when it may."""
    host, may_answer = shop(), asyncio.Event()
    host.may_answer = may_answer
    world.host("shop.example", host)
    verifier = world.verifier()
    asking = asyncio.create_task(verifier.verify("ann@shop.example"))
    await host.reached.wait()
    return verifier, may_answer, asking


async def test_a_mailbox_is_deliverable_where_the_control_is_refused(world: FakeOutside) -> None:
    host = shop()
    world.host("shop.example", host)

    report = await world.verifier().verify("ann@shop.example")

    assert (Verdict.DELIVERABLE, Reason.ACCEPTED) == (report.verdict, report.reason)
    assert 1 == report.callouts
    address, control = host.recipients
    assert "ann@shop.example" == address
    assert control.endswith("@shop.example")


async def test_a_mailbox_that_is_refused_is_undeliverable_without_a_control(
    world: FakeOutside,
) -> None:
    host = shop()
    world.host("shop.example", host)

    report = await world.verifier().verify("made.up@shop.example")

    assert Reason.NO_SUCH_MAILBOX == report.reason
    assert ["made.up@shop.example"] == host.recipients


async def test_callouts_under_way_are_there_to_be_seen(world: FakeOutside) -> None:
    verifier, may_answer, asking = await asking_for_ann(world)
    shown = verifier.progress_nowait(9)
    may_answer.set()
    await asking

    assert ["mx1.shop.example"] == [one.host for one in shown]
    assert (1, ()) == (len(shown), verifier.progress_nowait(9))


async def test_who_gave_up_may_wait_for_the_conclusion(world: FakeOutside) -> None:
    verifier, may_answer, asking = await asking_for_ann(world)
    concluded = verifier.concluded_nowait("ann@SHOP.example")
    nobody = [verifier.concluded_nowait(other) for other in ("bob@shop.example", "no address")]
    may_answer.set()
    report = await asking

    assert concluded and Reason.ACCEPTED == (await concluded).reason == report.reason
    assert [None, None] == nobody


async def test_a_second_question_is_answered_from_the_store_with_the_evidence(
    world: FakeOutside,
) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()
    first = await verifier.verify("ann@shop.example")

    second = await verifier.verify("ann@SHOP.example")

    assert 1 == len(world.dialer.calls)
    assert second.from_cache
    assert 0 == second.callouts
    assert first.evidence == second.evidence[: len(first.evidence)]
    assert "ann@SHOP.example" == second.address


async def test_fresh_asks_anew(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()
    await verifier.verify("ann@shop.example")

    report = await verifier.verify(Query("ann@shop.example", fresh=True))

    assert 2 == len(world.dialer.calls)
    assert not report.from_cache


async def test_an_accept_all_domain_is_left_alone_after_the_first_callout(
    world: FakeOutside,
) -> None:
    world.host("any.example", FakeHost(rcpt=lambda _: "250 Ok"))
    verifier = world.verifier()
    first = await verifier.verify("ann@any.example")

    second = await verifier.verify("somebody.else@any.example")

    assert [Reason.ACCEPTS_ANY] * 2 == [first.reason, second.reason]
    assert 1 == len(world.dialer.calls)
    assert second.evidence


async def test_a_domain_that_refuses_bounces_is_left_alone(world: FakeOutside) -> None:
    world.host("nobounce.example", FakeHost(mail="550 5.7.1 We do not accept bounces"))
    verifier = world.verifier()
    first = await verifier.verify("ann@nobounce.example")

    second = await verifier.verify("bob@nobounce.example")

    assert [Reason.REFUSES_NULL_SENDER] * 2 == [first.reason, second.reason]
    assert 1 == len(world.dialer.calls)


async def test_a_domain_that_does_not_want_vrfy_is_left_alone(world: FakeOutside) -> None:
    host = FakeHost(vrfy=lambda _: "502 5.5.1 VRFY command is disabled")
    world.host("shop.example", host)
    verifier = world.verifier(smtp=Smtp(method=Method.VRFY))
    first = await verifier.verify("ann@shop.example")

    second = await verifier.verify("bob@shop.example")

    assert [Reason.POLICY_REFUSAL] * 2 == [first.reason, second.reason]
    assert 1 == len(world.dialer.calls)
    assert [] == host.recipients


async def test_a_host_that_refused_us_is_not_called_for_the_next_address(
    world: FakeOutside,
) -> None:
    world.host("listed.example", FakeHost(greeting="554 5.7.1 Your IP is listed at bl.example"))
    verifier = world.verifier()
    first = await verifier.verify("ann@listed.example")

    second = await verifier.verify("bob@listed.example")

    assert [Reason.REFUSES_US] * 2 == [first.reason, second.reason]
    assert 1 == len(world.dialer.calls)


async def test_the_control_is_not_asked_again_of_a_domain_that_was_selective(
    world: FakeOutside,
) -> None:
    host = shop()
    world.host("shop.example", host)
    verifier = world.verifier()
    await verifier.verify("ann@shop.example")
    host.heard.clear()

    report = await verifier.verify("bob@shop.example")

    assert Reason.ACCEPTED == report.reason
    assert ["bob@shop.example"] == host.recipients


async def test_an_old_refusal_is_confirmed_before_it_counts(world: FakeOutside) -> None:
    host = shop()
    world.host("shop.example", host)
    verifier = world.verifier()
    await verifier.verify("new@shop.example")
    host.mailboxes.add("new@shop.example")
    world.clock.at += 4 * HOUR_S

    report = await verifier.verify("new@shop.example")

    assert Reason.ACCEPTED == report.reason


async def test_an_ageing_acceptance_answers_and_is_refreshed(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()
    await verifier.verify("ann@shop.example")
    world.clock.at += 8 * DAY_S

    report = await verifier.verify("ann@shop.example")
    for _ in range(50):
        await asyncio.sleep(0)

    assert report.from_cache
    assert 2 == len(world.dialer.calls)


@pytest.mark.parametrize(
    ("spf", "called"), [("v=spf1 -all", 1), (f"v=spf1 ip4:{CLIENT.address} -all", 2)]
)
async def test_what_ages_is_refreshed_for_the_mail_that_met_it(
    world: FakeOutside, spf: str, called: int
) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier(etiquette=Etiquette(call_when=CallWhen.ALIGNED))
    await verifier.verify("ann@shop.example")
    world.clock.at += 8 * DAY_S
    world.resolver.say("shop.example", RecordType.TXT, spf)

    report = await verifier.verify(Query("ann@shop.example", client=CLIENT))
    for _ in range(100):
        await asyncio.sleep(0)

    assert report.from_cache
    assert called == len(world.dialer.calls)
    calls = await world.store.search_calls("shop.example", 0.0, 9)
    assert [CLIENT.address] * (called - 1) == [call.client for call in calls if call.client]


async def test_an_ageing_fact_has_its_domain_called_once_whatever_addresses_are_forged(
    world: FakeOutside,
) -> None:
    world.host("any.example", FakeHost(rcpt=lambda _: "250 Ok"))
    verifier = world.verifier()
    await verifier.verify("ann@any.example")
    world.clock.at += 8 * DAY_S
    world.dialer.hosts["192.0.2.1"] = Fault.REFUSED  # so that nothing new is learned

    reports = [await verifier.verify(f"forged{number}@any.example") for number in range(30)]
    for _ in range(100):
        await asyncio.sleep(0)

    assert {Reason.ACCEPTS_ANY} == {report.reason for report in reports}
    assert 2 == len(world.dialer.calls)


async def test_one_refusal_of_a_known_mailbox_defers_and_a_second_one_counts(
    world: FakeOutside,
) -> None:
    host = shop()
    world.host("shop.example", host)
    verifier = world.verifier()
    await verifier.verify("ann@shop.example")
    host.mailboxes.clear()

    doubted = await verifier.verify(Query("ann@shop.example", fresh=True))
    meanwhile = await verifier.verify("ann@shop.example")
    world.clock.at += SECOND_REFUSAL_AFTER_S
    again = await verifier.verify("ann@shop.example")

    assert [Reason.AMBIGUOUS_REPLY] * 2 == [doubted.reason, meanwhile.reason]
    assert START + SECOND_REFUSAL_AFTER_S == doubted.retry_at
    assert Reason.NO_SUCH_MAILBOX == again.reason


async def test_silence_does_not_erase_what_is_known(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()
    await verifier.verify("ann@shop.example")
    world.dialer.hosts["192.0.2.1"] = Fault.TIMEOUT

    silence = await verifier.verify(Query("ann@shop.example", fresh=True))
    known = await verifier.verify("ann@shop.example")

    assert Reason.UNREACHABLE == silence.reason
    assert Reason.ACCEPTED == known.reason


async def test_a_greylisted_address_is_asked_again_after_its_time_and_not_before(
    world: FakeOutside,
) -> None:
    host = FakeHost(rcpt=lambda _: "450 4.2.0 Greylisted, try again later")
    world.host("grey.example", host)
    verifier = world.verifier()
    first = await verifier.verify("ann@grey.example")
    too_early = await verifier.verify("ann@grey.example")
    host.rcpt = None
    host.mailboxes.add("ann@grey.example")
    world.clock.at += 360

    later = await verifier.verify("ann@grey.example")

    assert (Reason.GREYLISTED, START + 360) == (first.reason, first.retry_at)
    assert too_early.from_cache
    assert Reason.ACCEPTED == later.reason
    assert 2 == len(world.dialer.calls)


async def test_a_greylisting_host_is_waited_out_by_one_address_at_a_time(
    world: FakeOutside,
) -> None:
    host = FakeHost(rcpt=lambda _: "451 4.7.1 Greylisted, come back in 10 minutes")
    world.host("grey.example", host)
    verifier = world.verifier()
    await verifier.verify("ann@grey.example")
    world.clock.at += 60

    other = await verifier.verify("bob@grey.example")
    host.rcpt = None
    host.mailboxes |= {"ann@grey.example", "bob@grey.example"}
    world.clock.at += 540
    passed = [await verifier.verify(f"{name}@grey.example") for name in ("ann", "bob")]

    assert (Reason.GREYLISTED, START + 600) == (other.reason, other.retry_at)
    assert [Reason.ACCEPTED] * 2 == [report.reason for report in passed]
    assert 3 == len(world.dialer.calls)


async def test_a_host_that_is_down_is_not_called_for_every_message(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()
    await verifier.verify("ann@shop.example")
    world.dialer.hosts["192.0.2.1"] = Fault.TIMEOUT
    world.clock.at += 8 * DAY_S

    for _ in range(5):
        await verifier.verify("ann@shop.example")
        for _ in range(50):
            await asyncio.sleep(0)

    assert 2 == len(world.dialer.calls)


async def test_an_old_refusal_at_a_host_that_greylists_is_asked_once_a_window(
    world: FakeOutside,
) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()
    await verifier.verify("made.up@shop.example")
    world.dialer.hosts["192.0.2.1"] = FakeHost(
        rcpt=lambda _: "450 4.2.0 Greylisted for 300 seconds"
    )
    world.clock.at += 4 * HOUR_S

    deferred = [await verifier.verify("made.up@shop.example") for _ in range(5)]
    calls_within = len(world.dialer.calls)
    world.clock.at += 300
    await verifier.verify("made.up@shop.example")

    assert [Verdict.UNKNOWN] * 5 == [report.verdict for report in deferred]
    assert [START + 4 * HOUR_S + 300] * 5 == [report.retry_at for report in deferred]
    assert (2, 3) == (calls_within, len(world.dialer.calls))


async def test_a_verdict_derived_again_from_its_evidence_is_the_same(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    world.host("any.example", FakeHost(rcpt=lambda _: "250 Ok"))
    world.host("grey.example", FakeHost(rcpt=lambda _: "450 4.2.0 Greylisted"))
    world.host("away.example", Fault.TIMEOUT, FakeHost(greeting="554 5.7.1 Your IP is blocked"))
    verifier = world.verifier()
    domains = ("shop", "any", "grey", "away", "nosuch")
    asked = [f"{name}@{domain}.example" for domain in domains for name in ("ann", "bob", "ann")]

    reports = [await verifier.verify(address) for address in asked]

    assert [report.reason for report in reports] == [
        conclude(report.evidence).reason for report in reports
    ]


@pytest.mark.parametrize("address", ["", "<>", "postmaster@shop.example"])
async def test_who_is_never_asked_for(world: FakeOutside, address: str) -> None:
    report = await world.verifier().verify(Query(address))

    assert Reason.NOT_ASKED == report.reason
    assert report.gate
    assert [] == world.resolver.asked


async def test_bad_syntax_needs_no_question(world: FakeOutside) -> None:
    report = await world.verifier().verify("ann..b@shop.example")

    assert Reason.BAD_SYNTAX == report.reason
    assert [] == world.resolver.asked


async def test_without_a_contact_nobody_is_called(world: FakeOutside) -> None:
    report = await world.verifier(identity=Identity(helo_name="a.example")).verify("a@b.example")

    assert Reason.IDENTITY_UNFIT == report.reason
    assert [] == world.resolver.asked


async def test_who_opted_out_is_not_called(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    etiquette = Etiquette(opted_out=("shop.example",))

    report = await world.verifier(etiquette=etiquette).verify("ann@shop.example")

    assert Reason.OPTED_OUT == report.reason
    assert [] == world.dialer.calls


async def test_a_store_that_fails_is_our_trouble(
    world: FakeOutside, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def gone(key: str) -> Entry | None:
        raise StoreError("the disk is gone")

    monkeypatch.setattr(world.store, "load", gone)

    report = await world.verifier().verify("ann@shop.example")

    assert Reason.OUR_TROUBLE == report.reason
    assert isinstance(world.events[0], Trouble)


async def test_nxdomain_is_believed_while_the_canary_resolves(world: FakeOutside) -> None:
    verifier = world.verifier()

    believed = await verifier.verify("ann@nosuch.example")
    world.resolver.fail("example.com", RecordType.A, DnsStatus.NXDOMAIN)
    world.clock.at += HOUR_S
    doubted = await verifier.verify("ann@other.example")

    assert Reason.NO_SUCH_DOMAIN == believed.reason
    assert Reason.DNS_FAILURE == doubted.reason


async def test_an_engine_that_is_replaced_answers_who_still_stands_at_a_gate(
    world: FakeOutside,
) -> None:
    host = shop()
    host.may_answer = asyncio.Event()
    world.host("shop.example", host)
    world.may_judge_fitness.clear()
    verifier = world.verifier()
    asker = asyncio.create_task(verifier.verify("ann@shop.example"))
    own = asyncio.create_task(verifier.call_own(parse_address("ann@shop.example")))
    await host.reached.wait()
    closing = asyncio.create_task(verifier.close(verifier.patience_s))
    await asyncio.sleep(0)
    world.may_judge_fitness.set()
    host.may_answer.set()
    report, evidence = await asyncio.gather(asker, own)
    await closing

    assert (Reason.ACCEPTED, False) == (report.reason, report.from_cache)
    assert Meaning.ACCEPTED in {said.meaning for said in evidence}


async def test_who_stood_at_a_gate_shares_what_another_learned_meanwhile(
    world: FakeOutside, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.host("shop.example", shop())
    ask = world.resolver.ask

    async def ask_while_another_learns(name: str, kind: RecordType) -> DnsAnswer:
        learned = Entry("ann@shop.example", Reason.NULL_MX, True, "learned", START, START + 60)
        world.store.save(learned)
        return await ask(name, kind)

    monkeypatch.setattr(world.resolver, "ask", ask_while_another_learns)

    report = await world.verifier().verify(Query("ann@shop.example", client=CLIENT))

    assert (Reason.NULL_MX, True) == (report.reason, report.from_cache)
    assert [] == world.dialer.calls


async def test_who_stood_at_a_gate_together_share_one_callout(world: FakeOutside) -> None:
    host = shop()
    host.may_answer = asyncio.Event()
    world.host("shop.example", host)
    world.may_judge_fitness.clear()
    verifier = world.verifier()
    askers = [asyncio.create_task(verifier.verify("ann@shop.example")) for _ in range(2)]
    await asyncio.sleep(0)
    world.may_judge_fitness.set()
    await host.reached.wait()
    under_way = verifier.progress_nowait(9)
    host.may_answer.set()
    reports = await asyncio.gather(*askers)

    assert 1 == len(under_way)
    assert [Reason.ACCEPTED] * 2 == [report.reason for report in reports]


async def test_what_the_doctor_asks_is_charged_and_written_down_like_any_callout(
    world: FakeOutside,
) -> None:
    world.host("shop.example", shop(), shop())
    verifier = world.verifier(budget=Budget(per_host=1))
    address = parse_address("ann@shop.example")
    said = [await verifier.call_own(address) for _ in range(2)]

    (call,) = await world.store.search_calls(address.key, 0.0, 10)
    assert (("the doctor asks as verify.example.net",), "accepted") == (call.gates, call.outcome)
    assert Fault.OVER_BUDGET not in {it.fault for it in said[0]}
    assert Fault.OVER_BUDGET in {it.fault for it in said[1]}


async def test_bulk_asks_for_a_lost_control_on_a_connection_of_its_own(
    world: FakeOutside,
) -> None:
    host = shop()
    host.rset = "500 What?"
    world.host("shop.example", host)
    verifier = world.verifier(bulk=Bulk(consent=True))

    sender = await verifier.verify(Query("ann@shop.example", Purpose.SENDER))
    bulk = await verifier.verify(Query("ann@shop.example", Purpose.BULK, fresh=True))

    assert (Reason.AMBIGUOUS_REPLY, True) == (sender.reason, sender.settled)
    assert Reason.ACCEPTED == bulk.reason
    assert 3 == len(world.dialer.calls)


async def test_a_lost_control_is_not_asked_for_again_when_another_callout_had_its_answer(
    world: FakeOutside,
) -> None:
    controls: list[str | Fault] = [Fault.CLOSED, "550 5.1.1 No such user here"]
    people = {"ann@shop.example", "bob@shop.example"}
    host = FakeHost(rcpt=lambda who: "250 Ok" if who in people else controls.pop(0))
    world.host("shop.example", host)
    verifier = world.verifier(budget=Budget(concurrent_per_host=1), bulk=Bulk(consent=True))

    reports = await asyncio.gather(
        *(verifier.verify(Query(who, Purpose.BULK)) for who in sorted(people))
    )

    assert [Reason.ACCEPTED] * 2 == [report.reason for report in reports]
    assert ["192.0.2.1"] * 2 == world.dialer.calls
    assert "" not in host.recipients


@pytest.mark.parametrize(
    ("record", "budget", "greeting", "gate"),
    [
        ("v=CALLOUT1; p=none", Budget(), "220 mx", "opted_out_dns"),
        ("", Budget(per_domain=1), "220 mx", "budget"),
        ("", Budget(), "554 5.7.1 Your address is on a block list", "breaker"),
        ("", Budget(), "554 5.7.1 Callouts are not welcome here", "opted_out_reply"),
    ],
)
async def test_who_is_not_called_learns_which_gate_said_no(
    world: FakeOutside, record: str, budget: Budget, greeting: str, gate: str
) -> None:
    host = shop()
    host.greeting = greeting
    world.host("shop.example", host)
    if record:
        world.resolver.say("_callout.shop.example", RecordType.TXT, record)
    verifier = world.verifier(budget=budget)

    await verifier.verify("ann@shop.example")
    report = await verifier.verify("bob@shop.example")

    assert (gate, 0) == (report.gate, report.callouts)


def _is_ann(who: str) -> bool:
    return who.startswith("ann") and who[3].isdigit()  # a control may be an Anna


def _deferring_whom_it_does_not_know() -> FakeHost:
    return FakeHost(rcpt=lambda who: "250 Ok" if _is_ann(who) else "450 4.2.0 Later")


async def test_a_control_that_settles_nothing_is_left_to_rest(world: FakeOutside) -> None:
    host = _deferring_whom_it_does_not_know()
    world.host("shop.example", host)
    verifier = world.verifier()

    reports = [await verifier.verify(f"ann{count}@shop.example") for count in range(6)]

    assert {(Reason.AMBIGUOUS_REPLY, True, False)} == {
        (report.reason, report.settled, report.final) for report in reports
    }
    assert 2 == sum(not _is_ann(who) for who in host.recipients)
    world.clock.advance(300.0)
    await verifier.verify("ann6@shop.example")
    await verifier.verify("ann7@shop.example")
    assert 3 == sum(not _is_ann(who) for who in host.recipients)


async def test_within_a_session_too_the_control_is_left_to_rest(world: FakeOutside) -> None:
    host = _deferring_whom_it_does_not_know()
    world.host("shop.example", host)
    verifier = world.verifier(budget=Budget(concurrent_per_host=1), bulk=Bulk(consent=True))

    people = [Query(f"ann{count}@shop.example", Purpose.BULK) for count in range(6)]
    reports = await asyncio.gather(*map(verifier.verify, people))

    assert {Reason.AMBIGUOUS_REPLY} == {report.reason for report in reports}
    # Twice in sessions, and each of those callouts once more on a connection of its own.
    assert 4 == sum(not _is_ann(who) for who in host.recipients)


async def test_a_control_that_is_answered_again_rests_no_more(world: FakeOutside) -> None:
    controls = ["450 4.2.0 Later"] * 2 + ["550 5.1.1 No such user here"]
    host = FakeHost(rcpt=lambda who: "250 Ok" if who.startswith("ann") else controls.pop(0))
    world.host("shop.example", host)
    verifier = world.verifier()

    for count in range(3):
        await verifier.verify(f"ann{count}@shop.example")
    world.clock.advance(300.0)
    reports = [await verifier.verify(f"ann{count}@shop.example") for count in (4, 5)]

    assert [Reason.ACCEPTED] * 2 == [report.reason for report in reports]
    assert [] == controls


@pytest.mark.parametrize("refusal", ["550 no", "554 5.7.1 Rejected for policy", "530 5.7.0 Log in"])
async def test_a_host_that_refuses_our_mail_is_left_alone(world: FakeOutside, refusal: str) -> None:
    world.host("shop.example", FakeHost(mail=refusal))
    verifier = world.verifier()

    reports = [await verifier.verify(f"ann{count}@shop.example") for count in range(3)]

    assert 1 == len({report.reason for report in reports})
    assert 1 == len(world.dialer.calls)


async def test_settings_without_control_never_say_deliverable(world: FakeOutside) -> None:
    world.host("shop.example", shop())

    report = await world.verifier(smtp=Settings().smtp.but(control=False)).verify(
        "ann@shop.example"
    )

    assert Reason.AMBIGUOUS_REPLY == report.reason
    assert Smtp().control


async def test_what_waits_for_nobody_is_answered_in_the_same_way(world: FakeOutside) -> None:
    world.host("shop.example", shop())
    verifier = world.verifier()
    query = Query("ann@Shop.example")
    assert verifier.verify_nowait(query) is None
    await verifier.verify(query)

    assert await verifier.verify(query) == verifier.verify_nowait(query)
    assert "ann@Shop.example" == (await verifier.verify(query)).address


async def test_a_gate_waits_for_nobody_and_impossible_syntax_is_left_to_who_waits(
    world: FakeOutside,
) -> None:
    verifier = world.verifier()

    assert await verifier.verify(Query("<>")) == verifier.verify_nowait(Query("<>"))
    assert verifier.verify_nowait(Query("no address")) is None


async def waiting_for_ann(
    world: FakeOutside, query: Query
) -> tuple[Waiting, list[Report], asyncio.Event, asyncio.Task[Report]]:
    """One who waits for the callout of another, and room for what he is told."""
    verifier, may_answer, asking = await asking_for_ann(world)
    waiting = await verifier.ask(query)
    assert isinstance(waiting, Waiting)
    return waiting, [], may_answer, asking


async def test_who_waits_without_a_task_is_told_the_conclusion_once(world: FakeOutside) -> None:
    waiting, told, may_answer, asking = await waiting_for_ann(world, Query("ann@SHOP.example"))
    waiting.begin(lambda: told.append(waiting.report()))
    may_answer.set()
    report = await asking
    await asyncio.sleep(0)
    waiting.lose_patience()

    assert [report.but(address="ann@SHOP.example")] == [
        one.but(questions=report.questions) for one in told
    ]


async def test_callouts_under_way_are_counted(world: FakeOutside) -> None:
    verifier, may_answer, asking = await asking_for_ann(world)
    before = verifier.under_way
    may_answer.set()
    await asking
    await asyncio.sleep(0)

    assert (1, 0) == (before, verifier.under_way)


async def test_whether_a_mail_may_be_put_off_again_is_asked_of_its_counts(
    world: FakeOutside,
) -> None:
    verifier, said = world.verifier(etiquette=Etiquette(max_deferrals=1)), []
    for _ in range(2):
        said.append(
            await verifier.may_defer(CLIENT.address, "ann@shop.example", "you@ours.example")
        )
        world.clock.advance(300)

    assert [True, False] == said


async def test_who_leaves_is_told_nothing_and_holds_up_no_engine(world: FakeOutside) -> None:
    waiting, told, may_answer, asking = await waiting_for_ann(world, Query("ann@shop.example"))
    waiting.begin(lambda: told.append(waiting.report()))
    waiting.leave()
    waiting.leave()
    may_answer.set()
    await asking

    assert [] == told
    await asyncio.wait_for(world.verifiers[0].close(5), 1)


async def test_who_leaves_is_held_by_nobody(world: FakeOutside) -> None:
    waiting, _, may_answer, asking = await waiting_for_ann(world, Query("ann@shop.example"))
    before = getrefcount(waiting)
    waiting.begin(may_answer.set, asyncio.get_running_loop().time() + HOUR_S)
    meanwhile = getrefcount(waiting)
    waiting.leave()

    assert before == getrefcount(waiting) == meanwhile - 2  # the callout, and the timekeeper
    may_answer.set()
    await asking


class BrokenTimekeeper(Timekeeper):
    def add(self, one: Due) -> None:
        raise KeyError(one)


async def test_who_cannot_begin_to_wait_has_left(world: FakeOutside) -> None:
    told: list[Waiting] = []
    waiting, _, may_answer, asking = await waiting_for_ann(world, Query("ann@shop.example"))
    (verifier,) = world.verifiers
    verifier.timekeeper = BrokenTimekeeper()
    with pytest.raises(KeyError):
        waiting.begin(lambda: told.append(waiting), asyncio.get_running_loop().time() + HOUR_S)
    may_answer.set()
    await asking

    assert [] == told
    await asyncio.wait_for(verifier.close(5), 1)


@pytest.mark.parametrize(
    ("answer_by_at", "until_s"), [(START, 60.0), (START + HOUR_S, 0.0), (None, 0.0)]
)
async def test_he_is_let_go_by_whichever_clock_is_there_first(
    world: FakeOutside, answer_by_at: float | None, until_s: float
) -> None:
    query = Query("ann@shop.example", answer_by_at=answer_by_at)
    waiting, _, may_answer, asking = await waiting_for_ann(world, query)
    report = await waiting.wait(asyncio.get_running_loop().time() + until_s)
    may_answer.set()
    await asking

    assert Reason.DEADLINE == report.reason


async def test_news_that_come_as_a_task_is_cancelled_are_not_its_own(world: FakeOutside) -> None:
    waiting, _, may_answer, asking = await waiting_for_ann(world, Query("ann@shop.example"))
    task = asyncio.create_task(waiting.wait())
    await asyncio.sleep(0)
    task.cancel()
    waiting.lose_patience()  # before the task has its turn
    may_answer.set()
    await asyncio.wait({task, asking})

    assert task.cancelled()
