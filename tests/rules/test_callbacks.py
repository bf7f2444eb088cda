"""What a session that a log told of was."""

import pytest

from ringback.rules.callbacks import (
    MAX_ASKED,
    MAX_KEPT_CHARS,
    Asked,
    Ground,
    Maker,
    SessionSeen,
    Sureness,
    judge,
    seems_to_ask,
)
from ringback.wire.maillog import LoggedClient

CLIENT = LoggedClient("192.0.2.1", "mx.caller.example", "helo.example")
NOBODY = Asked("nobody@ours.example", 550, missing=True)
EXIM_CONTROL = Asked("mx.caller.example-1795262400-testing@ours.example", 550, missing=True)
ACCEPTED = Asked("ann@ours.example")
LATER = Asked("ann@ours.example", 450)
OF_US = Asked("ann@elsewhere.example", 554)


def session(
    *asked: Asked, sender: str | None = "", unnamed: int = 0, tidy: bool = True
) -> SessionSeen:
    seen = SessionSeen(1.0, CLIENT, unnamed=unnamed, tidy=tidy)
    seen.come_from(sender)
    for one in asked:
        seen.ask(one.recipient, one.code, missing=one.missing)
    return seen


def verdict(seen: SessionSeen) -> tuple[Ground, Maker] | None:
    callback = judge(seen)
    return (callback.ground, callback.maker) if callback else None


@pytest.mark.parametrize(
    ("seen", "ground", "maker"),
    [
        (session(ACCEPTED), Ground.ASKED_AND_LEFT, Maker.UNKNOWN),
        (session(ACCEPTED, NOBODY), Ground.ASKED_AND_LEFT, Maker.UNKNOWN),
        (session(ACCEPTED, LATER, OF_US), Ground.ASKED_AND_LEFT, Maker.UNKNOWN),
        (session(unnamed=1), Ground.ASKED_AND_LEFT, Maker.UNKNOWN),
        (session(ACCEPTED, sender="double-bounce@c"), Ground.ASKED_AND_LEFT, Maker.POSTFIX),
        (session(unnamed=1, sender=None), Ground.SENDER_UNSURE, Maker.UNKNOWN),
        (session(ACCEPTED, sender="postmaster@c.example"), Ground.SENDER_UNSURE, Maker.UNKNOWN),
        (session(ACCEPTED, sender="sender-verify@c.example"), Ground.SENDER_UNSURE, Maker.UNKNOWN),
        (session(NOBODY), Ground.REFUSED, Maker.UNKNOWN),
        (session(NOBODY, LATER, OF_US), Ground.REFUSED, Maker.UNKNOWN),
        (session(NOBODY, sender="double-bounce@c.example"), Ground.REFUSED, Maker.POSTFIX),
        (session(ACCEPTED, tidy=False), Ground.LOST, Maker.UNKNOWN),
        (session(EXIM_CONTROL), Ground.CONTROL, Maker.EXIM),
        (session(EXIM_CONTROL, sender="someone@c.example"), Ground.CONTROL, Maker.EXIM),
        (session(EXIM_CONTROL, sender=None), Ground.CONTROL, Maker.EXIM),
        (
            session(ACCEPTED, Asked("anna.albam-berg@x", 550), Asked("anna.alaberg@ours", 550)),
            Ground.ASKED_AND_LEFT,
            Maker.RINGBACK,
        ),
    ],
)
def test_who_asks_and_leaves_makes_a_callback(
    seen: SessionSeen, ground: Ground, maker: Maker
) -> None:
    assert (ground, maker) == verdict(seen)


@pytest.mark.parametrize(
    "seen",
    [
        pytest.param(session(), id="a-scanner"),
        pytest.param(session(NOBODY, sender="ann@c.example"), id="mail-to-nobody"),
        pytest.param(session(ACCEPTED, sender="ann@c.example"), id="mail-that-was-given-up"),
        pytest.param(session(NOBODY, sender=None), id="a-refusal-of-whom-nobody-knows"),
        pytest.param(session(unnamed=1, sender=None, tidy=False), id="a-bot-that-went"),
        pytest.param(session(*[NOBODY] * (MAX_ASKED + 1)), id="a-harvester"),
        pytest.param(session(unnamed=MAX_ASKED + 1), id="a-lucky-harvester"),
        pytest.param(session(LATER), id="a-bounce-that-was-put-off"),
        pytest.param(session(LATER, sender="double-bounce@c"), id="a-notice-that-was-put-off"),
        pytest.param(session(OF_US), id="a-refusal-of-the-client"),
        pytest.param(session(NOBODY, sender="verity@c.example"), id="a-person-called-verity"),
    ],
)
def test_others_do_not(seen: SessionSeen) -> None:
    assert judge(seen) is None


def test_who_brings_a_message_makes_none() -> None:
    seen = session(ACCEPTED)
    seen.brought = True

    assert judge(seen) is None


def test_who_is_logged_in_makes_none() -> None:
    seen = session(ACCEPTED)
    seen.learn(LoggedClient("192.0.2.1", login="ann"))

    assert judge(seen) is None


def test_a_session_of_nobody_is_none() -> None:
    seen = SessionSeen(1.0, LoggedClient(""))
    seen.ask("a@b.example")
    seen.come_from("")
    assert judge(seen) is None

    seen.learn(CLIENT)
    assert judge(seen) is not None


def test_what_two_clients_seem_to_have_done_is_none() -> None:
    seen = session(ACCEPTED)
    seen.learn(LoggedClient(""))
    assert judge(seen) is not None

    seen.learn(LoggedClient("198.51.100.9"))
    assert judge(seen) is None


def test_a_callback_says_what_was_asked_and_answered() -> None:
    callback = judge(session(ACCEPTED, NOBODY, OF_US))

    assert callback is not None
    assert (1.0, CLIENT, "") == (callback.at, callback.client, callback.sender)
    assert [(0, False), (550, True), (554, False)] == [
        (one.code, one.missing) for one in callback.asked
    ]


def test_what_could_be_something_else_is_not_sure() -> None:
    likely = {ground for ground in Ground if ground.sureness is Sureness.LIKELY}

    assert {Ground.REFUSED, Ground.LOST, Ground.SENDER_UNSURE} == likely
    assert {Ground.REFUSED, Ground.LOST} == {ground for ground in Ground if ground.may_be_bounce}


@pytest.mark.parametrize(
    ("sender", "seems"),
    [
        ("", True),
        ("Postmaster@c", True),
        ("double-bounce@c", True),
        ("ann@c", False),
        ("ann", False),
    ],
)
def test_some_senders_seem_to_ask(sender: str, seems: bool) -> None:
    assert seems is seems_to_ask(sender)


def test_what_is_kept_is_bounded() -> None:
    seen = session(*[Asked("x" * 9_000, 550)] * 1_000)
    for number in range(1_000):
        seen.come_from(f"{number}" * 9_000)
    seen.learn(LoggedClient("192.0.2.1", "n" * 9_000, "h" * 9_000))

    kept = [*seen.senders, *(one.recipient for one in seen.asked), seen.client.helo]
    assert MAX_KEPT_CHARS == max(map(len, kept))
    assert 2 * MAX_ASKED + 4 >= len(kept)
