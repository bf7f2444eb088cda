"""What `ringback replay` reads and looks up: mailboxes that the log or the store knows, who we would be."""

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ringback.assemble import open_store
from ringback.doors.cli import replaying
from ringback.doors.cli.replay_account import Account, Figures
from ringback.doors.cli.replaying import Wish, as_if_switched_on, replay
from ringback.errors import StoreError, UsageError
from ringback.net.clock import SystemClock
from ringback.rules.freshness import Entry
from ringback.values.settings import (
    CallWhen,
    Etiquette,
    Identity,
    Mode,
    Settings,
    StoreSettings,
)
from ringback.values.verdict import Reason
from ringback.wire.maillog import Arrived, Delivered, Fate, LogEvent, LoggedClient, Software

AT = 1_800_000_000.0
ALWAYS = Settings(etiquette=Etiquette(call_when=CallWhen.ALWAYS))
ANN = "ann@shop.example"
NO_DNS = Wish("deliverable", asks_dns=False)


def arrived(sender: str = ANN, after_s: float = 0.0) -> Arrived:
    return Arrived(
        at=AT + after_s,
        software=Software.EXIM,
        message=sender,
        client=LoggedClient("198.51.100.7"),
        sender=sender,
        recipients=(f"{after_s:g}@ours.example",),
    )


def delivered(fate: Fate, text: str, relay: str = "mx.shop.example") -> Delivered:
    return Delivered(
        at=AT,
        software=Software.POSTFIX,
        message="y",
        recipient=ANN,
        fate=fate,
        relay=relay,
        text=text,
    )


def figures(account: Account) -> Figures:
    course = account.courses["always"]
    assert course is not None
    return course


def answers(account: Account) -> tuple[dict[str, int], dict[str, int]]:
    return dict(figures(account).said), dict(figures(account).answers_from)


@pytest.mark.parametrize(
    ("fate", "text", "reason", "source"),
    [
        # Of whom nobody knows, without the DNS, whether he is a host of the domain.
        (Fate.SENT, "250 2.0.0 Ok: queued as 9", "accepted", "assumed"),
        (Fate.SENT, "delivered to maildir", "accepted", "assumed"),
        (
            Fate.BOUNCED,
            "host mx[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)",
            "no_such_mailbox",
            "log",
        ),
        (
            Fate.BOUNCED,
            "host mx[192.0.2.1] said: 554 5.7.1 you are blocked (in reply to RCPT TO command)",
            "accepted",
            "assumed",
        ),
        (
            Fate.DEFERRED,
            "host mx[192.0.2.1] said: 450 4.1.1 unknown user (in reply to RCPT TO command)",
            "accepted",
            "assumed",
        ),
        (Fate.BOUNCED, " said: 999 no reply", "accepted", "assumed"),
    ],
)
def test_the_log_shows_what_hosts_have_said_of_mailboxes(
    fate: Fate, text: str, reason: str, source: str
) -> None:
    account = replay(ALWAYS, NO_DNS, [delivered(fate, text), arrived()])

    assert ({reason: 1}, {source: 1}) == answers(account)


def test_who_was_not_told_by_another_host_shows_nothing() -> None:
    account = replay(ALWAYS, NO_DNS, [delivered(Fate.SENT, "250 2.0.0 Ok", relay=""), arrived()])

    assert ({"accepted": 1}, {"assumed": 1}) == answers(account)


def test_what_the_log_shows_counts_from_there_on() -> None:
    missing = "host mx[192.0.2.1] said: 550 5.1.1 no such user (in reply to RCPT TO command)"
    shown, mail, other = delivered(Fate.BOUNCED, missing), arrived(), arrived("bob@shop.example")
    logs: Sequence[Sequence[LogEvent]] = ([shown, mail], [mail, shown, other])
    said = [answers(replay(ALWAYS, NO_DNS, log))[0] for log in logs]

    assert [{"no_such_mailbox": 1}, {"accepted": 2}] == said


async def remember(settings: Settings, *entries: Entry) -> None:
    store = await open_store(settings, lambda _: None)
    for entry in entries:
        store.save(entry)
    await store.close()


def refused(address: str, now: float, *, expires_in_s: float = 3_600.0) -> Entry:
    return Entry(address, Reason.NO_SUCH_MAILBOX, True, "r", now, now + expires_in_s)


def test_the_store_is_looked_into_if_wanted_and_stays_as_it_was(tmp_path: Path) -> None:
    settings = ALWAYS.but(store=StoreSettings(f"sqlite://{tmp_path}/ringback.db"))
    now = SystemClock().now()
    names = ("ann", "bob", "eve", "unsure")
    mail = [arrived(f"{name}@shop.example", 7_200.0 * turn) for turn, name in enumerate(names)]
    unsure = Entry("unsure@shop.example", Reason.GREYLISTED, True, "r", now, now + 3_600)
    ran_out = refused("eve@shop.example", 1.0)
    asyncio.run(remember(settings, refused(ANN, now), unsure, ran_out))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    looked = replay(settings, NO_DNS.but(looks_into_store=True), mail)
    not_looked = replay(settings, NO_DNS, mail)

    assert {"store": 1, "assumed": 3} == answers(looked)[1]
    assert {"assumed": 4} == answers(not_looked)[1]
    assert before == {path.name: path.read_bytes() for path in tmp_path.iterdir()}


def test_a_store_that_is_not_there_is_a_mistake(tmp_path: Path) -> None:
    settings = ALWAYS.but(store=StoreSettings(f"sqlite://{tmp_path}/none.db"))

    with pytest.raises(StoreError, match="no store yet"):
        replay(settings, NO_DNS.but(looks_into_store=True), [arrived()])
    assert [] == list(tmp_path.iterdir())


def test_mail_comes_in_any_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "BATCH", 2)
    account = replay(ALWAYS, NO_DNS, [arrived(after_s=float(number)) for number in range(5)])

    assert 5 == figures(account).questions


def test_events_are_read_as_they_are_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replaying, "BATCH", 2)

    def endless() -> Iterator[LogEvent]:
        yield from (arrived(after_s=float(number)) for number in range(5))
        raise UsageError("it cannot be unpacked")

    with pytest.raises(UsageError, match="unpacked"):
        replay(ALWAYS, NO_DNS, endless())


def test_who_has_not_switched_it_on_yet_is_taken_as_if_he_had() -> None:
    bare, own = Settings(), Identity(helo_name="a.example", contact="me@a.example")
    switched = as_if_switched_on(bare.but(identity=own))

    assert as_if_switched_on(bare).identity.contact
    assert own == switched.identity
    assert Mode.ENFORCE is switched.policy.mode


@pytest.mark.parametrize("events", [[], [delivered(Fate.SENT, "ok")]])
def test_without_mail_there_is_nothing_to_tell(events: Sequence[LogEvent]) -> None:
    with pytest.raises(UsageError, match="no mail was found"):
        replay(ALWAYS, NO_DNS, events)


def test_what_is_missing_in_a_log_without_mail_is_told() -> None:
    with pytest.raises(UsageError, match=r"1 not counted: of this machine's own.*howto"):
        replay(ALWAYS, NO_DNS, [delivered(Fate.SENT, "ok")])


def test_no_resolver_is_made_where_the_dns_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("a resolver was made")

    monkeypatch.setattr(replaying, "DnsResolver", fail)

    assert 1 == figures(replay(ALWAYS, NO_DNS, [arrived()])).questions
