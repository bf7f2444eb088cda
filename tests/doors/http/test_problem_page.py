"""Problems: documents for programs, pages for people."""

import json
from http import HTTPStatus

import pytest

from ringback.doors.http.problem_page import tell
from ringback.doors.http.problems import Problem

GONE = Problem(HTTPStatus.NOT_FOUND, "<b>nothing</b>", (("retry-after", "1"),))
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.mark.parametrize(
    ("path", "accept"), [("/nope", "*/*"), ("/nope", ""), ("/v1/audit", BROWSER)]
)
def test_a_program_reads_a_document(path: str, accept: str) -> None:
    told = tell(GONE, path, accept)

    assert ("application/problem+json", "1") == (
        dict(told.headers)["content-type"],
        dict(told.headers)["retry-after"],
    )
    assert 404 == json.loads(told.body)["status"]


def test_a_person_reads_a_page() -> None:
    told = tell(GONE, "/nope", BROWSER)

    assert (404, "1") == (told.status, dict(told.headers)["retry-after"])
    assert b"&lt;b&gt;nothing&lt;/b&gt;" in told.body
    assert "script-src 'self'" in dict(told.headers)["content-security-policy"]


@pytest.mark.parametrize(
    ("status", "there"),
    [
        (HTTPStatus.NOT_FOUND, True),
        (HTTPStatus.UNPROCESSABLE_ENTITY, True),
        (HTTPStatus.SERVICE_UNAVAILABLE, False),
    ],
)
def test_who_looked_for_what_is_not_there_can_look_again(status: HTTPStatus, there: bool) -> None:
    told = tell(Problem(status, "a b c: no such thing"), "/find", BROWSER)

    assert there is (b'action="/find"' in told.body)


def test_a_person_without_a_token_is_asked_for_one() -> None:
    told = tell(Problem(HTTPStatus.UNAUTHORIZED, "no"), "/", BROWSER)

    assert (303, "/login") == (told.status, dict(told.headers)["location"])
