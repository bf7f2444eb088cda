"""Pages as answers: rendered, with their headers, their form cookie and what every page has.

Not here: what each page shows (pages.py, forms.py).
"""

from http import HTTPStatus
from urllib.parse import parse_qsl, urlsplit

import msgspec
from litestar import Response

from ...errors import UsageError
from ...values.settings import Mode
from ..remembered import parse_pattern
from .bodies import AnyRequest, Read, refuse_control
from .door import HttpDoor
from .problems import ProblemError
from .rendering import HEADERS, link, render
from .sessions import FORM, new_form_cookie, read_cookie, write_cookie

HTML = "text/html"
FORM_TYPE = "application/x-www-form-urlencoded"
_MAX_FIELDS = 10  # no form of ours has more
SEAL = "seal"  # the field of a form that says that it is ours

# Where each page is, and what it is called in the menu.
MENU = (
    ("/", "Now"),
    ("/lookup", "Look up"),
    ("/audit", "Audit"),
    ("/cache", "Cache"),
    ("/doctor", "Doctor"),
    ("/settings", "Settings"),
)


def page(
    request: AnyRequest,
    door: HttpDoor,
    template: str,
    status: HTTPStatus = HTTPStatus.OK,
    **values: object,
) -> Response[str]:
    """Answer with a page."""
    cookie = read_cookie(request.headers.get("cookie", ""), FORM)
    headers = dict(HEADERS)
    if not cookie:
        cookie = new_form_cookie()
        headers["set-cookie"] = write_cookie(FORM, cookie, secure=is_secure(request))
    body = render(
        template,
        menu=MENU,
        path=request.scope["path"],
        seal=door.sessions.seal(cookie),
        examined=door.metrics.examined,
        observes=door.settings.policy.mode is Mode.OBSERVE,
        name=door.verifier.helo_name,
        has_login=door.tokens.wanted,
        now=door.clock.now(),
        **values,
    )
    return Response(body, media_type=HTML, status_code=status.value, headers=headers)


def go_to(path: str, cookie: str = "", **query: object) -> Response[str]:
    """Send a browser on to a page, after it has changed something."""
    headers = {"location": link(path, **query) if query else path}
    if cookie:
        headers["set-cookie"] = cookie
    return Response("", media_type=HTML, status_code=HTTPStatus.SEE_OTHER.value, headers=headers)


def is_secure(request: AnyRequest) -> bool:
    """Say whether the browser sees us by way of TLS: it says so itself, a proxy's word is not needed."""
    return urlsplit(request.headers.get("origin", "")).scheme == "https"


async def read_form(request: AnyRequest, door: HttpDoor, kind: type[Read]) -> Read:
    """Read the fields of a form of ours as `kind`. Raises ProblemError."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != FORM_TYPE:
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send what the page's form sends")
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MAX_FIELDS, errors="strict")
    except ValueError:  # not ASCII, not UTF-8, or too much
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the form cannot be read") from None
    given = dict(pairs)
    cookies = request.headers.get("cookie", "")
    if not door.sessions.is_sealed(cookies, given.pop(SEAL, "")):
        why = "the form is not from a page of ours, or from one of before a restart: load it again"
        raise ProblemError(HTTPStatus.FORBIDDEN, why)
    refuse_control(given)
    try:
        return msgspec.convert(given, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None


def read_pattern(text: str) -> str:
    """Read an address, a domain or a host's IP. Raises ProblemError."""
    try:
        return parse_pattern(text.strip())
    except UsageError as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, str(error)) from None
