"""Problem documents."""

import json
from http import HTTPStatus

import pytest

from ringback.doors.http.problems import PROBLEMS, Problem, ProblemError


def test_a_problem_is_a_document() -> None:
    problem = ProblemError(HTTPStatus.NOT_FOUND, "nothing", ("x", "y")).problem

    assert (("x", "y"),) == problem.headers
    assert {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "detail": "nothing",
    } == json.loads(problem.encode())


def test_what_it_repeats_is_printable_and_short() -> None:
    detail = json.loads(Problem(HTTPStatus.NOT_FOUND, "\x1b[31m" + "x" * 5_000).encode())["detail"]

    assert detail.startswith("\\x1b[31mxxx")
    assert 1_000 == len(detail)


@pytest.mark.parametrize("status", PROBLEMS)
def test_the_table_is_by_status(status: int) -> None:
    assert status == PROBLEMS[status][1].status.value
