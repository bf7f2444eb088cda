"""What a callout teaches about domains and hosts."""

from importlib.resources import files

import pytest

from ringback.rules import contrast
from ringback.rules.breakers import (
    REFUSAL_COUNTS_S,
    REFUSAL_PAUSE_S,
    STRIKES_KEPT_S,
    State,
    state_of,
)
from ringback.rules.conclude import conclude
from ringback.rules.lessons import (
    BROKEN_TLS_KEPT_S,
    DOMAINS_OF_A_HOST,
    NOT_SERVED_KEPT_S,
    OPT_OUT_KEPT_S,
    OPT_OUT_RULE,
    WINDOW_KEPT_S,
    Lessons,
    decides,
    is_limit_of_session,
    learn,
    learn_of_host,
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
    return list(lessons(*evidence).learned)


def of_host(
    *conversation: Exchange,
    known: tuple[Fact, ...] = (),
    now: float = NOON,
    domain: str = DOMAIN,
) -> Lessons:
    return learn_of_host(domain, conversation, known, now)


def host_facts(*conversation: Exchange) -> list[Fact]:
    return list(of_host(*conversation).learned)


def breaker(strikes: int = 1, noted_at: float = NOON - REFUSAL_PAUSE_S, subject: str = IP) -> Fact:
    """As it is when its first pause ends, with the domain's or the host's words in it."""
    refusal = remembered(said(Stage.RCPT, Meaning.CLIENT_BLOCKED))
    expires_at = noted_at + STRIKES_KEPT_S
    return Fact(subject, HostFact.REFUSES_US, noted_at, expires_at, (refusal,), strikes=strikes)


def fact(kind: DomainFact, shown_by: Exchange) -> Fact:
    return Fact(DOMAIN, kind, NOON, EXPIRES, (remembered(shown_by),))


def test_what_is_remembered_is_of_no_connection_of_today() -> None:
    assert remembered(NO) == NO.but(connection=0)


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


def test_a_domain_that_its_own_host_does_not_serve_is_remembered_for_a_day() -> None:
    denied = said(Stage.RCPT, Meaning.UNKNOWN_DOMAIN)
    (learned,) = domain_facts(denied)

    assert (learned.kind, learned.expires_at) == (DomainFact.NOT_SERVED, NOON + NOT_SERVED_KEPT_S)
    assert domain_facts(remembered(denied)) == []


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
        Fact(IP, HostFact.REFUSES_US, NOON, NOON + STRIKES_KEPT_S, (remembered(refusal),))
    ]


@pytest.mark.parametrize(
    ("stage", "meaning"),
    [
        (Stage.MAIL, Meaning.UNCLEAR),
        (Stage.MAIL, Meaning.CONTENT_OR_POLICY),
        (Stage.MAIL, Meaning.SYNTAX),
        (Stage.MAIL, Meaning.AUTH_REQUIRED),
        (Stage.MAIL, Meaning.TLS_REQUIRED),
        (Stage.EHLO, Meaning.SYNTAX),
    ],
)
def test_before_any_mailbox_every_lasting_refusal_is_of_us(stage: Stage, meaning: Meaning) -> None:
    opened = host_facts(said(stage, meaning))

    assert [(IP, HostFact.REFUSES_US)] == [(fact.subject, fact.kind) for fact in opened]
    assert [] == host_facts(said(stage, meaning, 450))


@pytest.mark.parametrize("stage", [Stage.RCPT, Stage.VRFY])
def test_a_refusal_of_us_for_a_mailbox_is_of_host_and_domain(stage: Stage) -> None:
    """One restricted mailbox at a large provider must not switch it off for all."""
    some, refusal = host_facts(said(stage, Meaning.CLIENT_BLOCKED))

    assert (refusal.subject, refusal.kind) == (pair(IP, DOMAIN), HostFact.REFUSES_US)
    assert (some.subject, some.kind) == (IP, HostFact.REFUSES_SOME)


