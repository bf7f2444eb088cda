"""Pieces of a stream, with a reader of words: each ends in a full stop, and none has an exclamation mark."""

import asyncio

import pytest

from door_fakes import FakeConnection
from ringback.doors.intake import Intake, Patience
from ringback.errors import RemoteProtocolError


class WordReader:
    def __init__(self) -> None:
        self._partial = b""
        self.broken: RemoteProtocolError | None = None

    @property
    def idle(self) -> bool:
        return not (self._partial or self.broken)

    def feed(self, octets: bytes) -> list[bytes]:
        *words, self._partial = (self._partial + octets).split(b".")
        good = [word for word in words if b"!" not in word]
        if good != words:
            self.broken = RemoteProtocolError("shouting")
        return good


def intake(
    connection: FakeConnection, between_s: float = 9.0, within_s: float = 9.0
) -> Intake[bytes]:
    return Intake(connection, WordReader(), Patience(between_s, within_s), "word")


async def test_pieces_come_whole_and_the_end_is_no_pieces() -> None:
    words = intake(FakeConnection(b"one.tw", b"", b"o.three."))

    assert [b"one"] == await words.wait_next()
    with pytest.raises(RemoteProtocolError, match="the input ends within a word"):
        await words.wait_next()


async def test_at_the_end_between_two_pieces_all_is_well() -> None:
    words = intake(FakeConnection(b"o", b"ne.two."))

    assert [[b"one", b"two"], []] == [await words.wait_next(), await words.wait_next()]


async def test_what_was_good_comes_before_what_is_broken() -> None:
    connection = FakeConnection(b"one.two!.", b"three.")
    words = intake(connection)

    assert [b"one"] == await words.wait_next()
    with pytest.raises(RemoteProtocolError, match="shouting"):
        await words.wait_next()
    assert 1 == connection.reads


async def test_what_is_broken_at_once_is_not_waited_on() -> None:
    with pytest.raises(RemoteProtocolError, match="shouting"):
        await intake(FakeConnection(b"two!.", silent_at_end=True)).wait_next()


async def test_silence_between_two_pieces_ends_without_a_word() -> None:
    words = intake(FakeConnection(b"one.", silent_at_end=True), between_s=0.01)

    assert [[b"one"], []] == [await words.wait_next(), await words.wait_next()]


async def test_silence_within_a_piece_is_told() -> None:
    words = intake(FakeConnection(b"o", silent_at_end=True), within_s=0.01)

    with pytest.raises(RemoteProtocolError, match=r"a word that is not whole after 0.01 s"):
        await words.wait_next()


class Dripping(FakeConnection):
    async def read(self, timeout_s: float | None) -> bytes:
        await asyncio.sleep(0)
        return b"x"


async def test_who_drips_does_not_win_time() -> None:
    with pytest.raises(RemoteProtocolError, match="not whole"):
        await intake(Dripping(), within_s=0.01).wait_next()


class Gone(FakeConnection):
    async def read(self, timeout_s: float | None) -> bytes:
        raise ConnectionResetError


async def test_a_client_that_is_gone_is_an_error_of_the_connection() -> None:
    with pytest.raises(ConnectionResetError):
        await intake(Gone()).wait_next()
