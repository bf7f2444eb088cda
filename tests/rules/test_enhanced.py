"""What enhanced codes mean by themselves."""

import pytest

from ringback.rules.enhanced import OF_SUBJECT, RANGES, meaning_of
from ringback.values.evidence import Meaning


@pytest.mark.parametrize(
    ("enhanced", "meaning"),
    [
        ("5.1.1", Meaning.UNKNOWN_USER),
        ("4.1.1", Meaning.UNKNOWN_USER),
        ("5.2.2", Meaning.FULL),
        ("4.2.2", Meaning.FULL),
        ("5.1.6", Meaning.MOVED),
        ("4.3.3", Meaning.SERVER_TROUBLE),
        ("4.4.1", Meaning.SERVER_TROUBLE),
        ("5.7.606", Meaning.CLIENT_BLOCKED),
        ("5.7.649", Meaning.CLIENT_BLOCKED),
        ("4.7.870", Meaning.RATE_LIMITED),
    ],
)
def test_a_code_that_says_something(enhanced: str, meaning: Meaning) -> None:
    assert meaning_of(enhanced) is meaning


@pytest.mark.parametrize(
    "enhanced",
    ["5.0.0", "5.1.0", "5.2.0", "4.3.0", "4.4.0", "5.3.3", "5.4.1", "5.7.0", "5.7.1", "5.7.999"],
)
def test_a_code_that_leaves_it_to_the_words(enhanced: str) -> None:
    assert meaning_of(enhanced) is None


def test_no_code_of_policy_speaks_of_a_mailbox() -> None:
    mailbox = {Meaning.UNKNOWN_USER, Meaning.DISABLED_USER, Meaning.MOVED}
    policy = {meaning for subject, meaning in OF_SUBJECT.items() if subject.startswith("7.")}

    assert not policy & mailbox
    assert not {meaning for _, _, meaning in RANGES} & mailbox
