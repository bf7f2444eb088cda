"""Who has logged in to the pages, and which forms are ours.

A session begins with a token of http.tokens_file, ends with it, and its cookie says nothing of it. A form
carries the seal of a cookie that no page of another site can read or have sent (SameSite=Strict).
Not here: the pages (forms.py), which requests need a session (guard.py).
"""

import hmac
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from secrets import token_bytes, token_urlsafe

from .quotas import Rates, network_of
from .tokens import Tokens

SESSION, FORM = "ringback_session", "ringback_form"
LASTS_S = 12 * 3_600.0  # a working day
MAX_SESSIONS = 1_000  # the one that began longest ago goes first
ID_OCTETS = 24
_MAX_COOKIE_CHARS = 128  # of ours; longer ones are somebody else's


@dataclass(frozen=True, slots=True)
class _Session:
    token: bytes  # the digest of the token it began with
    ends_at: float  # elapsed


class Sessions:
    """Those of one service; they end with it. `failures`: of those who try to log in."""

    def __init__(self, elapsed: Callable[[], float], failures: Rates) -> None:
        self._elapsed, self._failures = elapsed, failures
        self._sessions: OrderedDict[bytes, _Session] = OrderedDict()  # by the digest of the cookie
        self._key = token_bytes(32)

    def begin(self, token: bytes) -> str:
        """Begin a session with a token's digest; return the value of its cookie."""
        value = token_urlsafe(ID_OCTETS)
        self._sessions[_digest(value)] = _Session(token, self._elapsed() + LASTS_S)
        if len(self._sessions) > MAX_SESSIONS:
            self._sessions.popitem(last=False)
        return value

    def wait_s(self, peer: str) -> int:
        """Count an attempt that failed; return how long `peer` has to wait for the next one, mostly 0."""
        client = network_of(peer)
        return 0 if self._failures.spend(client) else self._failures.wait_s(client)

    def end(self, cookies: str) -> None:
        """End the session that a Cookie field names, if it does."""
        self._sessions.pop(_digest(read_cookie(cookies, SESSION)), None)

    def name_of(self, cookies: str, tokens: Tokens) -> str | None:
        """Name the token behind a Cookie field, as Tokens.name_of does; None if there is none, or no more."""
        # What is looked up is a digest: how long that takes says nothing of the cookie.
        found = self._sessions.get(_digest(read_cookie(cookies, SESSION)))
        if found is None or self._elapsed() >= found.ends_at:
            return None
        lines = [line for line, known in tokens.digests if known == found.token]
        return f"token of line {lines[0]}" if lines else None

    def seal(self, cookie: str) -> str:
        """What the forms of whoever has this form cookie carry."""
        return hmac.new(self._key, cookie.encode("utf-8", "replace"), sha256).hexdigest()

    def is_sealed(self, cookies: str, seal: str) -> bool:
        """Say whether a form was given to the browser that sends it."""
        cookie = read_cookie(cookies, FORM)
        given = seal.encode("utf-8", "replace")
        return bool(cookie) and hmac.compare_digest(self.seal(cookie).encode(), given)


def read_cookie(cookies: str, name: str) -> str:
    """The value of a cookie in a Cookie field, or ""; of several, the first."""
    for pair in cookies.split(";"):
        key, equals, value = pair.strip().partition("=")
        if equals and key == name and len(value) <= _MAX_COOKIE_CHARS:
            return value
    return ""


def write_cookie(name: str, value: str, *, secure: bool, lasts_s: float | None = None) -> str:
    """A Set-Cookie field that no script and no other site has a use for; without `lasts_s`, for a session."""
    parts = [f"{name}={value}", "Path=/", "HttpOnly", "SameSite=Strict"]
    if lasts_s is not None:
        parts.append(f"Max-Age={lasts_s:.0f}")
    return "; ".join([*parts, *(["Secure"] if secure else [])])


def new_form_cookie() -> str:
    return token_urlsafe(ID_OCTETS)


def _digest(value: str) -> bytes:
    return sha256(value.encode("utf-8", "replace")).digest()
