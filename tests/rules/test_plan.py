"""What is asked of a host, in which order."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ringback.rules.classify import classify
from ringback.rules.phrase_table import decode_table
from ringback.rules.plan import (
    QUARTER_S,
    Plan,
    control_local_part,
    declines_vrfy,
    needs_postmaster,
    resembles_control,
)
from ringback.values.address import parse_address
from ringback.values.evidence import About, Exchange, Meaning, Stage
from ringback.wire.question import Question
from ringback.wire.reply import Reply, parse_reply

BOOK = decode_table(files("ringback.rules").joinpath("phrases.json").read_bytes())
ANN, CONTROL, POSTMASTER = "ann@mx.example", "anna.waldell@mx.example", "postmaster@mx.example"
ASK_ANN = Question(About.ADDRESS, ANN)
ASK_CONTROL = Question(About.CONTROL, CONTROL)
ASK_POSTMASTER = Question(About.POSTMASTER, POSTMASTER)
NOON = 1_800_000_000.0


def plan(
    address: str = ANN,
    control: str = CONTROL,
    postmaster: str = POSTMASTER,
    *,
    sender: str = "",
    vrfy: bool = False,
    vrfy_fallback: bool = False,
) -> Plan:
    return Plan(BOOK, address, control, postmaster, sender, vrfy, vrfy_fallback)


def answer(
    code: int,
    meaning: Meaning | None = Meaning.UNKNOWN_USER,
    *,
    stage: Stage = Stage.RCPT,
    about: About = About.ADDRESS,
    weak: bool = False,
) -> Exchange:
    return Exchange(0.0, stage, 1, about=about, code=code, meaning=meaning, weak=weak)


YES = answer(250, Meaning.ACCEPTED)
NO = answer(550)
WEAK = answer(550, Meaning.UNCLEAR, weak=True)
OPENING = [
    answer(220, Meaning.ACCEPTED, stage=Stage.GREETING),
    answer(250, Meaning.ACCEPTED, stage=Stage.EHLO),
    answer(250, Meaning.ACCEPTED, stage=Stage.MAIL),
]


def test_the_address_comes_first() -> None:
    assert plan().next_question([]) == ASK_ANN
    assert plan().next_question(OPENING) == ASK_ANN


def test_the_control_follows_an_acceptance_once() -> None:
    control = answer(550, about=About.CONTROL)

    assert plan().next_question([*OPENING, YES]) == ASK_CONTROL
    assert plan().next_question([*OPENING, YES, control]) is None


def test_no_control_where_none_is_wanted() -> None:
    assert plan(control="").next_question([YES]) is None


@pytest.mark.parametrize(
    "said",
    [
        NO,
        answer(252, Meaning.AMBIGUOUS_ACCEPT),
        answer(450, Meaning.GREYLISTED),
        answer(550, Meaning.CLIENT_BLOCKED),
        answer(550, None),
    ],
)
def test_nothing_further_is_asked_without_need(said: Exchange) -> None:
    assert plan().next_question([*OPENING, said]) is None


def test_postmaster_follows_weak_words_once() -> None:
    accepted = answer(250, Meaning.ACCEPTED, about=About.POSTMASTER)

    assert plan().next_question([*OPENING, WEAK]) == ASK_POSTMASTER
    assert plan().next_question([*OPENING, WEAK, accepted]) is None
    assert plan(postmaster="").next_question([WEAK]) is None


def test_the_last_answer_about_the_address_counts() -> None:
    wants_tls = answer(530, Meaning.TLS_REQUIRED)

    assert plan().next_question([wants_tls, YES]) == ASK_CONTROL


def test_a_connection_for_the_control_asks_for_nothing_else() -> None:
    alone = plan(address="")

    assert alone.next_question([]) == ASK_CONTROL
    assert alone.next_question([answer(550, about=About.CONTROL)]) is None


def test_every_question_has_the_same_sender() -> None:
    asked = plan(sender="probe@ours.example").next_question([YES])

    assert asked is not None
    assert asked.sender == "probe@ours.example"


# VRFY


def vrfy(code: int, meaning: Meaning, about: About = About.ADDRESS) -> Exchange:
    return answer(code, meaning, stage=Stage.VRFY, about=about)


WISHES = [
    vrfy(252, Meaning.AMBIGUOUS_ACCEPT),
    vrfy(502, Meaning.SYNTAX),
    vrfy(550, Meaning.UNKNOWN_USER),
]


def test_vrfy_asks_for_address_and_control() -> None:
    asks = plan(vrfy=True)

    assert asks.next_question([]) == Question(About.ADDRESS, ANN, vrfy=True)
    assert asks.next_question([vrfy(250, Meaning.ACCEPTED)]) == Question(
        About.CONTROL, CONTROL, vrfy=True
    )


@pytest.mark.parametrize("wish", WISHES)
def test_the_owners_wish_ends_it(wish: Exchange) -> None:
    assert declines_vrfy(wish)
    assert plan(vrfy=True).next_question([wish]) is None


@pytest.mark.parametrize("wish", WISHES)
def test_rcpt_follows_only_where_the_fallback_is_allowed(wish: Exchange) -> None:
    asks = plan(vrfy=True, vrfy_fallback=True)

    assert asks.next_question([wish]) == ASK_ANN
    assert asks.next_question([wish, YES]) == ASK_CONTROL
    assert asks.next_question([wish, NO]) is None


@pytest.mark.parametrize(
    "said",
    [
        vrfy(250, Meaning.ACCEPTED),
        vrfy(450, Meaning.SERVER_TROUBLE),
        vrfy(550, Meaning.UNKNOWN_USER, About.CONTROL),
        answer(550),
        answer(252, Meaning.AMBIGUOUS_ACCEPT),
        Exchange(0.0, Stage.VRFY, 1),
    ],
)
def test_what_is_no_wish(said: Exchange) -> None:
    assert not declines_vrfy(said)


def test_a_deferred_vrfy_is_not_followed_by_rcpt() -> None:
    deferred = vrfy(450, Meaning.SERVER_TROUBLE)

    assert plan(vrfy=True, vrfy_fallback=True).next_question([deferred]) is None


# Weak words.


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (WEAK, True),
        (answer(550, weak=True), True),
        (answer(550), False),
        (answer(450, weak=True), False),
        (answer(550, Meaning.CLIENT_BLOCKED, weak=True), False),
        (answer(550, Meaning.CONTENT_OR_POLICY, weak=True), False),
        (answer(550, weak=True, stage=Stage.MAIL), False),
        (answer(550, weak=True, stage=Stage.VRFY), False),
    ],
)
def test_contrast_is_needed_for_permanent_weak_words_at_rcpt(
    said: Exchange, expected: bool
) -> None:
    assert needs_postmaster(said) is expected


def test_a_refused_sender_is_a_refusal_of_bounces_only_for_the_null_sender() -> None:
    reply = parse_reply("550 5.1.8 sender refused")

    for sender in ("", "probe@ours.example"):
        expected = classify(Stage.MAIL, reply, BOOK, null_sender=not sender)
        assert plan(sender=sender).read(Stage.MAIL, reply) == expected


# The control.

KEY = b"k" * 32


def test_the_control_is_the_same_all_quarter_and_another_the_next() -> None:
    begin = (NOON // QUARTER_S) * QUARTER_S
    first = control_local_part(KEY, "mx.example", begin)

    assert control_local_part(KEY, "mx.example", begin + QUARTER_S - 1) == first
    assert control_local_part(KEY, "mx.example", begin + QUARTER_S) != first


def test_nobody_can_tell_the_control_without_the_key() -> None:
    controls = {control_local_part(bytes([n]) * 32, "mx.example", NOON) for n in range(40)}

    assert len(controls) > 35


def test_each_domain_has_its_own_control() -> None:
    controls = {control_local_part(KEY, f"mx{n}.example", NOON) for n in range(400)}

    assert len(controls) > 390


@given(st.binary(min_size=32, max_size=32), st.text(max_size=20), st.floats(0, 4e9))
def test_a_control_looks_like_a_name(key: bytes, domain: str, now: float) -> None:
    local = control_local_part(key, domain, now)
    first, _, family = local.partition(".")

    assert parse_address(f"{local}@mx.example").local == local
    assert first.isalpha()
    assert family.isalpha()
    assert local == local.lower()
    assert len(local) < 30


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("550 5.1.1 <ann@mx.example>: User unknown", Meaning.UNKNOWN_USER),
        ("550 5.1.1 <ANN@internal.example>: User unknown", Meaning.UNKNOWN_USER),
        ("550 5.1.1 <a.smith@MX.example>: User unknown", Meaning.UNKNOWN_USER),
        ("550 ann@mx.example: no such user", Meaning.UNKNOWN_USER),
        ("550 5.1.1 No such user", Meaning.UNKNOWN_USER),
        ("550 5.1.1 No such user; ask help@isp.example", Meaning.UNKNOWN_USER),
        ("551 5.1.6 User has moved; please try <ann@new.example>", Meaning.MOVED),
        ("550 5.1.1 <probe@b.example>: User unknown", Meaning.UNCLEAR),
        ("550 5.1.1 <postmaster@b.example>: User unknown", Meaning.UNCLEAR),
        ("550 probe@b.example: no such user", Meaning.UNCLEAR),
        ("550 5.1.1 <>: User unknown", Meaning.NULL_SENDER_REFUSED),
    ],
)
def test_a_refusal_counts_against_the_mailbox_that_it_names(text: str, meaning: Meaning) -> None:
    assert plan().read(Stage.RCPT, parse_reply(text)).meaning is meaning


# Hosts of routes.


@pytest.mark.parametrize(
    ("code", "meaning"),
    [
        (235, Meaning.ACCEPTED),
        (334, Meaning.ACCEPTED),
        (454, Meaning.SERVER_TROUBLE),
        (535, Meaning.AUTH_REQUIRED),
    ],
)
def test_what_is_said_to_a_login_is_about_the_login(code: int, meaning: Meaning) -> None:
    reply = Reply(code, ("5.1.1 User unknown",))

    assert meaning is Plan(BOOK, ANN).read(Stage.AUTH, reply).meaning


def test_a_host_of_ours_needs_no_contrast_for_words_on_a_mailbox() -> None:
    mailbox, nothing = Reply(550, ("mailbox unavailable",)), Reply(550, ("",))

    strangers, ours = Plan(BOOK, ANN), Plan(BOOK, ANN, ours=True)
    weak = [
        plan.read(Stage.RCPT, it).weak for plan in (strangers, ours) for it in (mailbox, nothing)
    ]

    assert [True, True, False, True] == weak


def test_a_control_is_known_by_its_words() -> None:
    controls = [control_local_part(KEY, f"mx{n}.example", NOON) for n in range(40)]

    assert all(map(resembles_control, controls))
    assert not any(map(resembles_control, ["", "ann", "anna.smith", "anna.albamberg.x"]))
