"""Who has logged in, and which forms are ours."""

import pytest

from fakes import FakeClock
from http_fakes import TOKENS
from ringback.doors.http.quotas import Rates
from ringback.doors.http.sessions import (
    FORM,
    LASTS_S,
    MAX_SESSIONS,
    SESSION,
    Sessions,
    read_cookie,
    write_cookie,
)
from ringback.doors.http.tokens import Tokens

DIGEST = TOKENS.digests[0][1]


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def sessions(clock: FakeClock) -> Sessions:
    return Sessions(clock.elapsed, Rates(4, 100, clock.elapsed))


def cookies(value: str) -> str:
    return f"theme=dark; {SESSION}={value}"


def test_a_session_has_the_name_of_its_token(sessions: Sessions) -> None:
    value = sessions.begin(DIGEST)

    assert "token of line 3" == sessions.name_of(cookies(value), TOKENS)
    assert DIGEST.hex() not in value


@pytest.mark.parametrize("cookie", ["", "ringback_session", cookies(""), cookies("x" * 32)])
def test_nothing_else_is_a_session(sessions: Sessions, cookie: str) -> None:
    sessions.begin(DIGEST)

    assert sessions.name_of(cookie, TOKENS) is None


def test_a_session_ends_with_its_time_its_token_or_a_log_out(
    sessions: Sessions, clock: FakeClock
) -> None:
    first, second = (cookies(sessions.begin(DIGEST)) for _ in range(2))
    sessions.end(first)
    logged_out = sessions.name_of(first, TOKENS)
    revoked = sessions.name_of(second, Tokens())
    clock.advance(LASTS_S)

    assert (None, None) == (logged_out, revoked)
    assert sessions.name_of(second, TOKENS) is None


def test_the_oldest_goes_first(sessions: Sessions) -> None:
    values = [sessions.begin(DIGEST) for _ in range(MAX_SESSIONS + 1)]
    names = [sessions.name_of(cookies(values[at]), TOKENS) for at in (0, 1)]

    assert [None, "token of line 3"] == names


def test_a_seal_fits_its_cookie_alone(sessions: Sessions) -> None:
    seal = sessions.seal("mine")

    assert sessions.is_sealed(f"{FORM}=mine", seal)
    assert not sessions.is_sealed(f"{FORM}=yours", seal)
    assert not sessions.is_sealed("", sessions.seal(""))
    assert not sessions.is_sealed(f"{FORM}=mine", "é\udcff")


def test_guessing_is_slow(sessions: Sessions) -> None:
    waits = [sessions.wait_s("192.0.2.7") for _ in range(3)]

    assert 0 == waits[0]
    assert waits[-1] > 0
    assert 0 == sessions.wait_s("192.0.2.8")


def test_a_cookie_is_for_our_own_pages_only() -> None:
    assert "a=b; Path=/; HttpOnly; SameSite=Strict" == write_cookie("a", "b", secure=False)
    assert write_cookie("a", "", secure=True, lasts_s=0).endswith("; Max-Age=0; Secure")


def test_a_cookie_too_long_to_be_ours_is_not_read() -> None:
    assert ["b", ""] == [read_cookie("x; a=b; a=c", "a"), read_cookie(f"a={'b' * 129}", "a")]
