"""What a route is given: bodies, queries and paths, read strictly by the types the schema is made from.

Not here: the shapes of answers (answers.py).
"""

import re
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from msgspec import Meta

from .door import HttpDoor
from .problems import ProblemError

JSON = "application/json"
# Long enough for any address that mail servers take, and for the impossible ones that forms send.
MAX_ADDRESS_CHARS = 1_000
# RFC 1035 allows a name 255 octets; MTAs hand on what a client called itself.
MAX_NAME_CHARS = 512
# Proxies and clients of HTTP wait a minute by default, and callouts take no longer by ours.
MAX_TIMEOUT_S = 120.0
MAX_LISTED, MAX_CALLS = 1_000, 10_000

# RFC 5321 has no place for control characters; a log or a terminal has no good use for them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NO_CONTROL: dict[str, Any] = {"pattern": r"^[^\u0000-\u001f\u007f-\u009f]*$"}

AddressText = Annotated[
    str,
    Meta(
        max_length=MAX_ADDRESS_CHARS,
        description="An e-mail address, without angle brackets.",
        examples=["ann@shop.example"],
        extra_json_schema=_NO_CONTROL,
    ),
]
NameText = Annotated[str, Meta(max_length=MAX_NAME_CHARS, extra_json_schema=_NO_CONTROL)]

Read = TypeVar("Read")
AnyRequest = Request[Any, Any, Any]
Door = NamedDependency[HttpDoor]


class AskedClient(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The SMTP client whose mail raises the question."""

    address: Annotated[
        str,
        Meta(
            max_length=MAX_NAME_CHARS,
            description="Its IP address.",
            examples=["192.0.2.7"],
            extra_json_schema={"anyOf": [{"format": "ipv4"}, {"format": "ipv6"}]},
        ),
    ]
    name: Annotated[NameText, Meta(description="Its confirmed reverse name.")] = ""
    helo: Annotated[NameText, Meta(description="What it called itself.")] = ""
    authenticated: Annotated[bool, Meta(description="Whether it has logged in.")] = False


class Asked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One question."""

    address: AddressText
    purpose: Annotated[
        Literal["sender", "recipient", "bulk"],
        Meta(
            description="What the answer is for: a mail's sender, its recipient, by `recipient.route`, or a "
            "list or a form, with `bulk.consent`."
        ),
    ] = "sender"
    timeout_s: (
        Annotated[
            float,
            Meta(ge=0, le=MAX_TIMEOUT_S, description="How long to wait for the conclusion."),
        ]
        | None
    ) = None
    fresh: Annotated[bool, Meta(description="Ask anew, whatever is remembered.")] = False
    client: AskedClient | None = None
    recipient: Annotated[
        AddressText, Meta(description="Of the mail that raises the question, of its sender.")
    ] = ""
    sender: Annotated[
        AddressText, Meta(description="Of the mail that raises the question, of its recipient.")
    ] = ""


class ReacherAsked(msgspec.Struct, kw_only=True):
    """One question, as clients of Reacher ask it. What else they send is ignored."""

    to_email: AddressText


class AuditQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Whose callouts to list."""

    q: Annotated[str, Meta(max_length=MAX_ADDRESS_CHARS)]
    since: Annotated[str, Meta(max_length=64)] | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_CALLS)] = 100


class CacheQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How much to list."""

    limit: Annotated[int, Meta(ge=1, le=MAX_LISTED)] = 50


class NoQuery(msgspec.Struct, forbid_unknown_fields=True):
    """Nothing."""


async def read_body(request: AnyRequest, kind: type[Read]) -> Read:
    """Read the body as `kind`. Raises ProblemError."""
    media_type, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if media_type.strip().lower() != JSON or charset not in ("", "charset=utf-8"):
        why = f"send Content-Type: {JSON}, in UTF-8"
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, why)
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body uncompressed")
    return decode_body(await request.body(), kind)


def decode_body(octets: bytes, kind: type[Read]) -> Read:
    """Read JSON as `kind`; control characters are nowhere in it. Raises ProblemError."""
    try:
        read = msgspec.json.decode(octets, type=kind)
    except msgspec.ValidationError as error:
        raise _unfit(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is not JSON in UTF-8") from None
    except RecursionError:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is nested too deeply") from None
    refuse_control(msgspec.to_builtins(read))
    return read


def read_query(request: AnyRequest, kind: type[Read]) -> Read:
    """Read the query as `kind`, each name at most once. Raises ProblemError."""
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name in given:
            raise _unfit("a parameter stands in the query twice")
        given[name] = str(value)
    refuse_control(given)
    try:
        return msgspec.convert(given, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise _unfit(str(error)) from None


def read_tail(request: AnyRequest, head: str) -> str:
    """Read what follows `head` in the path, once decoded: it may hold what parts paths."""
    octets: bytes = request.scope["raw_path"] or request.scope["path"].encode()
    try:
        tail = unquote_to_bytes(octets.removeprefix(head.encode())).decode()
    except UnicodeDecodeError:
        raise _unfit("the path is not UTF-8") from None
    if len(tail) > MAX_ADDRESS_CHARS:
        raise _unfit(f"the path is longer than {MAX_ADDRESS_CHARS} characters")
    refuse_control(tail)
    return tail


def refuse_control(value: object) -> None:
    """Raises ProblemError where there is a control character."""
    if isinstance(value, dict):
        for part in value.values():
            refuse_control(part)
    elif isinstance(value, str) and _CONTROL.search(value):
        raise _unfit("there is a control character in it")


def _unfit(why: str) -> ProblemError:
    return ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, why)