@pytest.mark.parametrize(
    ("kind", "settings", "answers"),
    [
        (DomainFact.ACCEPTS_ANY, Settings(), True),
        (DomainFact.NOT_SERVED, Settings(), True),
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
    learned = host_facts(YES, said(Stage.RCPT, Meaning.RATE_LIMITED, about=About.CONTROL))

    assert [HostFact.REFUSES_US, HostFact.NO_CONTRAST] == [fact.kind for fact in learned]


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
    assert (IP, HostFact.GREYLISTS) not in of_host(delay, known=(GREY,)).unlearned


GREY = Fact(IP, HostFact.GREYLISTS, NOON - 600, NOON + WINDOW_KEPT_S)


@pytest.mark.parametrize("answer", [YES, NO])
def test_an_answer_at_rcpt_shows_that_greylisting_has_been_passed(answer: Exchange) -> None:
    assert Lessons(unlearned=((IP, HostFact.GREYLISTS),)) == of_host(answer, known=(GREY,))
    assert Lessons() == of_host(answer)


def test_vrfy_shows_nothing_of_greylisting() -> None:
    assert Lessons() == of_host(said(Stage.VRFY, Meaning.ACCEPTED, 250), known=(GREY,))


@pytest.mark.parametrize(
    "other",
    [
        said(Stage.RCPT, fault=Fault.CLOSED),
        said(Stage.MAIL, Meaning.CLIENT_BLOCKED),
        said(Stage.GREETING, Meaning.SERVER_TROUBLE, 421),
    ],
)
def test_no_answer_at_rcpt_shows_nothing_of_greylisting(other: Exchange) -> None:
    assert (IP, HostFact.GREYLISTS) not in of_host(other, known=(GREY,)).unlearned


def test_broken_tls_is_remembered_so_that_the_host_is_asked_in_clear() -> None:
    broken = said(Stage.TLS, fault=Fault.TLS_FAILED)
    in_clear = NO.but(connection=2)

    assert host_facts(broken, in_clear) == [
        Fact(IP, HostFact.BREAKS_TLS, NOON, NOON + BROKEN_TLS_KEPT_S, (remembered(broken),))
    ]


def test_a_limit_of_recipients_at_the_control_is_no_refusal_of_us() -> None:
    limit = said(Stage.RCPT, Meaning.RATE_LIMITED, 452, about=About.CONTROL)

    assert [HostFact.NO_CONTRAST] == [fact.kind for fact in host_facts(YES, limit)]
    assert is_limit_of_session(limit)


# The control.


UNSETTLED = [
    said(Stage.RCPT, Meaning.SERVER_TROUBLE, 452, about=About.CONTROL),
    said(Stage.RCPT, Meaning.GREYLISTED, 450, about=About.CONTROL),
    said(Stage.RCPT, Meaning.AMBIGUOUS_ACCEPT, 252, about=About.CONTROL),
    said(Stage.RCPT, Meaning.CONTENT_OR_POLICY, 554, about=About.CONTROL),
    said(Stage.RSET, Meaning.SYNTAX, 500, about=About.CONTROL),
    said(Stage.RCPT, about=About.CONTROL, fault=Fault.CLOSED),
]


@pytest.mark.parametrize("answer", UNSETTLED)
def test_a_control_that_settles_nothing_is_remembered_of_host_and_domain(answer: Exchange) -> None:
    noted = contrast.note(pair(IP, DOMAIN), None, remembered(answer), NOON)

    assert noted in host_facts(YES, answer)
    again = contrast.note(pair(IP, DOMAIN), noted, remembered(answer), NOON)
    assert again in of_host(YES, answer, known=(noted,)).learned
    assert HostFact.REFUSES_US not in {fact.kind for fact in host_facts(YES, answer)}


@pytest.mark.parametrize("answer", [CONTROL_NO, CONTROL_YES])
def test_a_control_that_settles_it_ends_that(answer: Exchange) -> None:
    known = contrast.note(pair(IP, DOMAIN), None, remembered(UNSETTLED[0]), NOON)

    ended = Lessons(unlearned=((pair(IP, DOMAIN), HostFact.NO_CONTRAST),))
    assert ended == of_host(YES, answer, known=(known,))
    assert Lessons() == of_host(YES, answer)


# Breakers.


def test_a_refused_trial_strikes_again() -> None:
    (struck,) = of_host(said(Stage.MAIL, Meaning.CLIENT_BLOCKED), known=(breaker(),)).learned

    assert (HostFact.REFUSES_US, 2) == (struck.kind, struck.strikes)


def test_who_was_refused_while_it_was_open_adds_nothing() -> None:
    open_now = breaker(noted_at=NOON - 10)

    assert Lessons() == of_host(said(Stage.MAIL, Meaning.CLIENT_BLOCKED), known=(open_now,))


@pytest.mark.parametrize("subject", [IP, pair(IP, DOMAIN)])
@pytest.mark.parametrize(
    "answer",
    [
        YES,
        NO,
        said(Stage.RCPT, Meaning.SERVER_TROUBLE, 451),
        said(Stage.VRFY, Meaning.ACCEPTED, 250),
    ],
)
def test_a_trial_without_refusal_closes_it_for_the_rest_of_the_day(
    answer: Exchange, subject: str
) -> None:
    (closed,) = of_host(answer, known=(breaker(subject=subject),)).learned

    assert (subject, State.CLOSED) == (closed.subject, state_of(closed, NOON))
    assert NOON - REFUSAL_PAUSE_S + REFUSAL_COUNTS_S == closed.expires_at


def test_an_older_one_is_over() -> None:
    old = breaker(6, NOON - REFUSAL_COUNTS_S)

    assert Lessons(unlearned=((IP, HostFact.REFUSES_US),)) == of_host(YES, known=(old,))


@pytest.mark.parametrize(
    "known", [breaker(noted_at=NOON - 10), breaker(0), breaker(subject=pair(IP, "other.example"))]
)
def test_an_answer_closes_no_breaker_but_the_one_it_tries(known: Fact) -> None:
    assert Lessons() == of_host(YES, known=(known,))


@pytest.mark.parametrize(
    "conversation",
    [
        (said(Stage.CONNECT, fault=Fault.TIMEOUT),),
        (said(Stage.RCPT, fault=Fault.CLOSED),),
        (said(Stage.MAIL, Meaning.SERVER_TROUBLE, 451),),
        (),
    ],
)
def test_a_trial_that_came_to_nothing_changes_nothing(conversation: tuple[Exchange, ...]) -> None:
    assert Lessons() == of_host(*conversation, known=(breaker(),))


def test_a_refusal_at_the_control_closes_nothing() -> None:
    blocked = said(Stage.RCPT, Meaning.RATE_LIMITED, about=About.CONTROL)

    struck, unsettled = of_host(YES, blocked, known=(breaker(),)).learned

    assert 2 == struck.strikes
    assert HostFact.NO_CONTRAST is unsettled.kind


# A host that refuses us for one domain after the other.


def refused_for(domain: str, at: float = NOON) -> Exchange:
    return said(Stage.RCPT, Meaning.CLIENT_BLOCKED).but(at=at, command=f"RCPT TO:<ann@{domain}>")


def refuse_for(*domains: str, known: tuple[Fact, ...] = (), now: float = NOON) -> tuple[Fact, ...]:
    """What is known of the host after it has refused us for `domains`."""
    facts = {(fact.subject, fact.kind): fact for fact in known}
    for domain in domains:
        taught = of_host(
            refused_for(domain, now), known=tuple(facts.values()), now=now, domain=domain
        )
        facts |= {(fact.subject, fact.kind): fact for fact in taught.learned}
    return tuple(facts.values())


def host_breakers(facts: tuple[Fact, ...]) -> list[Fact]:
    return [fact for fact in facts if (fact.subject, fact.kind) == (IP, HostFact.REFUSES_US)]


def test_three_domains_within_a_day_open_the_breaker_of_the_host() -> None:
    two = refuse_for("a.example", "b.example", "a.example", "b.example")
    three = refuse_for("c.example", known=two)

    assert [] == host_breakers(two)
    assert [1] == [fact.strikes for fact in host_breakers(three)]


def test_domains_of_the_day_before_are_forgotten() -> None:
    before = refuse_for("a.example", "b.example", now=NOON - REFUSAL_COUNTS_S)

    assert [] == host_breakers(refuse_for("c.example", known=before))


def test_what_is_kept_of_a_host_that_refuses_everybody_is_bounded() -> None:
    facts = refuse_for(*(f"d{number}.example" for number in range(9)))
    some = next(fact for fact in facts if fact.kind is HostFact.REFUSES_SOME)

    assert DOMAINS_OF_A_HOST == len(some.evidence)


def test_words_without_a_domain_are_of_one() -> None:
    unnamed = Fact(IP, HostFact.REFUSES_SOME, NOON, NOON + 1, (said(Stage.RCPT),) * 2)

    assert [] == host_breakers(refuse_for("a.example", known=(unnamed,)))


def test_vrfy_names_its_domain_too() -> None:
    asked = refused_for("a.example").but(stage=Stage.VRFY, command="VRFY ann@a.example")
    known = of_host(asked, domain="a.example").learned

    assert [] == host_breakers(refuse_for("a.example", "b.example", known=known))


def test_the_host_closes_with_a_clean_slate() -> None:
    facts = refuse_for("a.example", "b.example", "c.example", now=NOON - REFUSAL_PAUSE_S)
    closing = of_host(YES, known=facts, domain="d.example").learned
    kept = {(fact.subject, fact.kind): fact for fact in (*facts, *closing)}

    after = refuse_for("e.example", known=tuple(kept.values()))

    assert [State.CLOSED] == [state_of(fact, NOON) for fact in host_breakers(after)]


@pytest.mark.parametrize("stage", [Stage.GREETING, Stage.MAIL, Stage.RCPT])
def test_a_refusal_of_callouts_in_words_opts_the_host_out(stage: Stage) -> None:
    words = said(stage, Meaning.CLIENT_BLOCKED).but(rule=OPT_OUT_RULE)

    wish = host_facts(words)[0]

    assert (IP, HostFact.REFUSES_CALLOUTS) == (wish.subject, wish.kind)
    assert NOON + OPT_OUT_KEPT_S == wish.expires_at


def test_the_rule_is_one_of_the_phrases() -> None:
    phrases = files("ringback.rules").joinpath("phrases.toml").read_text("utf-8")

    assert f'id = "{OPT_OUT_RULE.removeprefix("phrase ")}"' in phrases
