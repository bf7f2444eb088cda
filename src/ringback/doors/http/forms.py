"""What people change by way of pages: ask now, forget, log in, log out. Plain forms, sealed by sessions.py.

Not here: the pages themselves (pages.py).
"""

from http import HTTPStatus
from typing import Annotated

import msgspec
from litestar import Response, get, post
from litestar.handlers import HTTPRouteHandler
from msgspec import Meta

from ...assemble import flag_lists
from ...errors import AddressError
from ...rules.flags import flags_of
from ...values.address import parse_address
from ...values.query import Query
from .answering import go_to, is_secure, page, read_form, read_pattern
from .bodies import MAX_ADDRESS_CHARS, AnyRequest, Door, NoQuery, read_query
from .problems import ProblemError
from .sessions import LASTS_S, SESSION, write_cookie
from .views import account_of

LOGIN = "/login"
MAX_TOKEN_CHARS = 1_000
_Text = Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS)]


class AskForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    address: _Text


class ForgetForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    pattern: _Text


class LoginForm(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    token: Annotated[str, Meta(max_length=MAX_TOKEN_CHARS)]


class NoForm(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing but the seal."""


@post("/lookup", status_code=HTTPStatus.OK)
async def ask(request: AnyRequest, door: Door) -> Response[str]:
    """Ask about an address now, as an operator: gates, budgets and breakers hold as ever."""
    read_query(request, NoQuery)
    text = (await read_form(request, door, AskForm)).address.strip()
    try:
        address = parse_address(text)
    except AddressError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
    patience_s = door.settings.smtp.callout_deadline_s
    query = Query(address=text, answer_by_at=door.clock.now() + patience_s, fresh=True)
    report = await door.ask(query, patience_s)
    return page(
        request,
        door,
        "lookup.html",
        sought=text,
        address=address,
        account=account_of(report),
        as_recipient=None,
        problem="",
        flags=flags_of(address, flag_lists()),
        asked=True,
        forgotten=None,
        recent=door.recent,
    )


@post("/forget", status_code=HTTPStatus.SEE_OTHER)
async def forget(request: AnyRequest, door: Door) -> Response[str]:
    """Forget an address, a domain or a host."""
    read_query(request, NoQuery)
    pattern = read_pattern((await read_form(request, door, ForgetForm)).pattern)
    forgotten = await door.store.forget(pattern)
    if "@" in pattern:
        return go_to("/lookup", address=pattern, forgotten=forgotten)
    return go_to("/cache", q=pattern, forgotten=forgotten)


@get(LOGIN)
async def show_login(request: AnyRequest, door: Door) -> Response[str]:
    """Where a token is asked for."""
    read_query(request, NoQuery)
    if not door.tokens.wanted:
        return go_to("/")
    return page(request, door, "login.html", problem="")


@post(LOGIN, status_code=HTTPStatus.SEE_OTHER)
async def login(request: AnyRequest, door: Door) -> Response[str]:
    """Begin a session with a token."""
    read_query(request, NoQuery)
    given = await read_form(request, door, LoginForm)
    client = request.client.host if request.client else "unix"
    digest = door.tokens.digest_of(given.token.strip())
    if digest is not None:
        value = door.sessions.begin(digest)
        return go_to("/", write_cookie(SESSION, value, secure=is_secure(request), lasts_s=LASTS_S))
    wait_s = door.sessions.wait_s(client)
    if wait_s:
        why = f"too many wrong tokens; try again in {wait_s} s"
        raise ProblemError(HTTPStatus.TOO_MANY_REQUESTS, why, ("retry-after", str(wait_s)))
    problem = "That is no token of http.tokens_file."
    return page(request, door, "login.html", HTTPStatus.UNPROCESSABLE_ENTITY, problem=problem)


@post("/logout", status_code=HTTPStatus.SEE_OTHER)
async def logout(request: AnyRequest, door: Door) -> Response[str]:
    """End the session."""
    read_query(request, NoQuery)
    await read_form(request, door, NoForm)
    door.sessions.end(request.headers.get("cookie", ""))
    return go_to(LOGIN, write_cookie(SESSION, "", secure=is_secure(request), lasts_s=0))


ROUTES: tuple[HTTPRouteHandler, ...] = (ask, forget, show_login, login, logout)
