"""One callout at one host: what is remembered and charged before, and what came of it."""

import pytest

from fakes import START, Visitors
from ringback.rules.conclude import conclude
from ringback.rules.lessons import OPT_OUT_RULE
from ringback.rules.pacing import Charge, Rate
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.verdict import Outcome, Reason
from ringback.wire.question import Question

ANN, DOMAIN, IP = "ann@shop.example", "shop.example", "192.0.2.1"
CONTROL = "nobody@shop.example"
YES = Exchange(START, Stage.RCPT, 1, "mx1.shop.example", IP, 10, code=250, meaning=Meaning.ACCEPTED)
CONTROL_NO = YES.but(about=About.CONTROL, code=550, meaning=Meaning.UNKNOWN_USER)
REFUSAL = YES.but(stage=Stage.GREETING, code=554, meaning=Meaning.CLIENT_BLOCKED)
GREY = YES.but(code=450, meaning=Meaning.GREYLISTED)
NO = YES.but(code=550, meaning=Meaning.UNKNOWN_USER)
TROUBLE = YES.but(code=452, meaning=Meaning.SERVER_TROUBLE)
TIMEOUT = YES.but(stage=Stage.CONNECT, code=None, meaning=None, fault=Fault.TIMEOUT)


def _fact(kind: DomainFact | HostFact, said: Exchange, subject: str = DOMAIN) -> Fact:
    return Fact(subject, kind, START, START + 60, (said.but(connection=0),))


async def test_a_visit_is_charged_with_all_that_an_audit_asks_for(visitors: Visitors) -> None:
    visit = visitors.visit(visitors.walk(ANN))

    assert await visit.prepare()
    assert await visit.charge("")

    (call,) = await visitors.world.store.search_calls(ANN, 0.0, 9)
    assert (ANN, DOMAIN, "mx1.shop.example", IP) == (
        call.address,
        call.domain,
        call.host,
        call.ip,
    )
    assert ("198.51.100.7", "you@ours.example") == (call.client, call.recipient)
    assert (("a gate",), visit.session) == (call.gates, call.session)
    assert 1 == visit.connection


async def test_a_budget_that_is_used_up_is_told_as_evidence(visitors: Visitors) -> None:
    walk = visitors.walk(ANN)
    visit = visitors.visit(walk, [Charge("x", Rate(0), "callouts of this kind")])

    assert not await visit.charge("")
    assert (Fault.OVER_BUDGET, "callouts of this kind") == (
        walk.evidence[-1].fault,
        walk.evidence[-1].text,
    )
    assert 0 == visit.connection


async def test_a_host_that_wants_no_callouts_is_left_alone(visitors: Visitors) -> None:
    walk = visitors.walk(ANN)
    words = REFUSAL.but(rule=OPT_OUT_RULE)
    visitors.world.store.save_fact(_fact(HostFact.REFUSES_CALLOUTS, words, IP))

    assert not await visitors.visit(walk).prepare()
    assert Reason.OPTED_OUT is conclude(walk.evidence).reason


async def test_a_host_that_rests_answers_with_its_last_words_once(visitors: Visitors) -> None:
    walk = visitors.walk(ANN)
    visitors.world.store.save_fact(_fact(HostFact.REFUSES_US, REFUSAL, IP))
    visit = visitors.visit(walk)

    for _ in range(2):
        assert not await visit.prepare()

    assert visit.finding is not None
    assert Outcome.REFUSED is visit.finding.outcome
    assert [REFUSAL.but(connection=0)] == walk.evidence


async def test_what_was_learned_of_the_domain_meanwhile_answers(visitors: Visitors) -> None:
    walk = visitors.walk(ANN)
    accepts = CONTROL_NO.but(code=250, meaning=Meaning.ACCEPTED)
    visitors.world.store.save_fact(_fact(DomainFact.ACCEPTS_ANY, accepts))

    assert not await visitors.visit(walk).prepare()
    assert Reason.ACCEPTS_ANY is conclude(walk.evidence).reason


