"""Callers, as they are told."""

import json

from ringback.doors.traced import (
    GROUNDS,
    MAKERS,
    LogSeen,
    encode_caller,
    encode_rest,
    tell_caller,
    tell_seen,
)
from ringback.rules.callbacks import Asked, Callback, Ground, Maker
from ringback.rules.callers import Caller, Callers, CallersSeen, Others
from ringback.wire.maillog import LoggedClient

AT = 1_795_262_400.0  # 2026-11-21T12:00:00Z
CLIENT = LoggedClient("192.0.2.1", "mx.caller.example", "\x1b[2Jhelo")
SURE = Callback(AT, CLIENT, Ground.ASKED_AND_LEFT, Maker.UNKNOWN, None, (), 1)
CONTROL = Asked("mx-1795262400-testing@ours.example", 550, missing=True)
ASKED = (Asked("ann@ours.example"), Asked("\x1b[2Jeve@ours.example", 550, missing=True))
LIKELY = Callback(AT + 60, CLIENT, Ground.REFUSED, Maker.UNKNOWN, "", ASKED[1:])
BY_EXIM = Callback(AT, CLIENT, Ground.CONTROL, Maker.EXIM, "", (*ASKED, CONTROL))
LOG = LogSeen(1_000, 900, AT, AT + 60)


def caller_of(*callbacks: Callback) -> Caller:
    counted = Callers(lambda _: "caller.example")
    for callback in callbacks:
        counted.hear(callback)
    (caller,) = counted.seen().callers
    return caller


def seen(*callers: Caller) -> CallersSeen:
    return CallersSeen(callers, (), Others())


def test_each_ground_and_software_has_its_words() -> None:
    assert set(Ground) == set(GROUNDS)
    assert set(Maker) == set(MAKERS)


def test_a_caller_is_told() -> None:
    told = list(tell_caller(caller_of(SURE, LIKELY, BY_EXIM)))

    assert [
        "caller.example  3 callbacks, 2 for sure, the others likely",
        "  when        2026-11-21T12:00:00Z to 2026-11-21T12:01:00Z",
        "  at most     3 in an hour, from 2026-11-21T12:00:00Z",
        "  shown by    1 that asked as bounces do, for a recipient that was accepted, and sent nothing",
        "  shown by    1 that asked as bounces do, for a mailbox that is not there; a bounce may have, too",
        "  shown by    1 that asked for an address that Exim makes up to try a host",
        "  asked for   2 recipients by name, without a mailbox: 1; 2 RCPT accepted",
        "  sender      <>",
        "  from        192.0.2.1",
        "  called      mx.caller.example, \\x1b[2Jhelo",
        "  software    Exim (verify = sender/callout=random)",
        "  2026-11-21T12:00:00Z  192.0.2.1  MAIL, 1 RCPT accepted",
        "  2026-11-21T12:01:00Z  192.0.2.1  MAIL FROM:<>, RCPT TO:<\\x1b[2Jeve@ours.example> 550",
        "  2026-11-21T12:00:00Z  192.0.2.1  MAIL FROM:<>, RCPT TO:<ann@ours.example> accepted, "
        "RCPT TO:<\\x1b[2Jeve@ours.example> 550, RCPT TO:<mx-1795262400-testing@ours.example> 550",
    ] == told


def test_little_is_told_of_whom_little_is_known() -> None:
    nameless = SURE.but(client=LoggedClient("192.0.2.1"))
    told = "\n".join(tell_caller(caller_of(nameless)))

    assert "1 callback, all for sure" in told
    assert "1 RCPT accepted" in told
    assert not {"sender  ", "called  ", "software"} & set(told.split("\n"))
    assert "likely, none for sure" in "\n".join(tell_caller(caller_of(LIKELY)))


def test_many_names_are_cut_short() -> None:
    callbacks = [SURE.but(client=LoggedClient(f"192.0.2.{number}")) for number in range(6)]
    told = "\n".join(tell_caller(caller_of(*callbacks)))

    assert "from        192.0.2.0, 192.0.2.1, 192.0.2.2, 192.0.2.3 and 2 more" in told


def test_only_a_control_names_nobody() -> None:
    told = "\n".join(tell_caller(caller_of(BY_EXIM.but(asked=(CONTROL,)))))

    assert "asked for   nobody whom the log names" in told


def test_too_many_recipients_are_at_least_so_many() -> None:
    caller = caller_of(LIKELY).but(at_least=True)

    assert "asked for   at least 1 recipient by name" in "\n".join(tell_caller(caller))


