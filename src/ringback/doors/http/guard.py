"""What stands before every request: whose it is, how much it may take, and what every answer carries.

An ASGI application around another one. Nothing that it refuses costs the engine anything, and nothing
that goes wrong behind it reaches a client as anything but a problem document.
Not here: the routes (app.py), sizes of heads and the time to read one (listener.py), of bodies (app.py).
"""

import asyncio
from email.utils import formatdate
from http import HTTPStatus

from litestar.enums import HttpMethod, ScopeType
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from ...values.events import Requested, Trouble
from .door import DOOR, HttpDoor
from .hosts import is_cross_site, names_loopback
from .problem_page import tell
from .problems import Problem, ProblemError
from .quotas import Places, Rates, network_of

# Asked all day by what watches over us: no line of the log for each. The first needs no token.
ALIVE = "/healthz"
_PROBES = frozenset({ALIVE, "/readyz", "/metrics"})

# Answers are for programs: no page may show, keep or embed them. A page of ours may say otherwise.
_HEADERS = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)
# Where a browser shows a token, and what the page for it is made of.
LOGIN, STATIC = "/login", "/static/"
LIVE = "/live"  # its answer has no end
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"})


class _Exchange:
    """One request and what has been sent of its answer."""

    def __init__(self, scope: HTTPScope, send: Send, now: float) -> None:
        self.scope, self._send = scope, send
        self._now = now
        self.status = 0  # nothing is sent yet
        peer = scope.get("client")
        self.peer = peer[0] if peer else "unix"
        self.client = network_of(self.peer)
        self.method = scope["method"]
        # RFC 9110 section 9.3.2: the head that a GET would have.
        self._is_head = self.method == "HEAD" and scope["path"] != LIVE
        if self._is_head:
            scope["method"] = HttpMethod.GET

    def header(self, name: bytes) -> str:
        """The first header field of a name, or ""."""
        return next(
            (value.decode("latin-1") for key, value in self.scope["headers"] if key == name), ""
        )

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = [_field(key.lower(), value) for key, value in message["headers"]]
            given = {key for key, _ in headers}
            date = formatdate(self._now, usegmt=True).encode()
            ours = ((b"date", date), *_HEADERS)
            message["headers"] = [*headers, *(pair for pair in ours if pair[0] not in given)]
        elif message["type"] == "http.response.body" and self._is_head:
            message["body"] = b""
        await self._send(message)

    async def refuse(self, problem: Problem) -> None:
        """Answer with a problem, unless something was sent already."""
        if self.status:
            return
        told = tell(problem, self.scope["path"], self.header(b"accept"))
        fields = (*told.headers, ("content-length", str(len(told.body))))
        headers = [(name.encode(), value.encode()) for name, value in fields]
        await self.send({"type": "http.response.start", "status": told.status, "headers": headers})
        await self.send({"type": "http.response.body", "body": told.body, "more_body": False})


