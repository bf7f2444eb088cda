"""What is asked, and what it takes of the host."""

import pytest

from ringback.values.evidence import About
from ringback.wire.question import Question


@pytest.mark.parametrize(
    ("recipient", "sender", "needs"),
    [
        ("ann@mx.example", "", False),
        ("jürgen@mx.example", "", True),
        ("ann@mx.example", "jürgen@ours.example", True),
    ],
)
def test_smtputf8_is_needed_for_either_address(recipient: str, sender: str, needs: bool) -> None:
    question = Question(About.ADDRESS, recipient, sender)

    assert question.needs_smtputf8 is needs