def test_the_whole_begins_with_its_figures_and_ends_with_what_to_do() -> None:
    told = list(tell_seen(seen(caller_of(SURE, LIKELY)), LOG))

    assert [
        "1,000 lines, 900 of them about mail, 2026-11-21T12:00:00Z to 2026-11-21T12:01:00Z",
        "2 callbacks by 1 caller; 1 for sure, 1 likely",
    ] == told[:2]
    assert "_callout.YOUR.DOMAIN" in told[-1]


def test_of_many_callers_the_first_are_told() -> None:
    told = "\n".join(tell_seen(seen(*[caller_of(SURE, LIKELY)] * 22), LOG))

    assert 20 == told.count("caller.example  2 callbacks")
    assert "And 2 callers with 4 callbacks: --caller CALLER shows one, --json all." in told


def test_nothing_is_told_as_nothing() -> None:
    nothing = LogSeen(1, 0, None, None)

    assert "Not read: 2 lines" in "\n".join(tell_seen(seen(), nothing.but(unread=2)))
    assert "Not read: 2 lines" in "\n".join(tell_seen(seen(caller_of(LIKELY)), LOG.but(unread=2)))
    assert ["1 line, none of them about mail."] == list(tell_seen(seen(), nothing))
    assert ["1 line, none of them about mail since 2026-11-21T12:00:00Z."] == list(
        tell_seen(seen(), nothing.but(since_at=AT))
    )


def test_an_address_cannot_pretend_to_be_a_step() -> None:
    asked = (Asked('"x> accepted, RCPT TO:<ceo"@ours.example', 550, missing=True),)
    (*_, told) = tell_caller(caller_of(LIKELY.but(asked=asked, sender="a> 250, RCPT TO:<b")))

    assert (2, 2) == (told.count("<"), told.count(">"))


def test_what_was_left_out_is_told() -> None:
    left_out = CallersSeen((), (caller_of(LIKELY, LIKELY),), Others(3, 4))
    told = "\n".join(tell_seen(left_out, LOG.but(dropped_sessions=5)))

    assert "Set aside: 2 sessions of 1 site that bring bounces" in told
    assert "Not shown: 4 callbacks of at most 3 callers" in told
    assert "Not seen to their end: 5 sessions" in told
    assert {"callers": 1, "sessions": 2} == encode_rest(left_out, LOG)["set_aside_as_bounces"]


def test_programs_are_told_all_of_it() -> None:
    caller = caller_of(SURE, LIKELY, BY_EXIM)

    assert {
        "caller": "caller.example",
        "callbacks": 3,
        "certain": 2,
        "likely": 1,
        "grounds": {"asked_and_left": 1, "refused": 1, "control": 1},
        "first_at": "2026-11-21T12:00:00Z",
        "last_at": "2026-11-21T12:01:00Z",
        "busiest_hour": {"at": "2026-11-21T12:00:00Z", "callbacks": 3},
        "recipients_accepted": 2,
        "recipients_named": 2,
        "recipients_missing": 1,
        "recipients_at_least": False,
        "bounces": 0,
        "software": ["exim"],
        "ips": ["192.0.2.1"],
        "hosts": ["mx.caller.example"],
        "helos": ["\x1b[2Jhelo"],
        "senders": [""],
    } == {key: value for key, value in encode_caller(caller).items() if key != "examples"}
    assert {
        "at": "2026-11-21T12:01:00Z",
        "ip": "192.0.2.1",
        "host": "mx.caller.example",
        "helo": "\x1b[2Jhelo",
        "sure": "likely",
        "ground": "refused",
        "sender": "",
        "asked": [{"recipient": "\x1b[2Jeve@ours.example", "refused": 550, "missing": True}],
        "accepted_unnamed": 0,
    } == json.loads(json.dumps(encode_caller(caller_of(LIKELY))))["examples"][0]
    assert {
        "lines": 1_000,
        "lines_told": 900,
        "lines_unread": 0,
        "first_at": "2026-11-21T12:00:00Z",
        "last_at": "2026-11-21T12:01:00Z",
        "callers": 1,
        "callbacks": 3,
        "set_aside_as_bounces": {"callers": 0, "sessions": 0},
        "not_kept": {"callers": 0, "sessions": 0},
        "sessions_given_up": 0,
    } == encode_rest(seen(caller), LOG)
