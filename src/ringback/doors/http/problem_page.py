"""A problem as its asker reads it: a document for programs, a page for people.

Not here: when there is one (guard.py, the routes).
"""

from dataclasses import dataclass
from http import HTTPStatus

from .problems import MEDIA_TYPE, Problem
from .rendering import HEADERS, render

HTML = "text/html"
_LOGIN = "/login"
# For programs, whatever a browser says that it would like.
_API = ("/v0/", "/v1/")


@dataclass(frozen=True, slots=True)
class Told:
    """An answer of HTTP."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def tell(problem: Problem, path: str, accept: str) -> Told:
    """Write a problem for who asked for `path`, and accepts what `accept` says."""
    if path.startswith(_API) or HTML not in accept.lower():
        headers = (("content-type", MEDIA_TYPE), *problem.headers)
        return Told(problem.status.value, headers, problem.encode())
    pages = (("content-type", f"{HTML}; charset=utf-8"), *HEADERS.items())
    if problem.status is HTTPStatus.UNAUTHORIZED:
        return Told(HTTPStatus.SEE_OTHER.value, (*pages, ("location", _LOGIN)), b"")
    body = render("problem.html", problem=problem)
    return Told(problem.status.value, (*pages, *problem.headers), body.encode())
