"""Events of a log become envelopes, whatever the log leaves out."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from log_lines import FILTERED, events_of, load
from ringback.rules import envelopes
from ringback.rules.envelopes import MAX_RECIPIENTS, Ending, Envelope, EnvelopeReader
from ringback.values.evidence import Stage
from ringback.wire.maillog import (
    Abandoned,
    Arrived,
    Begun,
    Connected,
    Delivered,
    Disconnected,
    Fate,
    Finished,
    LogEvent,
    LoggedClient,
    Refused,
    Software,
)

CLIENT = LoggedClient("192.0.2.7", "mail.shop.example")
LOCAL = LoggedClient("")
OUTER = LoggedClient("192.0.2.8", "mx.ours.example")
FILTER = LoggedClient("127.0.0.1", "localhost")
ANN, ME, YOU = "ann@shop.example", "me@ours.example", "you@ours.example"
POSTFIX, EXIM = Software.POSTFIX, Software.EXIM


def read(*events: LogEvent) -> tuple[list[Envelope], dict[str, int]]:
    reader = EnvelopeReader()
    found = [envelope for event in events for envelope in reader.take(event)]
    reader.close()
    return found, {name: count for name, count in reader.unread.counts().items() if count}


def begun(message: str = "A1", at: float = 1.0) -> Begun:
    return Begun(at=at, software=POSTFIX, message=message, client=CLIENT)


def queued(message: str = "A1", sender: str = ANN) -> Arrived:
    return Arrived(at=2.0, software=POSTFIX, message=message, sender=sender, accepted=1)


def delivered(recipient: str = ME, message: str = "A1", original: str = "") -> Delivered:
    return Delivered(
        at=3.0,
        software=POSTFIX,
        message=message,
        recipient=recipient,
        original=original,
        fate=Fate.SENT,
    )


def finished(message: str = "A1") -> Finished:
    return Finished(at=4.0, software=POSTFIX, message=message)


def refused(
    code: int = 550,
    stage: Stage | None = Stage.RCPT,
    *,
    text: str = "5.7.1 no",
    sender: str | None = ANN,
    recipient: str = ME,
    message: str = "",
) -> Refused:
    return Refused(
        at=5.0,
        software=POSTFIX,
        message=message,
        client=CLIENT,
        stage=stage,
        code=code,
        text=text,
        sender=sender,
        recipient=recipient,
    )


def test_postfix_tells_of_a_message_in_four_lines() -> None:
    cleaned = Arrived(at=1.5, software=POSTFIX, message="A1")
    found, unread = read(begun(), cleaned, queued(), delivered(), finished())

    assert [Envelope(1.0, CLIENT, ANN, ME, Ending.TAKEN)] == found
    assert {} == unread


def test_exim_tells_of_a_message_in_one() -> None:
    arrived = Arrived(
        at=1.0, software=EXIM, message="x", client=CLIENT, sender="", recipients=(ME, YOU, ME)
    )
    found, unread = read(arrived, delivered(message="x"))

    assert [("", ME), ("", YOU)] == [(one.sender, one.recipient) for one in found]
    assert {} == unread


def test_exim_may_name_the_sender_with_the_delivery() -> None:
    arrived = Arrived(at=1.0, software=EXIM, message="x", client=CLIENT)
    found, _ = read(arrived, delivered(message="x").but(sender=ANN))

    assert [ANN] == [one.sender for one in found]


def test_a_recipient_counts_as_it_was_in_rcpt_and_once() -> None:
    found, _ = read(
        begun(),
        queued(),
        delivered("a@home", original=ME),
        delivered("b@home", original=ME),
        delivered(ME.upper()),
    )

    assert [ME] == [one.recipient for one in found]


@pytest.mark.parametrize(
    ("code", "stage", "text", "ending"),
    [
        (550, Stage.RCPT, "", Ending.REFUSED),
        (554, Stage.CONNECT, "", Ending.REFUSED),
        (450, Stage.RCPT, "", Ending.PUT_OFF),
        (0, Stage.RCPT, "4.7.1 later", Ending.PUT_OFF),
        (0, Stage.RCPT, "User unknown", Ending.REFUSED),
        (550, None, "", Ending.TOO_LATE),
        (450, None, "", Ending.PUT_OFF),
    ],
)
def test_a_refusal_is_of_one_of_three_kinds(
    code: int, stage: Stage | None, text: str, ending: Ending
) -> None:
    found, _ = read(refused(code, stage, text=text))

    assert [Envelope(5.0, CLIENT, ANN, ME, ending)] == found


def test_a_message_that_was_refused_as_a_whole_is_over() -> None:
    whole = refused(550, None, message="A1")
    cleaned = Arrived(at=6.0, software=POSTFIX, message="A1")  # Postfix may say so still
    found, unread = read(begun(), whole, cleaned, begun(at=9.0), queued(), delivered())

    assert [(5.0, Ending.TOO_LATE), (9.0, Ending.TAKEN)] == [(one.at, one.ending) for one in found]
    assert {} == unread


def test_sendmail_names_recipients_of_a_message_after_it_was_refused() -> None:
    later = refused(451, None, sender=None, recipient="", message="A1").but(client=LOCAL)
    found, unread = read(queued().but(client=CLIENT), later, delivered(), delivered(YOU))

    assert [(ME, Ending.PUT_OFF), (YOU, Ending.PUT_OFF)] == [
        (one.recipient, one.ending) for one in found
    ]
    assert {} == unread


def test_what_a_filter_brings_again_is_no_second_mail() -> None:
    again = begun("A2").but(client=FILTER, origin=CLIENT, origin_message="A1")
    found, unread = read(
        begun(),
        queued(),
        again,
        queued("A2"),
        refused(message="A2", recipient=YOU).but(client=FILTER),
        delivered(message="A2"),
        finished("A2"),
        delivered(),
        finished(),
    )

    assert [Envelope(1.0, CLIENT, ANN, ME, Ending.TAKEN)] == found
    assert {} == unread


@pytest.mark.parametrize(
    ("name", "endings", "unread"),
    [
        (
            "postfix",
            {Ending.TAKEN: 6, Ending.PUT_OFF: 3, Ending.REFUSED: 2, Ending.TOO_LATE: 10},
            # Refused through a proxy; two with lines that can be read in two ways; two for several.
            {"without_client": 1, "without_sender": 2, "without_recipient": 2},
        ),
        (
            "sendmail",
            {Ending.TAKEN: 1, Ending.PUT_OFF: 4, Ending.REFUSED: 2, Ending.TOO_LATE: 5},
            {"without_recipient": 3},
        ),
    ],
)
def test_filtered_mail_is_told_once_for_each_recipient_that_is_named(
    name: str, endings: dict[Ending, int], unread: dict[str, int]
) -> None:
    found, counted = read(*events_of(load(FILTERED / f"{name}.log").lines))

    assert endings == Counter(one.ending for one in found)
    assert unread == counted
    assert {"127.9.0.50", "127.9.0.51"} >= {one.client.ip for one in found}


def test_a_filter_may_take_its_time() -> None:
    again = begun("A2").but(client=FILTER, origin=CLIENT, origin_message="A1")
    found, unread = read(
        *(begun(), queued(), delivered(), finished()),
        *(again, queued("A2"), delivered(message="A2"), finished("A2")),
    )

    assert [ME] == [one.recipient for one in found]
    assert {} == unread


def test_what_another_host_hands_on_is_of_whom_it_has_it_from() -> None:
    handed_on = begun().but(client=OUTER, origin=CLIENT, origin_message="outer/B1")
    late = refused(550, None, message="A1").but(client=LOCAL)
    found, unread = read(handed_on, queued(), delivered(), finished(), handed_on, late)

    assert [(CLIENT, Ending.TAKEN), (CLIENT, Ending.TOO_LATE)] == [
        (one.client, one.ending) for one in found
    ]
    assert {} == unread


def test_what_a_filter_brings_first_is_of_whom_it_has_it_from() -> None:
    proxied = begun("").but(session="h/1")
    brought = begun().but(client=FILTER, origin=CLIENT, session="h/2")
    beside = refused(recipient=YOU, message="A1").but(client=FILTER, session="h/2")
    found, unread = read(
        Connected(at=1.0, software=POSTFIX, session="h/2", client=FILTER),
        proxied,
        brought,
        beside,
        queued(),
        delivered(),
        finished(),
    )

    assert [(CLIENT, YOU), (CLIENT, ME)] == [(one.client, one.recipient) for one in found]
    assert {} == unread


def test_who_hands_a_message_to_a_filter_tells_that_it_was_refused() -> None:
    brought = begun().but(client=FILTER, origin=CLIENT)
    behind = refused(550, None, message="A1")
    before = behind.but(message="", client=LOCAL, session="h/1")
    found, unread = read(
        Connected(at=1.0, software=POSTFIX, session="h/1", client=CLIENT), brought, behind, before
    )

    assert [(CLIENT, ME, Ending.TOO_LATE)] == [
        (one.client, one.recipient, one.ending) for one in found
    ]
    assert {} == unread


@pytest.mark.parametrize("ip", ["127.0.0.1", "::1"])
def test_a_filter_that_does_not_say_whom_it_has_mail_from_is_no_client(ip: str) -> None:
    client = LoggedClient(ip, "localhost")
    found, unread = read(begun().but(client=client), queued(), delivered(), finished())

    assert ([], {"without_client": 1}) == (found, unread)


def test_lines_of_no_session_are_of_no_session_together() -> None:
    connected = Connected(at=1.0, software=POSTFIX, client=CLIENT)
    found, unread = read(connected, refused().but(client=LOCAL))

    assert ([], {"without_client": 1}) == (found, unread)


def test_a_recipient_refused_beside_another_leaves_the_message_as_it_is() -> None:
    found, _ = read(begun(), refused(recipient=YOU, message="A1"), queued(), delivered())

    assert [(YOU, Ending.REFUSED), (ME, Ending.TAKEN)] == [
        (one.recipient, one.ending) for one in found
    ]


def test_what_was_given_up_after_rcpt_has_been_asked_about() -> None:
    abandoned = Abandoned(at=1.0, software=EXIM, client=CLIENT, sender="", recipients=(ME, ME, YOU))
    found, _ = read(abandoned)

    assert [(ME, Ending.TOO_LATE), (YOU, Ending.TOO_LATE)] == [
        (one.recipient, one.ending) for one in found
    ]


@pytest.mark.parametrize(
    ("events", "unread"),
    [
        ((refused(sender=None),), {"without_sender": 1}),
        ((refused(recipient=""),), {"before_recipient": 1}),
        ((refused(sender=None, recipient=""),), {"before_recipient": 1}),
        ((refused(550, None, sender=None, recipient=""),), {"before_recipient": 1}),
        ((refused(550, None, recipient=""),), {"without_recipient": 1}),
        ((begun(), refused(550, None, recipient="", message="A1")), {"without_recipient": 1}),
        ((refused(550, None, sender=None, recipient="", message="A1"),), {}),
        ((begun(""),), {}),
        (
            (
                begun("A1"),
                begun("A2").but(client=FILTER, origin_message="A1"),
                queued("A2"),
                delivered(ME, "A2"),
            ),
            {"without_sender": 1},
        ),
        ((refused(sender=None, message="A1"),), {"without_sender": 1}),
        ((refused().but(client=LOCAL),), {"without_client": 1}),
        (
            (Abandoned(at=1.0, software=EXIM, client=CLIENT, sender=None, recipients=(ME,)),),
            {"without_sender": 1},
        ),
        ((Abandoned(at=1.0, software=EXIM, client=CLIENT, sender=ANN),), {}),
        (
            (Abandoned(at=1.0, software=EXIM, client=CLIENT, sender=ANN, accepted=1),),
            {"without_recipient": 1},
        ),
        ((Abandoned(at=1.0, software=EXIM, client=CLIENT, sender=None, message="A1"),), {}),
        ((begun(),), {"without_sender": 1}),
        ((begun(), queued(), finished()), {"without_recipient": 1}),
        ((begun(), delivered()), {"without_sender": 1}),
        ((begun(), queued(), delivered("")), {"without_recipient": 1}),
        ((queued(), delivered()), {"without_client": 1}),
        ((delivered(),), {"without_client": 1}),
        ((finished(), Connected(at=1.0, software=POSTFIX, client=CLIENT)), {}),
        (
            (
                Arrived(
                    at=1.0,
                    software=EXIM,
                    message="x",
                    client=LOCAL,
                    sender=ANN,
                    recipients=(ME,),
                ),
            ),
            {"without_client": 1},
        ),
    ],
)
def test_what_the_log_does_not_say_is_counted(
    events: tuple[LogEvent, ...], unread: dict[str, int]
) -> None:
    assert ([], unread) == read(*events)


def test_who_has_logged_in_is_known() -> None:
    arrived = Arrived(
        at=1.0,
        software=EXIM,
        message="x",
        client=CLIENT,
        sender=ANN,
        recipients=(ME,),
        authenticated=True,
    )
    found, _ = read(arrived, arrived.but(message="y", client=CLIENT.but(login="ann")))

    assert [True, True] == [bool(one.client.login) for one in found]


def test_opensmtpd_says_who_connected_in_the_first_line_of_a_session() -> None:
    connected = Connected(at=1.0, software=Software.OPENSMTPD, session="h/1", client=CLIENT)
    arrived = queued().but(session="h/1", recipients=(ME,))
    found, unread = read(
        connected,
        arrived,
        arrived.but(recipients=(YOU,)),
        refused().but(client=LOCAL, session="h/1"),
        Disconnected(at=1.0, software=Software.OPENSMTPD, session="h/1", client=LOCAL),
        arrived.but(message="A2"),
    )

    assert [(CLIENT, ME), (CLIENT, YOU), (CLIENT, ME)] == [
        (one.client, one.recipient) for one in found
    ]
    assert {"without_client": 1} == unread


def test_sendmail_names_the_sender_after_what_it_refused_of_a_message() -> None:
    unknown = refused(sender=None, message="A1").but(client=LOCAL)
    later = refused(450, sender=None, message="A1", recipient=YOU)
    arrived = queued().but(client=CLIENT)
    found, unread = read(unknown, later, arrived, delivered("ann@ours.example"))

    assert [Ending.REFUSED, Ending.PUT_OFF, Ending.TAKEN] == [one.ending for one in found]
    assert {(CLIENT, ANN)} == {(one.client, one.sender) for one in found}
    assert {} == unread


def test_sendmail_does_so_where_nothing_came_of_the_message_as_well() -> None:
    unknown = refused(sender=None, message="A1").but(client=LOCAL)
    abandoned = Abandoned(at=6.0, software=POSTFIX, message="A1", client=CLIENT, sender="")
    found, unread = read(unknown, abandoned)

    assert [Envelope(5.0, CLIENT, "", ME, Ending.REFUSED)] == found
    assert {} == unread


def test_sessions_and_what_waits_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "MAX_SESSIONS", 1)
    monkeypatch.setattr(envelopes, "MAX_HELD", 1)
    connected = Connected(at=1.0, software=POSTFIX, session="h/1", client=CLIENT)
    first = refused().but(client=LOCAL, session="h/1")
    found, unread = read(connected, connected.but(session="h/2"), first, first.but(session="h/2"))

    assert (1, {"without_client": 1}) == (len(found), unread)

    held = [refused(sender=None, message="A1", recipient=one) for one in (ME, YOU)]
    found, _ = read(*held, queued().but(client=CLIENT))

    assert [ME] == [one.recipient for one in found]


def test_a_queue_id_may_come_again_though_nothing_says_that_it_was_free() -> None:
    found, unread = read(begun(), queued(), delivered(), begun(at=9.0), queued(), delivered())

    assert [1.0, 9.0] == [one.at for one in found]
    assert {} == unread


def test_a_queue_id_may_come_again() -> None:
    found, _ = read(
        begun(), queued(), delivered(), finished(), begun(at=9.0), queued(sender=""), delivered()
    )

    assert [(1.0, ANN), (9.0, "")] == [(one.at, one.sender) for one in found]


def test_messages_and_recipients_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelopes, "MAX_MESSAGES", 2)
    found, unread = read(begun("A1"), begun("A2"), begun("A3"), queued("A1"), delivered())

    assert [] == found
    assert {"without_sender": 3, "without_client": 1} == unread

    monkeypatch.setattr(envelopes, "MAX_NAMED", 1)
    found, unread = read(begun(), queued(), delivered(), begun("A2"), delivered(YOU))

    assert [ME] == [one.recipient for one in found]
    assert {"without_sender": 1, "without_client": 1} == unread


def test_one_message_has_a_bounded_number_of_recipients() -> None:
    many = [delivered(f"{number}@ours.example") for number in range(MAX_RECIPIENTS + 5)]
    found, _ = read(begun(), queued(), *many)

    assert MAX_RECIPIENTS == len(found)


_MESSAGES = st.sampled_from(("A1", "A2", ""))
_SENDERS = st.sampled_from((None, "", ANN))
_CLIENTS = st.sampled_from((CLIENT, LOCAL))
_PEOPLE = st.sampled_from((ME, YOU, ""))
_STAGES = st.sampled_from((None, *Stage))
_EVENTS = st.one_of(
    st.builds(begun, _MESSAGES),
    st.builds(
        lambda message, before, origin: begun(message).but(origin=origin, origin_message=before),
        _MESSAGES,
        _MESSAGES,
        st.one_of(st.none(), _CLIENTS),
    ),
    st.builds(finished, _MESSAGES),
    st.builds(delivered, _PEOPLE, _MESSAGES, _PEOPLE),
    st.builds(
        refused,
        st.sampled_from((0, 450, 550)),
        _STAGES,
        sender=_SENDERS,
        recipient=_PEOPLE,
        message=_MESSAGES,
    ),
    st.builds(
        lambda message, client, sender, to: Arrived(
            at=1.0, software=EXIM, message=message, client=client, sender=sender, recipients=to
        ),
        _MESSAGES,
        st.one_of(st.none(), _CLIENTS),
        _SENDERS,
        st.tuples(_PEOPLE),
    ),
)


@settings(max_examples=40)
@given(st.lists(_EVENTS, max_size=20))
def test_whatever_a_log_tells_an_envelope_is_whole(events: list[LogEvent]) -> None:
    found, unread = read(*events)

    assert all(one.recipient and one.client.ip for one in found if one.ending is Ending.TAKEN)
    assert all(count > 0 for count in unread.values())
    named = sum(
        isinstance(event, Refused | Delivered) + len(getattr(event, "recipients", ()))
        for event in events
    )
    assert len(found) <= named
