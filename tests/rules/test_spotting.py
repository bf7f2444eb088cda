"""Callbacks in logs, as real servers wrote them, and as events come."""

from pathlib import Path

import pytest

from log_lines import LABELLED, callbacks_in, events_of, load
from ringback.assemble import phrasebook
from ringback.rules.spotting import QUIET_S, TALK_S, Bounce, Sighting, Spotter
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

POSTFIX, EXIM = Software.POSTFIX, Software.EXIM
CLIENT = LoggedClient("192.0.2.1")
OTHER = LoggedClient("192.0.2.2")
BOOK = phrasebook()
ASKED = {"mail": (1, 1), "rcpt": (1, 1), "quit": (1, 1)}


def connected(at: float = 0.0, session: str = "s", client: LoggedClient = CLIENT) -> LogEvent:
    return Connected(at=at, software=POSTFIX, session=session, client=client)


def disconnected(at: float = 0.0, commands: dict[str, tuple[int, int]] = ASKED) -> LogEvent:
    return Disconnected(
        at=at, software=POSTFIX, session="s", client=CLIENT, commands=commands, tidy=True
    )


def refused(
    at: float = 0.0, session: str = "s", client: LoggedClient = CLIENT, code: int = 550
) -> LogEvent:
    return Refused(
        at=at,
        software=EXIM,
        session=session,
        client=client,
        stage=Stage.RCPT,
        code=code,
        text="no such user",
        sender="",
        recipient="nobody@ours.example",
    )


def hear(*events: LogEvent, spotter: Spotter | None = None) -> list[Sighting]:
    spotter = spotter or Spotter(BOOK)
    return [sighting for event in events for sighting in spotter.hear(event)]


@pytest.mark.parametrize("path", LABELLED, ids=lambda path: path.stem)
def test_labelled_logs_have_the_callbacks_of_their_labels(path: Path) -> None:
    log = load(path)
    found = callbacks_in(events_of(log.lines))

    assert log.callbacks == {one.client.ip: (one.ground, one.maker) for one in found}
    assert len(log.callbacks) == len(found)


@pytest.mark.parametrize("path", LABELLED, ids=lambda path: path.stem)
def test_a_bounce_that_was_taken_is_no_callback(path: Path) -> None:
    found = hear(*events_of(load(path).lines))
    bounces = [one.client.ip for one in found if isinstance(one, Bounce)]

    assert ["127.7.1.5"] == bounces


def test_a_session_is_over_when_its_client_leaves() -> None:
    assert 1 == len(hear(connected(), disconnected()))


def test_a_process_that_serves_another_has_ended_the_session() -> None:
    assert 1 == len(hear(connected(), refused_postfix(), connected()))


def refused_postfix() -> LogEvent:
    return Refused(
        at=0,
        software=POSTFIX,
        session="s",
        client=CLIENT,
        stage=Stage.RCPT,
        code=550,
        text="5.1.1 <a@b.example>: Recipient address rejected: User unknown",
        sender="",
        recipient="a@b.example",
    )


SAID = {  # what a server said to RCPT, and whether that answers a callback
    "550 5.1.1 <a@b.example>: Recipient address rejected: User unknown": True,
    "550 Unrouteable address": True,
    "550 5.2.1 The account is disabled": True,
    "450 4.1.1 <a@b.example>: Recipient address rejected: User unknown": False,
    "450 4.2.0 <a@b.example>: Recipient address rejected: Greylisted": False,
    "454 4.7.1 <a@b.example>: Relay access denied": False,
    "554 5.7.1 <a@b.example>: Relay access denied": False,
    "550 relay not permitted": False,
    "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org": False,
    "550 Administrative prohibition": False,
    "550 ": False,
}


@pytest.mark.parametrize(("said", "answers"), SAID.items())
def test_a_refusal_answers_a_callback_where_it_speaks_of_the_mailbox(
    said: str, answers: bool
) -> None:
    code, _, text = said.partition(" ")
    spotter = Spotter(BOOK)
    hear(refused().but(code=int(code), text=text), spotter=spotter)

    assert answers == bool(list(spotter.close()))


def test_a_message_that_was_refused_is_no_callback() -> None:
    spotter = Spotter(BOOK)
    spam = refused().but(stage=None, text="spam", recipient="")

    assert [] == hear(refused(), spam, spotter=spotter)
    assert [] == list(spotter.close())


def test_a_command_that_is_not_known_is_no_message() -> None:
    spotter = Spotter(BOOK)

    assert [] == hear(refused().but(stage=None, code=502), refused(), spotter=spotter)
    assert 1 == len(list(spotter.close()))


def test_who_was_cut_off_in_a_message_offered_one() -> None:
    offered = Abandoned(
        at=0, software=EXIM, session="s", client=CLIENT, sender="", accepted=1, offered=True
    )
    spotter = Spotter(BOOK)

    assert [] == hear(offered, spotter=spotter)
    assert [] == list(spotter.close())


@pytest.mark.parametrize(("auth", "found"), [((1, 1), 0), ((0, 1), 1)])
def test_who_is_logged_in_makes_no_callback(auth: tuple[int, int], found: int) -> None:
    ended = disconnected(commands=ASKED | {"rcpt": (0, 1), "auth": auth})

    assert found == len(hear(connected(), refused_postfix(), ended))


@pytest.mark.parametrize("sender", ["postmaster@c.example", "double-bounce@c.example"])
def test_a_message_shows_that_its_sender_does_not_only_ask(sender: str) -> None:
    arrived = Arrived(at=0, software=EXIM, client=CLIENT, sender=sender, message="Q")

    assert [Bounce(0, CLIENT)] == hear(arrived)
    assert [] == hear(arrived.but(sender="ann@c.example"))


