"""What becomes of what routes raise."""

import json
from http import HTTPStatus

import pytest
from litestar.exceptions import HTTPException
from litestar.testing import RequestFactory

from ringback.doors.http.problems import ProblemError
from ringback.doors.http.responses import of_framework, of_problem

A_REQUEST = RequestFactory().get("/v1/audit")


def test_a_problem_keeps_its_headers() -> None:
    error = ProblemError(HTTPStatus.NOT_FOUND, "nothing", ("retry-after", "1"))
    response = of_problem(A_REQUEST, error)

    assert (404, "1") == (response.status_code, response.headers["retry-after"])


@pytest.mark.parametrize("status", [400, 404, 405, 413, 500])
def test_what_the_framework_refuses_is_a_problem_in_our_words(status: int) -> None:
    error = HTTPException("its own words", status_code=status, headers={"allow": "GET"})
    response = of_framework(A_REQUEST, error)

    assert (status, "GET") == (response.status_code, response.headers["allow"])
    assert "its own words" != json.loads(response.content)["detail"]