def _field(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    """A header field as it is sent: Allow names HEAD, too, which the routes know nothing of."""
    has_get = name == b"allow" and b"GET" in value.split(b", ")
    return name, value + b", HEAD" if has_get else value


class Guard:
    """Admits requests to `app`."""

    def __init__(self, app: ASGIApp, door: HttpDoor) -> None:
        self._app, self._door = app, door
        limits, elapsed = door.limits, door.clock.elapsed
        self._rates = Rates(limits.per_hour_each, limits.known_clients, elapsed)
        self._failures = Rates(limits.failures_per_hour_each, limits.known_clients, elapsed)
        self._places = Places(limits.in_flight, limits.in_flight_each)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] != ScopeType.HTTP
        ):  # "lifespan", of a test's client; nobody offers WebSockets
            await self._app(scope, receive, send)
            return
        clock = self._door.clock
        exchange = _Exchange(scope, send, clock.now())
        started_at = clock.elapsed()
        try:
            async with asyncio.timeout(self._door.limits.request_s):
                await self._answer(exchange, receive)
        except TimeoutError:
            await self._fail(exchange, f"no answer within {self._door.limits.request_s:g} s")
        if scope["path"] not in _PROBES:
            self._door.tell(_requested(exchange, clock.elapsed() - started_at))

    async def _answer(self, exchange: _Exchange, receive: Receive) -> None:
        try:
            self._require_small_head(exchange.scope)
            _require_one_length(exchange.scope)
            if exchange.scope["path"] == ALIVE:
                await self._app(exchange.scope, receive, exchange.send)
                return
            self._admit(exchange)
            try:
                await self._app(exchange.scope, receive, exchange.send)
            finally:
                self._places.give_back(exchange.client)
        except ProblemError as error:
            self._door.tell_sent_away(exchange.peer, error.problem.detail)
            await exchange.refuse(error.problem)

    async def _fail(self, exchange: _Exchange, what: str) -> None:
        self._door.tell(Trouble(DOOR, what, "no answer was given, rather than a wrong one"))
        await exchange.refuse(Problem(HTTPStatus.SERVICE_UNAVAILABLE, f"{what}; ask again later"))

    def _admit(self, exchange: _Exchange) -> None:
        """Take a place for the request. Raises ProblemError."""
        self._require_own_name(exchange)
        site, mode = exchange.header(b"sec-fetch-site"), exchange.header(b"sec-fetch-mode")
        if is_cross_site(exchange.scope["method"], site, mode):
            raise ProblemError(HTTPStatus.FORBIDDEN, "another site's page may not ask for this")
        if self._door.tokens.wanted and not _is_open(exchange.scope["path"]):
            exchange.client = self._require_token(exchange)
        if not self._rates.spend(exchange.client):
            raise _too_many("requests came too fast", self._rates.wait_s(exchange.client))
        if self._places.is_full:
            why = "as many requests are under way as can be; ask again later"
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, why, ("retry-after", "1"))
        if not self._places.take(exchange.client):
            most = self._door.limits.in_flight_each
            raise _too_many(f"{most} requests of yours are under way, the most there may be", 1)

    def _require_small_head(self, scope: HTTPScope) -> None:
        """The listener refuses a large head that trickles in; this one came whole."""
        target = len(scope["raw_path"] or b"") + len(scope["query_string"])
        fields = sum(len(name) + len(value) for name, value in scope["headers"])
        if target + fields > self._door.limits.head_bytes:
            why = f"the head is larger than {self._door.limits.head_bytes} octets"
            raise ProblemError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, why)

    def _require_own_name(self, exchange: _Exchange) -> None:
        """Where anybody on this machine may ask, nobody elsewhere may have his browser do it."""
        if self._door.tokens.wanted or exchange.scope.get("client") is None:
            return
        hosts = [value for key, value in exchange.scope["headers"] if key == b"host"]
        if len(hosts) != 1 or not names_loopback(hosts[0].decode("latin-1")):
            why = "the Host field names another machine; write 127.0.0.1 or localhost into the URL"
            raise ProblemError(HTTPStatus.MISDIRECTED_REQUEST, why)

    def _require_token(self, exchange: _Exchange) -> str:
        given = exchange.header(b"authorization")
        tokens = self._door.tokens
        name = tokens.name_of(given) or self._door.sessions.name_of(
            exchange.header(b"cookie"), tokens
        )
        if name is not None:
            return name
        if given and not self._failures.spend(exchange.client):
            raise _too_many("too many wrong tokens", self._failures.wait_s(exchange.client))
        error = ', error="invalid_token"' if given else ""  # RFC 6750 section 3.1
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "send Authorization: Bearer TOKEN with a token of http.tokens_file",
            ("www-authenticate", f'Bearer realm="ringback"{error}'),
        )


def _require_one_length(scope: HTTPScope) -> None:
    """Two lengths of one body: a proxy before us may have gone by the other (RFC 9112 section 6.3)."""
    names = {name for name, _ in scope["headers"]}
    if {b"content-length", b"transfer-encoding"} <= names:
        why = "the body has two lengths, Content-Length and Transfer-Encoding"
        raise ProblemError(HTTPStatus.BAD_REQUEST, why, ("connection", "close"))


def _is_open(path: str) -> bool:
    """Say whether a path is what somebody needs who has yet to log in."""
    return path == LOGIN or path.startswith(STATIC)


def _too_many(why: str, wait_s: int) -> ProblemError:
    detail = f"{why}; ask again in {wait_s} s"
    return ProblemError(HTTPStatus.TOO_MANY_REQUESTS, detail, ("retry-after", str(wait_s)))


def _requested(exchange: _Exchange, took_s: float) -> Requested:
    method = exchange.method
    return Requested(
        door=DOOR,
        client=exchange.client,
        method=method if method in _METHODS else "other",
        route=str(exchange.scope.get("path_template") or ""),
        status=exchange.status,
        took_s=took_s,
    )
