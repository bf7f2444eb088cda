"""What a list asks about, and what it is known by."""

import pytest

from ringback.values.job import MAX_TEXT_CHARS, Digest, DomainTally, Tally, Task, text_of
from ringback.values.query import Purpose
from ringback.values.verdict import Reason


def digest_of(*addresses: str, purpose: Purpose = Purpose.BULK) -> str:
    digest = Digest(purpose)
    for address in addresses:
        digest.add(Task.parse(address))
    return digest.hex()


@pytest.mark.parametrize(
    ("text", "task"),
    [
        ("Ann@Shop.Example", Task("Ann@shop.example", "shop.example")),
        ("用户@例子.example", Task("用户@xn--fsqu00a.example", "xn--fsqu00a.example")),
        ("ann@[192.0.2.1]", Task("ann@[192.0.2.1]", "[192.0.2.1]")),
        ("", Task(" ", "")),
        ("ann at shop.example", Task(" ann at shop.example", "")),
        ('"a\0\ud800\x1bb"@shop.example', Task(' "a\\x00\\ud800\\x1bb"@shop.example', "")),
    ],
)
def test_every_text_is_a_task_that_can_be_kept(text: str, task: Task) -> None:
    assert task == Task.parse(text)
    assert task.key == task.key.encode().decode()


def test_what_is_too_long_is_cut_and_still_too_long() -> None:
    task = Task.parse("x" * 10_000_000 + "@shop.example")

    assert ("", MAX_TEXT_CHARS) == (task.domain, len(text_of(task.key)))
    assert task == Task.parse(text_of(task.key))


def test_what_is_no_address_is_not_taken_for_one_that_it_is_shown_as() -> None:
    none, address = Task.parse('"a\0b"@x.example'), Task.parse('"a\\x00b"@x.example')

    assert ("", "x.example") == (none.domain, address.domain)
    assert none.key != address.key == text_of(none.key)


def test_a_list_is_known_by_its_addresses_in_order_and_what_they_are_asked_for() -> None:
    assert digest_of("a@x.example", "b@x.example") == digest_of("a@X.example", "b@x.example")
    others = {
        digest_of("a@x.example", "b@x.example"),
        digest_of("b@x.example", "a@x.example"),
        digest_of("a@x.example", "a@x.example", "b@x.example"),
        digest_of("a@x.example", "b@x.example", purpose=Purpose.SENDER),
        digest_of("a@x.exampleb@x.example"),
        digest_of(),
    }

    assert 6 == len(others)


def test_a_total_is_what_waits_and_what_is_done() -> None:
    done = {Reason.ACCEPTED: 2, Reason.NULL_MX: 1}

    assert 7 == Tally(4, done).total
    assert 3 == DomainTally("x.example", 0, done).total
