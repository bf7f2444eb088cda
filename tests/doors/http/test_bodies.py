"""Reading what clients send."""

import pytest

from ringback.doors.http.bodies import Asked, ReacherAsked, decode_body
from ringback.doors.http.problems import ProblemError


def test_what_is_left_out_has_its_default() -> None:
    asked = decode_body(b'{"address":"ann@shop.example"}', Asked)

    assert Asked(address="ann@shop.example") == asked
    assert ("sender", None, False, None, "", "") == (
        asked.purpose,
        asked.timeout_s,
        asked.fresh,
        asked.client,
        asked.recipient,
        asked.sender,
    )


def test_some_ignore_what_they_do_not_know() -> None:
    assert ReacherAsked(to_email="a@b") == decode_body(b'{"to_email":"a@b","x":{}}', ReacherAsked)


@pytest.mark.parametrize("depth", [100, 10_000, 60_000])
def test_depth_costs_nothing(depth: int) -> None:
    nested = b'{"to_email":"a@b","x":' + b"[" * depth + b"]" * depth + b"}"
    try:
        read = decode_body(nested, ReacherAsked)
    except ProblemError as error:
        assert 400 == error.problem.status
    else:
        assert "a@b" == read.to_email


@pytest.mark.parametrize("char", ["\\u0000", "\\n", "\\u007f", "\\u0085"])
def test_control_characters_are_nowhere(char: str) -> None:
    with pytest.raises(ProblemError, match="control character"):
        decode_body(f'{{"to_email":"a{char}@b"}}'.encode(), ReacherAsked)
