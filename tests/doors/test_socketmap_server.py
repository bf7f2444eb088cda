"""The table for Postfix: which recipients are there, which are not, and which nobody can tell."""

import pytest

from door_fakes import NOON, FakeConnection, FakeVerifier, Verdict
from ringback.doors.socketmap_server import SocketmapServer
from ringback.lab.clock import HandClock
from ringback.values.events import DoorClosed, Event
from ringback.values.query import Purpose, Query
from ringback.values.settings import Mode, Policy, Recipient, RecipientRoute, Settings
from ringback.values.verdict import Reason

ROUTE = Recipient(route=(RecipientRoute("ours.example", ("10.0.0.1",)),))
ENFORCING = Settings(policy=Policy(mode=Mode.ENFORCE), recipient=ROUTE)


def asked(key: str, name: str = "ringback") -> bytes:
    payload = f"{name} {key}".encode()
    return b"%d:%b," % (len(payload), payload)


async def told(
    octets: bytes, settings: Settings = ENFORCING, **verdicts: Verdict
) -> tuple[bytes, list[Query], list[Event]]:
    verifier, connection = FakeVerifier(**verdicts), FakeConnection(octets)
    events: list[Event] = []
    server = SocketmapServer(verifier, HandClock(NOON), events.append, settings=settings)
    await server.serve(connection)
    return b"".join(connection.written), verifier.queries, events


async def test_each_lookup_is_answered_in_its_turn() -> None:
    said, queries, _ = await told(
        asked("bob@ours.example") + asked("x@ours.example") + asked("later@ours.example"),
        bob=Reason.ACCEPTED,
        x=Reason.NO_SUCH_MAILBOX,
        later=Reason.DEADLINE,
    )

    assert said.startswith(b"9:OK exists,9:NOTFOUND ,")
    assert b":TEMP 4.1.1 recipient <later@ours.example> cannot be verified now" in said
    assert {Purpose.RECIPIENT} == {query.purpose for query in queries}


@pytest.mark.parametrize(
    ("key", "answer"),
    [
        ("@ours.example", b"9:NOTFOUND ,"),
        ("bob", b"9:NOTFOUND ,"),
        ("", b"9:NOTFOUND ,"),
        ("bob@other.example", b"9:OK exists,"),
    ],
)
async def test_who_cannot_be_asked_about(key: str, answer: bytes) -> None:
    said, queries, _ = await told(asked(key))

    assert (answer, []) == (said, queries)


async def test_another_map_does_not_exist() -> None:
    said, _, _ = await told(asked("bob@ours.example", "relay"))

    assert b":PERM there is no such map" in said


async def test_while_observing_everybody_is_there() -> None:
    said, queries, _ = await told(
        asked("x@ours.example"), Settings(recipient=ROUTE), x=Reason.NO_SUCH_MAILBOX
    )

    assert b"9:OK exists," == said
    assert 1 == len(queries)


async def test_a_failure_of_ours_is_for_now() -> None:
    said, _, _ = await told(asked("x@ours.example"), x=ValueError("a bug"))

    assert b":TEMP 4.1.1 " in said


async def test_garbage_ends_the_connection() -> None:
    said, _, events = await told(b"GET / HTTP/1.1\r\n\r\n")

    assert b"" == said
    assert isinstance(events[-1], DoorClosed)


async def test_another_engine_is_taken_over_to() -> None:
    old, new = FakeVerifier(), FakeVerifier(x=Reason.NO_SUCH_MAILBOX)
    server = SocketmapServer(old, HandClock(NOON), lambda _: None, settings=ENFORCING)
    server.adopt(new, ENFORCING)
    connection = FakeConnection(asked("x@ours.example"))
    await server.serve(connection)

    assert [] == old.queries
    assert 1 == len(new.queries)
