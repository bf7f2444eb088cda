"""GET /openapi.json: the contract of this door (OpenAPI 3.1), made from the types that read and write it.

Not here: what each operation takes, answers and looks like, a table of its own (operations.py).
"""

from collections.abc import Iterator
from typing import Any

import msgspec
from litestar import Response, get
from litestar.handlers import HTTPRouteHandler

from .answers import SHAPES
from .bodies import JSON, Asked, Door, ReacherAsked
from .operations import OPERATIONS, Operation
from .problems import MEDIA_TYPE, PROBLEMS, Document, Problem
from .responses import json

PATH = "/openapi.json"
_COMPONENTS = "#/components/schemas/"
_SCHEME = "bearer"

Json = dict[str, Any]


@get(PATH)
async def openapi(door: Door) -> Response[bytes]:
    """The contract, as it holds for this service."""
    return json(document(with_tokens=door.tokens.wanted))


ROUTES: tuple[HTTPRouteHandler, ...] = (openapi,)


def document(*, with_tokens: bool) -> Json:
    """The whole document; who needs no token is not told to send one."""
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, with_tokens)
    _, schemas = msgspec.json.schema_components(
        (*SHAPES, Asked, ReacherAsked), ref_template=_COMPONENTS + "{name}"
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Ringback",
            "version": "1",
            "summary": "Asks mail hosts whether addresses take mail, with manners.",
            "description": "Every answer that is no success is a problem document of RFC 9457.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{_SCHEME: []}] if with_tokens else [],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                _SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of `http.tokens_file` (RFC 6750), where that is set.",
                }
            },
            "responses": {f"Problem{status}": _problem(status) for status in sorted(PROBLEMS)},
        },
    }


def _operation(operation: Operation, with_tokens: bool) -> Json:
    described: Json = {
        "operationId": operation.name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": operation.description,
        "responses": dict(_responses(operation, with_tokens)),
    }
    if operation.parameters:
        described["parameters"] = list(operation.parameters)
    if operation.body is not None:
        content = {"schema": _ref(operation.body), "examples": operation.examples}
        described["requestBody"] = {"required": True, "content": {JSON: content}}
    if operation.is_open:
        described["security"] = []
    return described


def _responses(operation: Operation, with_tokens: bool) -> Iterator[tuple[str, Json]]:
    for status, answer in operation.answers.items():
        content = {
            media_type: {
                "schema": _ref(kind) if issubclass(kind, msgspec.Struct) else {"type": "string"},
                "example": example,
            }
            for media_type, (kind, example) in answer.content.items()
        }
        headers = {
            name: {"description": says, "schema": {"type": "string"}}
            for name, says in answer.headers.items()
        }
        described = {"description": answer.description, "headers": headers, "content": content}
        yield str(status), {key: value for key, value in described.items() if value}
    for status in sorted(operation.all_problems(with_tokens)):
        yield str(status), {"$ref": f"#/components/responses/Problem{status}"}


def _problem(status: int) -> Json:
    description, problem, headers = PROBLEMS[status]
    example = msgspec.json.decode(Problem(problem.status, problem.detail).encode())
    described: Json = {
        "description": description,
        "content": {MEDIA_TYPE: {"schema": _ref(Document), "example": example}},
    }
    if headers:
        described["headers"] = {
            name: {"description": says, "schema": {"type": "string"}}
            for name, says in headers.items()
        }
    return described


def _ref(kind: type) -> Json:
    return {"$ref": _COMPONENTS + kind.__name__}
