"""The table of operations."""

from ringback.doors.http.operations import OPERATIONS


def test_whoever_needs_no_token_is_not_refused_one() -> None:
    alive = next(operation for operation in OPERATIONS if operation.is_open)

    assert frozenset({431, 500}) == alive.all_problems(with_tokens=True)


def test_bodies_bring_problems_of_their_own() -> None:
    verify, report = OPERATIONS[:2]
    own = verify.all_problems(with_tokens=False) - report.all_problems(with_tokens=False)

    assert {413, 415} == own


def test_an_answer_is_not_a_problem_too() -> None:
    ready = next(operation for operation in OPERATIONS if operation.path == "/readyz")

    assert 503 in ready.answers
    assert 503 not in ready.all_problems(with_tokens=True)


def test_names_and_places_stand_there_once() -> None:
    names = [operation.name for operation in OPERATIONS]
    places = [(operation.method, operation.path) for operation in OPERATIONS]

    assert sorted(set(names)) == sorted(names)
    assert sorted(set(places)) == sorted(places)
