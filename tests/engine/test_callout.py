"""Walking the hosts of a domain: who is called, in which order, and when it ends."""

import asyncio
from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from fakes import NO_SUCH_USER, START, FakeHost, FakeOutside, FakeResolver
from ringback.engine.callout import Callout
from ringback.engine.outside import Outside
from ringback.engine.walk import News
from ringback.rules.conclude import conclude
from ringback.rules.exemptions import Exemptions
from ringback.rules.gates import Passed
from ringback.rules.lessons import learn
from ringback.values.address import parse_address
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType
from ringback.values.events import Trouble
from ringback.values.evidence import Exchange, Fault
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.query import Client, Purpose, Query
from ringback.values.settings import Budget, Etiquette, Method, Settings, Smtp, TlsPolicy
from ringback.values.verdict import Reason

WELL = "ann@shop.example"
FACTS = Settings().cache.facts
SHORT = Smtp(callout_deadline_s=0.01)


def _smtp(**changes: object) -> Smtp:
    return Smtp().but(**changes)


def _callout(world: FakeOutside, settings: Settings, outside: Outside | None = None) -> Callout:
    around = outside or world.outside(settings)
    return Callout(settings, around, Exemptions.parse(settings), world.events.append)


async def _ask(
    callout: Callout,
    address: str = WELL,
    purpose: Purpose = Purpose.SENDER,
    news: list[News] | None = None,
    client: Client | None = None,
) -> tuple[Exchange, ...]:
    query = Query(address, purpose, client)
    heard: list[News] = [] if news is None else news
    return await callout.run(
        parse_address(address), query, Passed(("an operator asked",)), heard.append
    )


async def _run(
    world: FakeOutside,
    address: str = WELL,
    purpose: Purpose = Purpose.SENDER,
    news: list[News] | None = None,
    **sections: object,
) -> tuple[Exchange, ...]:
    settings: Settings = world.settings(**sections)
    return await _ask(_callout(world, settings), address, purpose, news)


def _reason(evidence: Sequence[Exchange]) -> Reason:
    return conclude(evidence).reason


def _shop(**answers: object) -> FakeHost:
    return FakeHost(mailboxes={WELL}, **answers)  # type: ignore[arg-type]


class SlowResolver(FakeResolver):
    """Takes as long for an answer as a callout may take at least."""

    async def ask(self, name: str, kind: RecordType) -> DnsAnswer:
        is_there = asyncio.Event()
        asyncio.get_running_loop().call_later(SHORT.callout_deadline_s, is_there.set)
        await is_there.wait()
        return await super().ask(name, kind)


async def test_the_search_for_hosts_ends_with_the_time_of_the_callout(world: FakeOutside) -> None:
    world.resolver = SlowResolver()
    world.host("shop.example", _shop())
    evidence = await _run(world, smtp=SHORT)

    assert Fault.OPT_OUT_UNKNOWN == evidence[-1].fault
    assert [("shop.example", RecordType.MX)] == world.resolver.asked
    assert [] == world.dialer.calls


async def test_the_first_host_that_settles_it_ends_the_walk(world: FakeOutside) -> None:
    world.host("shop.example", _shop(), _shop())

    evidence = await _run(world)

    assert Reason.ACCEPTED == _reason(evidence)
    assert ["192.0.2.1"] == world.dialer.calls


async def test_a_backup_is_asked_when_the_first_host_is_away(world: FakeOutside) -> None:
    world.host("shop.example", Fault.REFUSED, _shop())

    evidence = await _run(world)

    assert Reason.ACCEPTED == _reason(evidence)
    assert ["192.0.2.1", "192.0.2.2"] == world.dialer.calls


async def test_after_a_refusal_of_us_one_more_host_is_asked_at_most(world: FakeOutside) -> None:
    blocked = "554 5.7.1 Your IP address is blocked"
    world.host("shop.example", *(FakeHost(greeting=blocked) for _ in range(4)))

    evidence = await _run(world)

    assert Reason.REFUSES_US == _reason(evidence)
    assert 2 == len(world.dialer.calls)