def test_lines_of_two_clients_are_no_session_of_either() -> None:
    spotter = Spotter(BOOK)

    assert [] == hear(refused(), refused(client=OTHER), spotter=spotter)
    assert [] == list(spotter.close())


@pytest.mark.parametrize("session", ["", "s"])
def test_a_clock_that_steps_back_ends_sessions(session: str) -> None:
    spotter = Spotter(BOOK)
    hours = (86_390.0, 0.0, 86_390.0, 3_600.0)
    found = hear(*(refused(at, session) for at in hours), spotter=spotter)

    assert [86_390.0, 0.0, 86_390.0] == [callback.at for callback in found]
    assert 1 == len(list(spotter.close()))


def test_logs_of_two_hosts_that_overlap_are_two_sessions() -> None:
    spotter = Spotter(BOOK)
    lines = (refused(at, f"{host}/8[192.0.2.1]") for at in (0.0, 1.0) for host in ("mx1", "mx2"))
    hear(*lines, spotter=spotter)

    assert 2 == len(list(spotter.close()))


@pytest.mark.parametrize("verb", ["data", "bdat"])
def test_a_message_that_was_refused_is_still_one(verb: str) -> None:
    assert [] == hear(connected(), disconnected(commands=ASKED | {verb: (0, 1)}))


def test_the_end_of_a_session_that_was_not_seen_says_nothing() -> None:
    assert [] == hear(disconnected())


def test_a_session_without_an_end_is_over_when_it_is_quiet() -> None:
    spotter = Spotter(BOOK)

    assert [] == hear(refused(0), refused(QUIET_S - 1), spotter=spotter)
    assert [] == hear(refused(2 * QUIET_S - 2, "other", OTHER), spotter=spotter)
    (callback,) = hear(refused(2 * QUIET_S - 1, "other", OTHER), spotter=spotter)
    assert CLIENT == callback.client


def test_sessions_that_lines_do_not_tell_apart_are_short() -> None:
    spotter = Spotter(BOOK)
    found = hear(*(refused(at, session="") for at in (0, 1, TALK_S, TALK_S + 1)), spotter=spotter)

    assert [0.0] == [callback.at for callback in found]
    assert [TALK_S] == [callback.at for callback in spotter.close()]


def test_a_step_out_of_order_asks_for_nobody() -> None:
    spotter = Spotter(BOOK)

    assert [] == hear(refused(code=503), spotter=spotter)
    assert [] == list(spotter.close())


def test_the_rest_of_a_message_is_not_looked_at() -> None:
    delivered = Delivered(at=0, software=POSTFIX, recipient="a@b.example", fate=Fate.SENT)

    assert [] == hear(delivered)


def test_a_queue_id_ties_a_message_to_its_session() -> None:
    begun = Begun(at=0, software=POSTFIX, session="s", message="Q", client=CLIENT)
    taken = Arrived(at=0, software=POSTFIX, message="Q")
    queued = Arrived(at=0, software=POSTFIX, message="Q", sender="")
    others = Arrived(at=0, software=POSTFIX, message="X", sender="")
    removed = Finished(at=0, software=POSTFIX, message="Q")

    assert [Bounce(0, CLIENT)] == hear(connected(), begun, taken, disconnected(), queued, queued)
    assert [] == hear(connected(), begun, others, taken, disconnected(), removed, queued)


def test_a_filter_hands_on_the_bounces_of_others() -> None:
    filtered = LoggedClient("127.0.0.1")
    begun = Begun(at=0, software=POSTFIX, session="s", message="Q", client=filtered, origin=CLIENT)
    queued = Arrived(at=0, software=POSTFIX, message="Q", sender="")

    assert [Bounce(0, CLIENT)] == hear(connected(client=filtered), begun, queued)


def test_a_message_without_a_queue_id_is_told_by_the_commands() -> None:
    begun = Begun(at=0, software=POSTFIX, session="s", client=CLIENT)

    assert [] == hear(connected(), begun, disconnected(commands=ASKED | {"data": (1, 1)}))


def test_a_bounce_does_not_hide_the_callbacks_beside_it() -> None:
    bounce = Arrived(at=0, software=EXIM, client=CLIENT, sender="", message="Q")
    spotter = Spotter(BOOK)

    assert [Bounce(0, CLIENT)] == hear(refused(session=""), bounce, spotter=spotter)
    assert 1 == len(list(spotter.close()))


def test_mail_of_the_machine_itself_is_nobodys_bounce() -> None:
    assert [] == hear(Arrived(at=0, software=EXIM, client=LoggedClient(""), sender="", message="Q"))


def test_what_was_lost_is_not_sure() -> None:
    abandoned = Abandoned(
        at=0, software=EXIM, session="s", client=CLIENT, sender="", accepted=1, tidy=False
    )
    spotter = Spotter(BOOK)
    hear(abandoned, spotter=spotter)

    assert ["lost"] == [callback.ground for callback in spotter.close()]


def test_what_is_under_way_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ringback.rules.spotting.MAX_OPEN", 3)
    spotter = Spotter(BOOK)
    begun = [
        Begun(at=0, software=POSTFIX, session=f"{number}", message=f"Q{number}", client=CLIENT)
        for number in range(10)
    ]
    hear(*begun, spotter=spotter)
    late = [
        Arrived(at=0, software=POSTFIX, message=f"Q{number}", sender="") for number in range(10)
    ]

    assert 7 == spotter.dropped
    assert 3 == len(hear(*late, spotter=spotter))
