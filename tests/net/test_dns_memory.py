"""What is remembered of the DNS, and for how long. (That no question follows is in test_resolver.py.)"""

import pytest

from ringback.net import dns_memory
from ringback.net.dns_memory import DnsMemory
from ringback.values.dns import DnsAnswer, DnsStatus, Mx, RecordType

MX, TXT = RecordType.MX, RecordType.TXT
FAR_BEYOND_S = 1e6


class Hand:
    """A clock that is set by hand."""

    at = 1_000.0

    def __call__(self) -> float:
        return self.at


def answer(
    name: str = "shop.example",
    kind: RecordType = MX,
    status: DnsStatus = DnsStatus.OK,
    ttl_s: float = 300.0,
    *texts: str,
) -> DnsAnswer:
    return DnsAnswer(name, kind, status, (), texts, ttl_s)


@pytest.mark.parametrize(
    ("status", "ttl_s", "holds_s"),
    [
        (DnsStatus.OK, 0.0, dns_memory.MIN_TTL_S),
        (DnsStatus.OK, 77.0, 77.0),
        (DnsStatus.OK, FAR_BEYOND_S, dns_memory.MAX_TTL_S),
        (DnsStatus.NODATA, FAR_BEYOND_S, dns_memory.MAX_NEGATIVE_TTL_S),
        (DnsStatus.NXDOMAIN, 0.0, dns_memory.MIN_TTL_S),
        (DnsStatus.FAILURE, FAR_BEYOND_S, dns_memory.FAILURE_TTL_S),
    ],
)
def test_answer_holds_for_its_time_within_bounds(
    status: DnsStatus, ttl_s: float, holds_s: float
) -> None:
    clock = Hand()
    memory = DnsMemory(clock)
    saved = memory.save(answer(status=status, ttl_s=ttl_s))
    clock.at += holds_s - 0.5
    still = memory.load("shop.example", MX)
    clock.at += 0.5

    assert saved.ttl_s == holds_s
    assert still is saved
    assert memory.load("shop.example", MX) is None


def test_types_of_one_name_are_answers_of_their_own() -> None:
    memory = DnsMemory(Hand())
    saved = [memory.save(answer(kind=kind)) for kind in (MX, TXT)]

    assert [memory.load("shop.example", kind) for kind in (MX, TXT)] == saved
    assert memory.load("shop.example", RecordType.A) is None


def test_what_nobody_has_asked_for_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_memory, "MAX_REMEMBERED", 4)
    memory = DnsMemory(Hand())
    for name in ("a", "b", "c"):
        memory.save(answer(name))
    asked_for = memory.load("a", MX)
    memory.save(answer("d"))

    assert asked_for is not None
    assert memory.load("b", MX) is None
    assert memory.load("a", MX) is asked_for


def test_what_is_asked_again_and_again_takes_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_memory, "MAX_REMEMBERED", 8)
    memory = DnsMemory(Hand())
    kept = [memory.save(answer(name)) for name in ("a", "b", "c")]
    for _ in range(20):
        memory.save(answer("hot", ttl_s=0.0))

    assert kept == [memory.load(name, MX) for name in ("a", "b", "c")]


def test_what_has_expired_takes_no_place_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_memory, "MAX_REMEMBERED", 8)
    clock = Hand()
    memory = DnsMemory(clock)
    for name, ttl_s in (("a", 5.0), ("b", 5.0), ("c", 300.0), ("d", 300.0)):
        memory.save(answer(name, ttl_s=ttl_s))
    memory.save(answer("e"))  # and the four are the elder ones
    clock.at += 6.0
    expired = [memory.load(name, MX) for name in ("a", "b")]
    for name in ("f", "g"):
        memory.save(answer(name))

    assert [None, None] == expired
    assert memory.load("c", MX) is not None


@pytest.mark.parametrize("room", [2, 4, 10])
def test_there_are_never_more_than_have_room(room: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dns_memory, "MAX_REMEMBERED", room)
    memory = DnsMemory(Hand())
    names = [str(number) for number in range(3 * room)]
    for name in names:
        memory.save(answer(name))
        memory.load(names[0], MX)

    assert len([name for name in names if memory.load(name, MX)]) <= room


@pytest.mark.parametrize(
    "long",
    [
        answer("shop.example", TXT, DnsStatus.OK, 300.0, "x" * 1_024, "x" * 1_025),
        DnsAnswer("shop.example", TXT, DnsStatus.OK, (Mx(10, "x" * 2_049),), ttl_s=300.0),
    ],
)
def test_long_answer_is_not_remembered(long: DnsAnswer) -> None:
    memory = DnsMemory(Hand())

    assert memory.save(long) == long
    assert memory.load("shop.example", TXT) is None