async def test_a_control_that_others_have_asked_for_is_not_asked(visitors: Visitors) -> None:
    visitors.world.store.save_fact(_fact(DomainFact.SELECTIVE, CONTROL_NO))
    walk = visitors.walk(ANN, CONTROL)
    visit = visitors.visit(walk)
    only_control = visitors.walk(ANN, CONTROL)
    only_control.plan = only_control.plan.but(address="")
    known = visitors.walk(ANN, CONTROL)
    known.contrast, known.plan = (CONTROL_NO,), only_control.plan
    known.started_at = START + 1  # what was known before is no news

    assert await visit.prepare()
    assert "" == visit.plan.control
    assert not await visitors.visit(only_control).prepare()
    assert not await visitors.visit(known).prepare()


@pytest.mark.parametrize(
    ("said", "question", "complete"),
    [
        (NO, None, True),
        (YES, None, True),
        (YES, Question(About.CONTROL, CONTROL), False),
        # What it teaches of the host is learned at the end, and not before.
        (GREY, None, False),
    ],
)
async def test_news_is_complete_when_nothing_can_change_it(
    visitors: Visitors, said: Exchange, question: Question | None, complete: bool
) -> None:
    visit = visitors.visit(visitors.walk(ANN))

    visit.hear([said], question)

    assert [complete] == [news.complete for news in visitors.news]


async def test_what_comes_before_any_mailbox_is_no_news(visitors: Visitors) -> None:
    visitors.visit(visitors.walk(ANN)).hear([REFUSAL], None)

    assert [] == visitors.news


async def test_what_another_session_shows_is_learned_whatever_the_last_one_did_not(
    visitors: Visitors,
) -> None:
    visit = visitors.visit(visitors.walk(ANN))
    visit.hear([NO], None)
    visit.break_off(())
    visit.conclude((REFUSAL,))

    await visit.learn()

    facts = await visitors.desk.hosts.load(IP, DOMAIN)
    assert [HostFact.REFUSES_US] == [fact.kind for fact in facts]


async def test_what_a_session_that_was_broken_off_showed_does_not_answer_for_the_next(
    visitors: Visitors,
) -> None:
    visit = visitors.visit(visitors.walk(ANN))
    visit.hear([TROUBLE], None)
    visit.break_off(())
    visit.conclude((TIMEOUT,))

    assert visit.finding is not None
    assert Fault.TIMEOUT is visit.finding.because.fault


async def test_what_was_said_is_concluded_and_written_down(visitors: Visitors) -> None:
    walk = visitors.walk(ANN)
    visit = visitors.visit(walk)
    await visit.charge("")

    visit.conclude((NO,))
    visit.break_off(())

    (call,) = await visitors.world.store.search_calls(ANN, 0.0, 9)
    assert ("rejected", (NO,)) == (call.outcome, call.said)
    assert [NO] == walk.evidence
    assert visit.finding is not None


async def test_what_came_to_nothing_is_written_down_as_such(visitors: Visitors) -> None:
    visit = visitors.visit(visitors.walk(ANN))
    await visit.charge("")

    visit.break_off((REFUSAL,))

    (call,) = await visitors.world.store.search_calls(ANN, 0.0, 9)
    assert ("", (REFUSAL,)) == (call.outcome, call.said)


async def test_what_one_learns_of_another_domain_is_nothing_to_this_one(
    visitors: Visitors,
) -> None:
    visit = visitors.visit(visitors.walk(ANN, CONTROL))
    accepts = CONTROL_NO.but(code=250, meaning=Meaning.ACCEPTED)

    assert not visit.is_spared(_fact(DomainFact.ACCEPTS_ANY, accepts, "club.example"))
    assert not visit.is_spared(_fact(DomainFact.REFUSES_VRFY, NO))
    assert visit.is_spared(_fact(DomainFact.ACCEPTS_ANY, accepts))


async def test_a_conversation_teaches_of_its_domain(visitors: Visitors) -> None:
    visit = visitors.visit(visitors.walk(ANN, CONTROL))

    (lesson,) = visit.lessons([YES, CONTROL_NO])

    assert DomainFact.SELECTIVE is lesson.kind
