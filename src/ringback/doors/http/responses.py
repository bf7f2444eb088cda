"""What routes return, and what becomes of what they raise. Not here: the documents (problems.py)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException

from ...errors import StoreError
from ...values.events import Trouble
from .bodies import JSON
from .door import DOOR, failed
from .problem_page import tell
from .problems import Problem, ProblemError


def json(
    content: object, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> Response[bytes]:
    return Response(
        msgspec.json.encode(content), media_type=JSON, status_code=status.value, headers=headers
    )


def of_problem(request: Request[Any, Any, Any], error: ProblemError) -> Response[bytes]:
    return _encode(request, error.problem)


def of_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[bytes]:
    """What Litestar refuses: paths and methods that are not served, and bodies that are too large."""
    status = HTTPStatus(error.status_code)
    headers = tuple((error.headers or {}).items())
    return _encode(request, Problem(status, _REMEDIES.get(status, status.phrase), headers))


def of_store(request: Request[Any, Any, Any], error: StoreError) -> Response[bytes]:
    request.app.state.door.tell(Trouble(DOOR, str(error), "nothing is answered without the store"))
    return _encode(request, failed("the store cannot be used").problem)


def of_bug(request: Request[Any, Any, Any], error: Exception) -> Response[bytes]:
    """An error that nobody foresaw: a bug of ours in one request costs no other one."""
    request.app.state.door.tell(Trouble.of_bug(DOOR, error))
    why = "this is a bug of Ringback's: its log says more, please report it"
    return _encode(request, Problem(HTTPStatus.INTERNAL_SERVER_ERROR, why))


_REMEDIES = {
    HTTPStatus.NOT_FOUND: "there is nothing at this path: see /openapi.json",
    HTTPStatus.METHOD_NOT_ALLOWED: "this path has no such method: the Allow field names those it has",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "the body is too large; one address goes into a request",
    HTTPStatus.INTERNAL_SERVER_ERROR: "the request broke off",
}


def _encode(request: Request[Any, Any, Any], problem: Problem) -> Response[bytes]:
    told = tell(problem, request.scope["path"], request.headers.get("accept", ""))
    headers = dict(told.headers)
    return Response(
        told.body,
        media_type=headers.pop("content-type").partition(";")[0],  # Litestar adds a charset
        status_code=told.status,
        headers=headers,
    )