async def test_a_greylisting_host_is_not_gone_round(world: FakeOutside) -> None:
    grey = FakeHost(rcpt=lambda _: "450 4.2.0 Greylisted, come back in 300 seconds")
    world.host("shop.example", grey, _shop())

    evidence = await _run(world)

    assert Reason.GREYLISTED == _reason(evidence)
    assert 1 == len(world.dialer.calls)


async def test_a_host_that_is_left_alone_is_not_gone_round_either(world: FakeOutside) -> None:
    """What it said last follows it: the backup's word would not outweigh it (scenarios 23 and 63)."""
    world.host("grey.example", FakeHost(rcpt=lambda _: "451 4.7.1 Greylisted"), _shop())
    world.host("full.example", FakeHost(rcpt=lambda _: "550 5.7.1 Rate limit exceeded"), _shop())
    world.host("shut.example", FakeHost(greeting="554 5.7.1 Your IP is blocked"), _shop())

    reasons = []
    for domain in ("grey.example", "full.example", "shut.example"):
        verifier = world.verifier()
        await verifier.verify(f"ann@{domain}")
        world.dialer.calls.clear()
        reasons.append((await verifier.verify(f"bob@{domain}")).reason)

    assert [Reason.GREYLISTED, Reason.RATE_LIMITED, Reason.NO_SUCH_MAILBOX] == reasons
    assert ["192.0.2.6"] == world.dialer.calls, "the one behind a host that refuses us"


async def test_no_more_hosts_than_configured(world: FakeOutside) -> None:
    world.host("shop.example", *[Fault.TIMEOUT] * 5)

    evidence = await _run(world, smtp=_smtp(max_hosts=2))

    assert Reason.UNREACHABLE == _reason(evidence)
    assert 2 == len(world.dialer.calls)


async def test_the_next_address_of_a_host_is_tried_when_one_does_not_answer(
    world: FakeOutside,
) -> None:
    world.host("shop.example", _shop())
    world.resolver.say("mx1.shop.example", RecordType.A, "192.0.2.9", "192.0.2.1")
    world.dialer.hosts["192.0.2.9"] = Fault.TIMEOUT

    evidence = await _run(world)

    assert Reason.ACCEPTED == _reason(evidence)
    assert ["192.0.2.9", "192.0.2.1"] == world.dialer.calls


async def test_no_other_address_is_tried_once_one_has_spoken(world: FakeOutside) -> None:
    world.host("shop.example", FakeHost(greeting="421 4.3.2 Shutting down"))
    world.resolver.say("mx1.shop.example", RecordType.A, "192.0.2.1", "192.0.2.9")

    await _run(world)

    assert ["192.0.2.1"] == world.dialer.calls


async def test_a_host_that_nobody_may_call_is_passed_over(world: FakeOutside) -> None:
    world.host("shop.example", _shop(), _shop())
    etiquette = Etiquette(opted_out=("mx1.shop.example",))

    evidence = await _run(world, etiquette=etiquette)

    assert ["192.0.2.2"] == world.dialer.calls
    assert Fault.OPTED_OUT in [exchange.fault for exchange in evidence]


async def test_an_exhausted_budget_is_told_as_evidence(world: FakeOutside) -> None:
    world.host("shop.example", _shop())
    settings = world.settings(budget=Budget(per_domain=1))
    callout = _callout(world, settings)
    await _ask(callout, WELL)

    evidence = await _ask(callout, WELL)

    assert Reason.OVER_BUDGET == _reason(evidence)
    assert 1 == len(world.dialer.calls)


async def test_no_free_place_before_the_deadline_is_over_budget(world: FakeOutside) -> None:
    world.host("shop.example", _shop())
    settings = world.settings(
        budget=Budget(concurrent_per_host=1), smtp=_smtp(callout_deadline_s=0.01)
    )
    outside = world.outside(settings)
    await outside.pacer.wait_slot("192.0.2.1")
    callout = _callout(world, settings, outside)

    evidence = await _ask(callout, WELL)

    assert Reason.OVER_BUDGET == _reason(evidence)
    assert [] == world.dialer.calls


