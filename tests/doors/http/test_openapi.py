"""The schema: complete, honest, and found without fault by a fuzzer."""

import re
from http import HTTPStatus
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from jsonschema_rs import Draft202012Validator
from litestar import Litestar
from litestar.di import Provide
from schemathesis.generation import GenerationMode

from http_fakes import TOKENS, WITH_TOKEN, HttpSite
from ringback.doors.http import answers, bodies
from ringback.doors.http.app import ROUTES
from ringback.doors.http.limits import Limits
from ringback.doors.http.openapi import document
from ringback.doors.http.operations import OPERATIONS, Operation
from ringback.doors.http.problems import PROBLEMS, Document

SCHEMA = document(with_tokens=True)


@pytest.mark.slow  # it builds a validator
def test_it_is_openapi_3_1() -> None:
    assert "3.1.0" == SCHEMA["openapi"]
    assert schemathesis.openapi.from_dict(SCHEMA).validate() is None


def test_each_route_is_described_and_nothing_else() -> None:
    door = {"door": Provide(HttpSite, sync_to_thread=False)}
    routes = {
        (method.lower(), re.sub(r"\{[^}]*\}", "{}", route.path_format))
        for route in Litestar(ROUTES, dependencies=door, openapi_config=None).routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }
    described = {
        (method, re.sub(r"\{[^}]*\}", "{}", path))
        for path, operations in SCHEMA["paths"].items()
        for method in operations
    }

    assert routes - {("get", "/openapi.json")} == described


def test_only_with_tokens_does_anyone_need_one() -> None:
    without = document(with_tokens=False)

    assert ([{"bearer": []}], []) == (SCHEMA["security"], without["security"])
    assert "401" in SCHEMA["paths"]["/v1/verify"]["post"]["responses"]
    assert "401" not in without["paths"]["/v1/verify"]["post"]["responses"]
    assert [] == SCHEMA["paths"]["/healthz"]["get"]["security"]


def resolved(part: Any) -> Any:
    """`part` with every reference replaced by what it leads to."""
    if isinstance(part, list):
        return [resolved(item) for item in part]
    if not isinstance(part, dict):
        return part
    if "$ref" in part:
        found: Any = SCHEMA
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        return resolved(found)
    return {key: resolved(value) for key, value in part.items()}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_all_has_an_example_that_fits(operation: Operation) -> None:
    described = resolved(SCHEMA["paths"][operation.path][operation.method])
    shown = [
        *((one["schema"], one["example"]) for one in described.get("parameters", ())),
        *(
            (content["schema"], content["example"])
            for answer in described["responses"].values()
            for content in answer["content"].values()
        ),
    ]
    for content in described.get("requestBody", {}).get("content", {}).values():
        shown += [(content["schema"], one["value"]) for one in content["examples"].values()]

    assert [] == [
        (example, error.message)
        for schema, example in shown
        for error in Draft202012Validator(schema).iter_errors(example)
    ]
    assert shown


def test_examples_are_what_is_read_and_written() -> None:
    for operation in OPERATIONS:
        for shown in operation.examples.values():
            assert msgspec.convert(shown["value"], operation.body)
        for answer in operation.answers.values():
            for kind, example in answer.content.values():
                assert msgspec.convert(example, kind)
    assert operation.body in {bodies.Asked, bodies.ReacherAsked}
    assert Document in answers.SHAPES
    assert {HTTPStatus(status) for status in PROBLEMS}


async def test_it_is_served(site: HttpSite) -> None:
    answer = await site.ask("GET", "/openapi.json")

    assert document(with_tokens=False) == answer.json()
    assert "application/json" == answer.headers["content-type"]


FUZZED = [
    pytest.param(operation, mode, id=f"{operation.name}-{mode.value}")
    for operation in OPERATIONS
    for mode in GenerationMode
    # Where nothing is asked, nothing can be asked in a wrong way.
    if mode is GenerationMode.POSITIVE or operation.body or operation.parameters
]


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "mode"), FUZZED)
def test_a_fuzzer_finds_nothing(operation: Operation, mode: GenerationMode) -> None:
    site = HttpSite()
    site.tokens = TOKENS
    site.limits = Limits(per_hour_each=10**9, failures_per_hour_each=10**9)
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app, headers=WITH_TOKEN)
    described = schema[operation.path][operation.method.upper()]
    answered: list[int] = []

    @given(case=described.as_strategy(generation_mode=mode))
    @settings(
        max_examples=60,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def fuzz(case: Any) -> None:
        answered.append(case.call_and_validate(headers=WITH_TOKEN).status_code)

    fuzz()

    assert answered
    assert set(answered) <= {int(status) for status in described.definition.raw["responses"]}
