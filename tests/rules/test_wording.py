"""The language of phrases.toml."""

import pytest

from ringback.rules.folding import fold
from ringback.rules.wording import MAX_PATTERN_CHARS, Anchors, Pattern, parse_pattern

WORDS = {
    "box": Pattern("user|mailbox", {}),
    "gone": Pattern("unknown|not found", {}),
    "or": Pattern("or|o", {}),
    "deep": Pattern("user|(the (our (own|old)|this)) mailbox", {}),
}


def words(*groups: str) -> tuple[Anchors, ...]:
    return tuple(frozenset(group.split()) for group in groups)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("user unknown", "550: USER  unknown."),
        ("(user|mailbox) unknown", "mailbox unknown"),
        ("users? unknown", "user unknown"),
        ("users? unknown", "users unknown"),
        ("user(%)? unknown", "user unknown"),
        ("(the )?user unknown", "user unknown"),
        ("user {is |was |now }unknown", "user is now unknown"),
        ("user {is |was |now }unknown", "user unknown"),
        ("<box> <gone>", "Mailbox not found"),
        ("greylist~", "Greylisting"),
        ("user $ unknown", "user zed unknown"),
        ("wait % seconds", "wait 300 seconds"),
        ("user * unknown", "user, whoever that is, unknown"),
        ("user * unknown", "user unknown"),
        ("user does not exist", "user doesn't exist"),
        ("empfänger unbekannt", "Empfanger unbekannt"),
        ("用户*不存在", "该用户zed不存在"),
        ("滿", "信箱滿了"),
        ("<> refused", "<>: refused"),
    ],
)
def test_a_pattern_that_occurs(written: str, text: str) -> None:
    pattern, folded = parse_pattern(written, WORDS), fold(text)

    assert pattern.found_in(folded)
    for group in pattern.anchors:
        assert any(word in folded for word in group)


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("user unknown", "user is unknown"),
        ("user unknown", "superuser unknown"),
        ("user unknown", "user unknowns"),
        ("user", "mailbox"),
        ("user * unknown", "user" + " x" * 40 + " unknown"),
        ("user * unknown", "userunknown"),
        ("user {is |was }unknown", "user" + " is" * 7 + " unknown"),
        ("wait % seconds", "wait some seconds"),
    ],
)
def test_a_pattern_that_does_not_occur(written: str, text: str) -> None:
    assert not Pattern(written, WORDS).found_in(fold(text))


@pytest.mark.parametrize(
    "written",
    [
        "?user",
        "(?user|mailbox) unknown",
        "(user|?) unknown",
        "{?is }unknown",
        "user unknown??",
        "(a)?? unknown",
        "{is }? unknown",
        "user *? unknown",
        "user~? unknown",
        "user%? unknown",
        "user $? unknown",
    ],
)
def test_an_option_of_nothing_is_refused_when_it_is_read(written: str) -> None:
    with pytest.raises(ValueError, match="belongs to a letter or a choice"):
        Pattern(written, WORDS)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("", "1 to"),
        ("x" * (MAX_PATTERN_CHARS + 1), "1 to"),
        ("<nobody> %", "'nobody'"),
        ("(user", "without brackets"),
        ("user)", "without brackets"),
        ("user|mailbox", "without brackets"),
        ("(the (own (user|mailbox))) unknown", "nested too deep"),
        ("(user)?", "nothing in it must stand"),
        ("* %", "nothing in it must stand"),
        ("(user|%)", "nothing in it must stand"),
        ("(user|(the )?)", "nothing in it must stand"),
        ("<or> %", "nothing in it must stand"),
        ("<deep>", "nested too deep"),
        ("a", "nothing in it must stand"),
    ],
)
def test_what_has_no_anchor_is_refused(written: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_pattern(written, WORDS)


@pytest.mark.parametrize(
    ("written", "complaint"),
    [
        ("User unknown", "folded to 'user unknown'"),
        ("user isn't known", "folded to 'user is not known'"),
        ("ab * cd * ef * gh * ij", "gaps"),
        ("{user|mailbox * }full", "cannot be repeated"),
        ("user <nobody>", "'nobody'"),
    ],
)
def test_what_no_reply_can_say_is_refused(written: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        assert Pattern(written, WORDS).regex


@pytest.mark.parametrize(
    ("written", "anchors"),
    [
        ("(user|username|mailbox) (is )?unknown", words("unknown", "user mailbox")),
        ("users? {is |was }not known", words("known", "user")),
        ("(not found|no such) <box>", words("such found", "user mailbox")),
        ("((the|our) mailbox|user~) full", words("full", "mailbox user")),
        ("(mailbox (full|closed)|over (quota|limit))", words("mailbox quota limit")),
        ("<or> mailbox", words("mailbox")),
        ("(<gone>|no longer) here", words("here", "unknown found longer")),
    ],
)
def test_anchors_are_what_must_stand_there(written: str, anchors: tuple[Anchors, ...]) -> None:
    assert anchors == parse_pattern(written, WORDS).anchors


def test_of_many_alternatives_none_is_left_out() -> None:
    names = [f"user{number:03}" for number in range(100)]

    assert (frozenset({"user", *names}),) == parse_pattern(f"(user|{'|'.join(names)})", {}).anchors