async def test_refused_recipients_use_up_a_budget_of_their_own(world: FakeOutside) -> None:
    host = _shop()
    world.host("shop.example", host)
    settings = world.settings(budget=Budget(refused_recipients_per_host=2))
    callout = _callout(world, settings)

    ends = [_reason(await _ask(callout, f"x{n}@shop.example")) for n in range(3)]

    assert Reason.NO_SUCH_MAILBOX == ends[0]
    assert Reason.OVER_BUDGET == ends[2]


async def test_tls_that_fails_is_followed_by_a_conversation_in_clear(world: FakeOutside) -> None:
    host = _shop(ehlo="250-mx\n250 STARTTLS", handshake=Fault.TIMEOUT)
    world.host("shop.example", host)

    evidence = await _run(world, smtp=_smtp(tls=TlsPolicy.OPPORTUNISTIC))

    assert Reason.ACCEPTED == _reason(evidence)
    assert 2 == len(world.dialer.calls)
    assert 1 == host.heard.count("STARTTLS")


async def test_a_host_whose_tls_is_broken_is_spoken_to_in_clear_next_time(
    world: FakeOutside,
) -> None:
    host = _shop(ehlo="250-mx\n250 STARTTLS", handshake=Fault.TIMEOUT)
    world.host("shop.example", host)
    smtp = _smtp(tls=TlsPolicy.OPPORTUNISTIC)
    await _run(world, smtp=smtp)

    await _run(world, smtp=smtp)

    learned = await world.store.load_facts("192.0.2.1")
    assert HostFact.BREAKS_TLS in {fact.kind for fact in learned}
    assert 1 == host.heard.count("STARTTLS")


async def test_postmaster_is_asked_only_after_weak_words(world: FakeOutside) -> None:
    host = FakeHost(
        rcpt=lambda to: "250 Ok" if to.startswith("postmaster@") else "550 Mailbox unavailable"
    )
    world.host("shop.example", host)

    evidence = await _run(world)

    assert Reason.NO_SUCH_MAILBOX == _reason(evidence)
    assert [WELL, "postmaster@shop.example"] == host.recipients


async def test_weak_words_with_contrast_end_the_walk(world: FakeOutside) -> None:
    host = FakeHost(rcpt=lambda to: "250 Ok" if to.startswith("postmaster@") else "550")
    world.host("shop.example", host, _shop())

    evidence = await _run(world)

    assert Reason.NO_SUCH_MAILBOX == _reason(evidence)
    assert ["192.0.2.1"] == world.dialer.calls


@pytest.mark.parametrize(
    ("host", "most"),
    [
        (FakeHost(greeting="554 5.7.1 Your IP address is blocked"), 2),
        (FakeHost(mail="550 5.7.1 We do not accept bounces"), 2),
        (FakeHost(rcpt=lambda _: "250 Ok"), 2),
        (FakeHost(rcpt=lambda _: "450 4.2.0 Greylisted, come back in 5 minutes"), 2),
    ],
)
async def test_who_waits_for_his_turn_learns_what_others_learned(
    world: FakeOutside, host: FakeHost, most: int
) -> None:
    world.host("shop.example", host)
    verifier = world.verifier(budget=Budget(concurrent_per_host=2))

    asked = (verifier.verify(f"a{number}@shop.example") for number in range(20))
    reports = await asyncio.gather(*asked)

    assert most >= len(world.dialer.calls)
    assert 1 == len({report.reason for report in reports})


async def test_who_waits_for_his_turn_does_not_ask_the_control_again(world: FakeOutside) -> None:
    host = FakeHost(mailboxes={f"a{number}@shop.example" for number in range(20)})
    world.host("shop.example", host)
    verifier = world.verifier(
        budget=Budget(per_host=1_000, per_domain=1_000, concurrent_per_host=2)
    )

    asked = (verifier.verify(f"a{number}@shop.example") for number in range(20))
    reports = await asyncio.gather(*asked)

    assert {Reason.ACCEPTED} == {report.reason for report in reports}
    assert 2 >= len([to for to in host.recipients if to not in host.mailboxes])


