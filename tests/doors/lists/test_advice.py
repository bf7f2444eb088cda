"""What to do with an address, by reason."""

from ringback.doors.lists.advice import ADVICE
from ringback.values.verdict import Reason


def test_every_reason_has_advice() -> None:
    assert set(Reason) == set(ADVICE)
    assert all(means and remedy for means, remedy in ADVICE.values())
