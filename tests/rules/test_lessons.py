"""What a callout teaches about domains and hosts."""

from dataclasses import replace

import pytest

from ringback.rules.conclude import conclude
from ringback.rules.lessons import (
    BROKEN_TLS_KEPT_S,
    REFUSAL_KEPT_S,
    REFUSAL_PAUSE_S,
    WINDOW_KEPT_S,
    Lessons,
    decides,
    learn,
    pair,
    remembered,
)
from ringback.values.evidence import About, Exchange, Fault, Meaning, Stage
from ringback.values.facts import DomainFact, Fact, HostFact
from ringback.values.settings import Ages, Identity, Method, Settings, Smtp

NOON = 1_800_000_000.0
DOMAIN, IP = "shop.example", "192.0.2.1"
AGES = Ages(7 * 86_400.0, 90 * 86_400.0)
EXPIRES = NOON + AGES.expire_s


def said(
    stage: Stage,
    meaning: Meaning | None = None,
    code: int | None = 550,
    *,
    about: About = About.ADDRESS,
    connection: int = 1,
    text: str = "",
    fault: Fault | None = None,
    ip: str = IP,
) -> Exchange:
    return Exchange(
        NOON,
        stage,
        connection,
        "mx.example",
        ip,
        about=about,
        code=None if fault else code,
        text=text,
        meaning=meaning,
        fault=fault,
    )


YES = said(Stage.RCPT, Meaning.ACCEPTED, 250)
NO = said(Stage.RCPT, Meaning.UNKNOWN_USER)
CONTROL_NO = said(Stage.RCPT, Meaning.UNKNOWN_USER, about=About.CONTROL)
CONTROL_YES = said(Stage.RCPT, Meaning.ACCEPTED, 250, about=About.CONTROL)


def lessons(*evidence: Exchange) -> Lessons:
    return learn(DOMAIN, evidence, conclude(evidence), NOON, AGES)


def domain_facts(*evidence: Exchange) -> list[Fact]:
    return [fact for fact in lessons(*evidence).learned if fact.subject == DOMAIN]


def host_facts(*evidence: Exchange) -> list[Fact]:
    return [fact for fact in lessons(*evidence).learned if fact.subject != DOMAIN]


def fact(kind: DomainFact, shown_by: Exchange) -> Fact:
    return Fact(DOMAIN, kind, NOON, EXPIRES, (remembered(shown_by),))


def test_what_is_remembered_is_of_no_connection_of_today() -> None:
    assert remembered(NO) == replace(NO, connection=0)


# Domains.


def test_a_refused_control_shows_a_selective_domain() -> None:
    taught = lessons(YES, CONTROL_NO)

    assert domain_facts(YES, CONTROL_NO) == [fact(DomainFact.SELECTIVE, CONTROL_NO)]
    assert (DOMAIN, DomainFact.ACCEPTS_ANY) in taught.unlearned


def test_an_accepted_control_shows_a_domain_that_accepts_any() -> None:
    taught = lessons(YES, CONTROL_YES)

    assert domain_facts(YES, CONTROL_YES) == [fact(DomainFact.ACCEPTS_ANY, CONTROL_YES)]
    assert (DOMAIN, DomainFact.SELECTIVE) in taught.unlearned


def test_an_old_fact_does_not_renew_itself() -> None:
    assert domain_facts(remembered(CONTROL_NO), YES) == []
    assert domain_facts(remembered(CONTROL_YES)) == []
    bounce = said(Stage.MAIL, Meaning.NULL_SENDER_REFUSED, connection=0)
    assert domain_facts(bounce) == []


def test_a_refusal_of_bounces_is_remembered_of_the_domain() -> None:
    for stage in (Stage.MAIL, Stage.RCPT):
        refused = said(stage, Meaning.NULL_SENDER_REFUSED)
        assert domain_facts(refused) == [fact(DomainFact.REFUSES_NULL_SENDER, refused)]
        assert host_facts(refused) == []


def test_a_refused_mailbox_ends_accepts_any() -> None:
    assert (DOMAIN, DomainFact.ACCEPTS_ANY) in lessons(NO).unlearned
    assert domain_facts(NO) == []


@pytest.mark.parametrize(
    "evidence",
    [
        (said(Stage.ROUTE, connection=0, fault=Fault.NULL_MX),),
        (said(Stage.RCPT, Meaning.GREYLISTED, 450),),
        (said(Stage.MAIL, Meaning.CLIENT_BLOCKED),),
        (),
    ],
)
def test_what_no_mailbox_was_refused_for_leaves_the_domain_alone(
    evidence: tuple[Exchange, ...],
) -> None:
    assert domain_facts(*evidence) == []
    assert all(subject != DOMAIN for subject, _ in lessons(*evidence).unlearned)


def test_a_control_that_got_no_answer_teaches_nothing() -> None:
    lost = said(Stage.RCPT, about=About.CONTROL, fault=Fault.CLOSED)

    assert domain_facts(YES, lost) == []


@pytest.mark.parametrize(
    ("code", "meaning"), [(252, Meaning.AMBIGUOUS_ACCEPT), (502, Meaning.SYNTAX)]
)
def test_a_wish_against_vrfy_is_remembered(code: int, meaning: Meaning) -> None:
    wish = said(Stage.VRFY, meaning, code)

    assert fact(DomainFact.REFUSES_VRFY, wish) in domain_facts(wish)
    assert domain_facts(remembered(wish)) == []