async def test_what_was_known_before_is_no_news_to_who_waits(world: FakeOutside) -> None:
    host = FakeHost(mailboxes={f"a{number}@shop.example" for number in range(3)})
    world.host("shop.example", host)
    old = Fact("shop.example", DomainFact.ACCEPTS_ANY, START - 1, START + 1)
    new = Fact("shop.example", DomainFact.REFUSES_VRFY, START, START + 1)
    settings = world.settings(budget=Budget(concurrent_per_host=1))
    callout = _callout(world, settings)
    for fact in (old, new):
        world.store.save_fact(fact)

    asked = (_ask(callout, address) for address in sorted(host.mailboxes))
    evidence = await asyncio.gather(*asked)

    assert [Reason.ACCEPTED] * 3 == [_reason(said) for said in evidence]


async def test_weak_words_are_not_believed_of_a_host_that_refused_us_elsewhere(
    world: FakeOutside,
) -> None:
    answers = {"postmaster": "250 Ok", "ann": "550 5.7.1 blocked using zen.spamhaus.org"}
    host = FakeHost(rcpt=lambda to: answers.get(to.partition("@")[0], "550 Mailbox unavailable"))
    world.host("one.example", host)
    world.resolver.say_mx("two.example", Mx(10, "mx1.one.example"))
    verifier = world.verifier()
    await verifier.verify("ann@one.example")

    report = await verifier.verify("bob@two.example")

    assert Reason.AMBIGUOUS_REPLY == report.reason


async def test_vrfy_is_asked_instead_of_rcpt_where_configured(world: FakeOutside) -> None:
    host = _shop(vrfy=lambda to: f"250 <{to}>" if to == WELL else "550 5.1.1 No such user")
    world.host("shop.example", host)

    evidence = await _run(world, smtp=_smtp(method=Method.VRFY))

    assert Reason.ACCEPTED == _reason(evidence)
    assert [] == [said for said in host.heard if said.startswith(("MAIL", "RCPT"))]


async def test_a_host_that_does_not_want_vrfy_is_asked_by_rcpt_only_if_allowed(
    world: FakeOutside,
) -> None:
    host = _shop(vrfy=lambda _: "252 2.5.2 Cannot VRFY user")
    world.host("shop.example", host)

    wish = await _run(world, smtp=_smtp(method=Method.VRFY))
    asked_anyway = [said for said in host.heard if said.startswith("RCPT")]
    allowed = await _run(world, smtp=_smtp(method=Method.VRFY, vrfy_fallback=True))

    assert Reason.AMBIGUOUS_REPLY == _reason(wish)
    assert [] == asked_anyway
    assert Reason.ACCEPTED == _reason(allowed)


async def test_a_domain_known_not_to_want_vrfy_is_asked_by_rcpt_at_once_where_allowed(
    world: FakeOutside,
) -> None:
    host = _shop(vrfy=lambda _: "502 5.5.1 VRFY command is disabled")
    world.host("shop.example", host)
    smtp = _smtp(method=Method.VRFY, vrfy_fallback=True)
    evidence = await _run(world, smtp=smtp)
    for fact in learn("shop.example", evidence, conclude(evidence), START, FACTS).learned:
        world.store.save_fact(fact)
    host.heard.clear()

    again = await _run(world, smtp=smtp)

    assert Reason.ACCEPTED == _reason(again)
    assert [] == [said for said in host.heard if said.startswith("VRFY")]


async def test_the_first_word_is_told_before_the_walk_ends(world: FakeOutside) -> None:
    world.host("shop.example", _shop())
    news: list[News] = []

    await _run(world, news=news)

    first, second = news
    assert not first.complete
    assert conclude(first.evidence).settled
    assert second.complete
    assert Reason.ACCEPTED == _reason(second.evidence)


