"""The bounded memory."""

from ringback.store.lru import Lru


def test_the_least_recently_used_goes_first() -> None:
    lru: Lru[str, int] = Lru(2)
    lru.keep("a", 1)
    lru.keep("b", 2)
    lru.find("a")
    lru.keep("c", 3)

    assert [1, 3] == list(lru)
    assert lru.find("b") is None


def test_keeping_again_replaces_and_counts_as_a_use() -> None:
    lru: Lru[str, int] = Lru(2)
    lru.keep("a", 1)
    lru.keep("b", 2)
    lru.keep("a", 3)
    lru.keep("c", 4)

    assert [3, 4] == list(lru)


def test_a_memory_of_none_keeps_nothing() -> None:
    lru: Lru[str, int] = Lru(0)
    lru.keep("a", 1)

    assert 0 == len(lru)
    assert lru.find("a") is None


def test_what_is_dropped_is_gone() -> None:
    lru: Lru[str, int] = Lru(3)
    for number, key in enumerate("abc"):
        lru.keep(key, number)

    lru.drop("a", "unknown", "b")

    assert [2] == list(lru)

    lru.clear()

    assert 0 == len(lru)