# Hosts.


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.EHLO, Stage.HELO, Stage.MAIL])
@pytest.mark.parametrize("meaning", [Meaning.CLIENT_BLOCKED, Meaning.SENDER_REJECTED])
def test_a_refusal_of_us_before_any_mailbox_is_of_the_whole_host(
    stage: Stage, meaning: Meaning
) -> None:
    refusal = said(stage, meaning)

    assert host_facts(refusal) == [
        Fact(IP, HostFact.REFUSES_US, NOON, NOON + REFUSAL_KEPT_S, (remembered(refusal),))
    ]


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.VRFY])
def test_a_refusal_of_us_for_a_mailbox_is_of_host_and_domain(stage: Stage) -> None:
    """One restricted mailbox at a large provider must not switch it off for all."""
    refusal, some = host_facts(said(stage, Meaning.CLIENT_BLOCKED))

    assert (refusal.subject, refusal.kind) == (pair(IP, DOMAIN), HostFact.REFUSES_US)
    assert (some.subject, some.kind) == (IP, HostFact.REFUSES_SOME)


@pytest.mark.parametrize(
    ("kind", "settings", "answers"),
    [
        (DomainFact.ACCEPTS_ANY, Settings(), True),
        (DomainFact.SELECTIVE, Settings(), False),
        (DomainFact.REFUSES_NULL_SENDER, Settings(), True),
        (
            DomainFact.REFUSES_NULL_SENDER,
            Settings(identity=Identity(probe_sender="probe@b.example")),
            False,
        ),
        (DomainFact.REFUSES_VRFY, Settings(), False),
        (DomainFact.REFUSES_VRFY, Settings(smtp=Smtp(method=Method.VRFY)), True),
        (
            DomainFact.REFUSES_VRFY,
            Settings(smtp=Smtp(method=Method.VRFY, vrfy_fallback=True)),
            False,
        ),
    ],
)
def test_which_facts_answer_for_all_addresses(
    kind: DomainFact, settings: Settings, answers: bool
) -> None:
    assert answers is decides(Fact(DOMAIN, kind, NOON, NOON + 1), settings)


def test_too_much_of_us_is_of_the_whole_host_wherever_it_is_said() -> None:
    (refusal,) = host_facts(said(Stage.RCPT, Meaning.RATE_LIMITED, 450))

    assert refusal.subject == IP


def test_a_refusal_of_us_at_the_control_counts_too() -> None:
    (refusal,) = host_facts(YES, said(Stage.RCPT, Meaning.RATE_LIMITED, about=About.CONTROL))

    assert refusal.kind is HostFact.REFUSES_US


def test_a_refusal_is_kept_longer_than_the_host_is_left_alone() -> None:
    assert REFUSAL_PAUSE_S < REFUSAL_KEPT_S


@pytest.mark.parametrize(
    ("text", "window_s"), [("Greylisted, try again in 300 seconds", 300.0), ("later", None)]
)
def test_greylisting_is_remembered_with_the_window_it_named(
    text: str, window_s: float | None
) -> None:
    delay = said(Stage.RCPT, Meaning.GREYLISTED, 450, text=text)

    assert host_facts(delay) == [
        Fact(IP, HostFact.GREYLISTS, NOON, NOON + WINDOW_KEPT_S, (remembered(delay),), window_s)
    ]
    assert (IP, HostFact.GREYLISTS) not in lessons(delay).unlearned


@pytest.mark.parametrize("answer", [YES, NO])
def test_an_answer_at_rcpt_shows_that_greylisting_has_been_passed(answer: Exchange) -> None:
    assert (IP, HostFact.GREYLISTS) in lessons(answer).unlearned


@pytest.mark.parametrize(
    "other",
    [
        said(Stage.RCPT, fault=Fault.CLOSED),
        said(Stage.MAIL, Meaning.CLIENT_BLOCKED),
        said(Stage.GREETING, Meaning.SERVER_TROUBLE, 421),
    ],
)
def test_no_answer_at_rcpt_shows_nothing_of_greylisting(other: Exchange) -> None:
    assert (IP, HostFact.GREYLISTS) not in lessons(other).unlearned


def test_broken_tls_is_remembered_so_that_the_host_is_asked_in_clear() -> None:
    broken = said(Stage.TLS, fault=Fault.TLS_FAILED)
    in_clear = replace(NO, connection=2)

    assert host_facts(broken, in_clear) == [
        Fact(IP, HostFact.BREAKS_TLS, NOON, NOON + BROKEN_TLS_KEPT_S, (remembered(broken),))
    ]


def test_each_host_is_learned_of_by_its_own_conversation() -> None:
    first = said(Stage.GREETING, Meaning.CLIENT_BLOCKED)
    second = said(Stage.RCPT, Meaning.GREYLISTED, 450, connection=2, ip="192.0.2.2")

    assert [(one.subject, one.kind) for one in host_facts(first, second)] == [
        (IP, HostFact.REFUSES_US),
        ("192.0.2.2", HostFact.GREYLISTS),
    ]


def test_what_was_remembered_teaches_nothing_about_hosts() -> None:
    assert host_facts(said(Stage.GREETING, Meaning.CLIENT_BLOCKED, connection=0)) == []


def test_a_limit_of_recipients_at_the_control_is_no_refusal_of_us() -> None:
    limit = said(Stage.RCPT, Meaning.RATE_LIMITED, 452, about=About.CONTROL)

    assert host_facts(YES, limit) == []