async def test_an_address_literal_needs_no_dns(world: FakeOutside) -> None:
    world.dialer.hosts["192.0.2.5"] = FakeHost(mailboxes={"ann@[192.0.2.5]"})

    evidence = await _run(world, "ann@[192.0.2.5]")

    assert Reason.ACCEPTED == _reason(evidence)
    assert [] == world.resolver.asked


async def test_a_literal_that_carries_an_ipv4_address_is_called_at_that(world: FakeOutside) -> None:
    domain = "[IPv6:::ffff:c000:205]"
    world.dialer.hosts["192.0.2.5"] = FakeHost(mailboxes={f"ann@{domain}"})

    assert Reason.ACCEPTED == _reason(await _run(world, f"ann@{domain}"))


async def test_mx_records_that_lead_nowhere_do_not_fall_back_to_the_domain(
    world: FakeOutside,
) -> None:
    world.resolver.say_mx("shop.example", Mx(10, "gone.shop.example"))
    world.resolver.say("shop.example", RecordType.A, "192.0.2.1")

    evidence = await _run(world)

    assert Reason.UNREACHABLE == _reason(evidence)
    assert [] == world.dialer.calls


async def test_a_domain_without_mx_is_its_own_host(world: FakeOutside) -> None:
    world.resolver.say("shop.example", RecordType.AAAA, "2001:db8::1")
    world.dialer.hosts["2001:db8::1"] = _shop()

    evidence = await _run(world)

    assert Reason.ACCEPTED == _reason(evidence)


async def test_dns_that_fails_is_not_held_against_the_address(world: FakeOutside) -> None:
    world.resolver.fail("shop.example", RecordType.MX, DnsStatus.FAILURE)

    evidence = await _run(world)

    assert Reason.DNS_FAILURE == _reason(evidence)


async def test_a_lost_control_is_asked_for_again_where_somebody_waits(world: FakeOutside) -> None:
    controls: list[str | Fault] = [Fault.CLOSED, NO_SUCH_USER]
    world.host(
        "shop.example", FakeHost(rcpt=lambda to: "250 Ok" if to == WELL else controls.pop(0))
    )

    evidence = await _run(world, purpose=Purpose.BULK)

    assert Reason.ACCEPTED is _reason(evidence)
    assert 2 == len(world.dialer.calls)


# Hosts that refuse callouts, or us.


async def test_a_host_that_refuses_callouts_in_words_has_opted_out(world: FakeOutside) -> None:
    host = FakeHost(greeting="554 5.7.1 Sender verification callouts are not welcome here")
    world.host("shop.example", host)
    verifier = world.verifier()
    first = await verifier.verify(WELL)
    world.clock.advance(30 * 86_400.0)
    host.greeting = "220 mx"

    second = await verifier.verify("bob@shop.example")
    world.clock.advance(60 * 86_400.0)
    third = await verifier.verify("bob@shop.example")

    reasons = [Reason.REFUSES_US, Reason.OPTED_OUT, Reason.NO_SUCH_MAILBOX]
    assert reasons == [report.reason for report in (first, second, third)]
    assert 2 == len(world.dialer.calls)


