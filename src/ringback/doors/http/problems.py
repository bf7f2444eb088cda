"""Problem documents (RFC 9457): every answer of the HTTP door that is not a success, and their table.

Not here: when there is a problem (guard.py, the routes).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType

import msgspec

from ...errors import RingbackError
from ...values.text import printable

MEDIA_TYPE = "application/problem+json"
MAX_DETAIL_CHARS = 1_000


class Document(msgspec.Struct):
    """What went wrong, and what to do about it."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"  # RFC 9457 section 4.2.1: the status says it all


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem. `detail` is for the person who wrote the client: what is wrong, and the remedy."""

    status: HTTPStatus
    detail: str
    headers: tuple[tuple[str, str], ...] = ()

    def encode(self) -> bytes:
        """The document; what it repeats of the request is made printable."""
        detail = printable(self.detail, limit=MAX_DETAIL_CHARS)
        return msgspec.json.encode(Document(self.status.phrase, self.status.value, detail))


class ProblemError(RingbackError):
    """A request that ends in a problem."""

    def __init__(self, status: HTTPStatus, detail: str, *headers: tuple[str, str]) -> None:
        super().__init__(detail)
        self.problem = Problem(status, detail, headers)


RETRY_AFTER = {"Retry-After": "Seconds to wait."}

# By status: when it comes, an example, and what headers it brings.
PROBLEMS: Mapping[int, tuple[str, Problem, Mapping[str, str]]] = MappingProxyType(
    {
        400: (
            "It cannot be read.",
            Problem(HTTPStatus.BAD_REQUEST, "the body is not JSON in UTF-8"),
            {},
        ),
        401: (
            "There is no token, or a wrong one.",
            Problem(
                HTTPStatus.UNAUTHORIZED,
                "send Authorization: Bearer TOKEN with a token of http.tokens_file",
            ),
            {"WWW-Authenticate": "The scheme to use."},
        ),
        403: (
            "A page of another site has a browser ask.",
            Problem(HTTPStatus.FORBIDDEN, "another site's page may not ask for this"),
            {},
        ),
        404: (
            "There is no such thing.",
            Problem(HTTPStatus.NOT_FOUND, "nothing is remembered of shop.example"),
            {},
        ),
        413: (
            "The body is too large.",
            Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large"),
            {},
        ),
        415: (
            "The body is not JSON, or compressed.",
            Problem(
                HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send Content-Type: application/json, in UTF-8"
            ),
            {},
        ),
        421: (
            "The Host field names another machine.",
            Problem(HTTPStatus.MISDIRECTED_REQUEST, "the Host field names another machine"),
            {},
        ),
        422: (
            "It can be read, and is not what this takes.",
            Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Object missing required field `address`"),
            {},
        ),
        429: (
            "Too many requests at a time, or too fast.",
            Problem(HTTPStatus.TOO_MANY_REQUESTS, "requests came too fast; ask again in 2 s"),
            RETRY_AFTER,
        ),
        431: (
            "The head is too large.",
            Problem(
                HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the head is larger than 16384 octets"
            ),
            {},
        ),
        500: (
            "A bug of Ringback's.",
            Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "this is a bug of Ringback's"),
            {},
        ),
        503: (
            "Ringback cannot answer now. It is never a verdict.",
            Problem(HTTPStatus.SERVICE_UNAVAILABLE, "the store cannot be used; ask again later"),
            RETRY_AFTER,
        ),
    }
)