async def test_a_host_that_refuses_us_is_tried_after_pauses_that_double(
    world: FakeOutside,
) -> None:
    world.host("shop.example", FakeHost(greeting="554 5.7.1 Your IP address is blocked"))
    verifier = world.verifier()
    called_at = []
    for minute in range(0, 16 * 60, 10):
        before = len(world.dialer.calls)
        await verifier.verify(Query(f"a{minute}@shop.example"))
        called_at += [minute // 60] if len(world.dialer.calls) > before else []
        world.clock.advance(600)

    alarms = [event for event in world.events if isinstance(event, Trouble)]
    assert [0, 1, 3, 7, 15] == called_at
    assert ["breaker"] * 5 == [alarm.where for alarm in alarms]


async def test_weak_words_are_not_believed_for_a_day_after_a_breaker_has_closed(
    world: FakeOutside,
) -> None:
    host = FakeHost(
        greeting="554 5.7.1 Your IP address is blocked",
        rcpt=lambda to: "250 Ok" if to.startswith("postmaster@") else "550",
    )
    world.host("shop.example", host)
    verifier = world.verifier()
    reasons: list[Reason] = []
    for pause_s in (3_600.0, 3_600.0, 86_400.0):
        number = len(reasons)
        reasons.append((await verifier.verify(f"a{number}@shop.example")).reason)
        world.clock.advance(pause_s)
        host.greeting = "220 mx"
    reasons.append((await verifier.verify("late@shop.example")).reason)

    assert reasons == [
        Reason.REFUSES_US,
        Reason.AMBIGUOUS_REPLY,
        Reason.AMBIGUOUS_REPLY,
        Reason.NO_SUCH_MAILBOX,
    ]


# Whatever happens.

_STEPS = st.one_of(
    st.tuples(st.just("ask"), st.integers(1, 14), st.integers(0, 3), st.booleans()),
    st.tuples(st.just("advance"), st.integers(1, 2_400), st.just(0), st.just(False)),
    st.tuples(st.just("step"), st.integers(-200_000, 200_000), st.just(0), st.just(False)),
    st.tuples(st.just("restart"), st.just(0), st.just(0), st.just(False)),
)
_MOODS = ("250 Ok", NO_SUCH_USER, "550", "450 4.7.1 Greylisted", "550 5.7.1 blocked", Fault.CLOSED)
_BUDGET = Budget(per_host=24, per_domain=40, refused_recipients_per_host=8)


def _most_in_an_hour(instants: Sequence[float]) -> int:
    return max((sum(at <= it < at + 3_600 - 1e-3 for it in instants) for at in instants), default=0)


@pytest.mark.slow
@given(
    st.lists(_STEPS, max_size=40),
    st.lists(st.sampled_from(_MOODS), min_size=1, max_size=3),
    st.randoms(use_true_random=False),
)
@example([("ask", 14, 0, False), ("advance", 1_200, 0, False)] * 4, ["250 Ok"], Random(1))
async def test_no_host_ever_gets_more_than_its_budget(
    steps: list[tuple[str, int, int, bool]], moods: list[str | Fault], dice: Random
) -> None:
    """Whatever is asked, whatever hosts say, over restarts, and whatever is done to the time of day."""
    world = FakeOutside()
    numbers = {f"a{step}" for step in range(len(steps))}
    asked: list[float] = []
    refused: list[float] = []

    def answer(to: str) -> str | Fault:
        said: str | Fault = NO_SUCH_USER
        if to.partition("-")[0] in numbers:  # neither the control nor postmaster
            said = dice.choice(moods)
            asked.append(world.clock.elapsed())
        if isinstance(said, str) and said.startswith("5"):
            refused.append(world.clock.elapsed())
        return said

    world.host("d0.example", FakeHost(rcpt=answer, ehlo="250 mx"))
    for number in range(1, 4):
        world.resolver.say_mx(f"d{number}.example", Mx(10, "mx1.d0.example"))
    called: list[float] = []
    settings = world.settings(budget=_BUDGET)
    callout = _callout(world, settings)
    for step, (kind, amount, domain, by_client) in enumerate(steps):
        match kind:
            case "ask":
                before = len(world.dialer.calls)
                client = Client("198.51.100.7") if by_client else None
                people = [f"a{step}-{number}@d{domain}.example" for number in range(amount)]
                await asyncio.gather(*(_ask(callout, one, client=client) for one in people))
                called += [world.clock.elapsed()] * (len(world.dialer.calls) - before)
            case "advance":
                world.clock.advance(amount)
            case "step":
                world.clock.step(amount)
            case "restart":
                callout = _callout(world, settings)

    calls = await world.store.search_calls("d0.example", -1e9, 10_000)
    assert _most_in_an_hour(called) <= _BUDGET.per_host
    assert _most_in_an_hour(asked) <= _BUDGET.per_host
    assert _most_in_an_hour(refused) <= _BUDGET.refused_recipients_per_host
    assert len(called) <= len(calls), "no connection without its row"
