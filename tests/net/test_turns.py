"""Who has news, and when he is attended to."""

import asyncio

import pytest

from ringback.net.turns import PER_ROUND, Turns


class One:
    """Notes that it had its turn."""

    def __init__(self, name: int, had: list[int], bug: Exception | None = None) -> None:
        self.name, self._had, self._bug = name, had, bug

    def take_turn(self) -> None:
        self._had.append(self.name)
        if self._bug:
            raise self._bug


async def test_few_have_their_turn_at_once() -> None:
    turns, had = Turns(), list[int]()
    for name in range(PER_ROUND):
        turns.ask_for(One(name, had))

    assert [*range(PER_ROUND)] == had


async def test_many_have_theirs_in_order_so_many_in_each_round() -> None:
    turns, had, at_a_time = Turns(), list[int](), list[int]()
    for name in range(3 * PER_ROUND + 1):
        turns.ask_for(One(name, had))
    for _ in range(4):
        at_a_time.append(len(had))
        await asyncio.sleep(0)

    assert [PER_ROUND, 2 * PER_ROUND, 3 * PER_ROUND, 3 * PER_ROUND + 1] == at_a_time
    assert [*range(3 * PER_ROUND + 1)] == had


async def test_who_comes_while_others_wait_comes_after_them() -> None:
    turns, had = Turns(), list[int]()
    for name in range(2 * PER_ROUND + 1):
        turns.ask_for(One(name, had))
    await asyncio.sleep(0)
    turns.ask_for(One(100, had))
    await asyncio.sleep(0)
    turns.ask_for(One(101, had))

    assert [*range(2 * PER_ROUND + 1), 100, 101] == had


async def test_who_has_more_to_ask_comes_after_all_others() -> None:
    turns, had = Turns(), list[int]()
    turns.queue(One(100, had))
    at_once = [*had]
    turns.ask_for(One(0, had))
    turns.queue(One(101, had))
    await asyncio.sleep(0)

    assert [] == at_once
    assert [0, 100, 101] == had


async def test_who_always_has_more_to_ask_has_one_turn_in_each_round() -> None:
    class Greedy(One):
        def take_turn(self) -> None:
            super().take_turn()
            turns.queue(self)

    turns, had = Turns(), list[int]()
    turns.ask_for(Greedy(0, had))
    for _ in range(10):
        await asyncio.sleep(0)
        turns.ask_for(One(1, had))

    assert [0, *[0, 1] * 10] == had


async def test_bug_in_one_turn_costs_nobody_else_his() -> None:
    told = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    turns, had, bug = Turns(), list[int](), RuntimeError("a bug")
    for name in range(2 * PER_ROUND):
        turns.ask_for(One(name, had, bug if name == PER_ROUND else None))
    for _ in range(2):
        await asyncio.sleep(0)

    assert [*range(2 * PER_ROUND)] == had
    assert 1 == len(told)


async def test_what_turns_lead_to_comes_at_the_end_of_their_round() -> None:
    class Writes(One):
        def take_turn(self) -> None:
            super().take_turn()
            turns.at_end(lambda: had.append(-self.name))

    turns, had = Turns(), list[int]()
    turns.ask_for(Writes(1, had))
    alone = had.copy()
    for name in (2, 3):
        turns.queue(Writes(name, had))
    await asyncio.sleep(0)
    turns.at_end(lambda: had.append(0))

    assert [1, -1] == alone
    assert [2, 3, -2, -3, 0] == had[2:]


async def test_bug_in_a_turn_keeps_nobody_from_what_his_led_to() -> None:
    class Writes(One):
        def take_turn(self) -> None:
            turns.at_end(lambda: had.append(self.name))
            super().take_turn()

    turns, had = Turns(), list[int]()
    with pytest.raises(RuntimeError):
        turns.ask_for(Writes(7, had, RuntimeError("a bug")))
    turns.at_end(lambda: had.append(8))

    assert [7, 7, 8] == had


async def test_bug_in_what_a_turn_led_to_costs_nobody_else_his() -> None:
    def fail() -> None:
        raise RuntimeError("a bug")

    class Writes(One):
        def take_turn(self) -> None:
            turns.at_end(fail if self.name == 1 else lambda: had.append(self.name))

    told = list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
    turns, had = Turns(), list[int]()
    for name in (1, 2, 3):
        turns.queue(Writes(name, had))
    for _ in range(2):
        await asyncio.sleep(0)

    assert ([2, 3], 1) == (had, len(told))


@pytest.mark.parametrize("bug", [False, True])
async def test_what_that_leads_to_comes_after_all_that_was_asked_for_before(bug: bool) -> None:
    class Writes(One):
        def take_turn(self) -> None:
            turns.at_end(self.write)

        def write(self) -> None:
            self._had.append(self.name)
            turns.at_end(lambda: self._had.append(-self.name))
            if bug and self.name == 1:
                raise RuntimeError("a bug")

    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    turns, had = Turns(), list[int]()
    for name in (1, 2, 3):
        turns.queue(Writes(name, had))
    for _ in range(2):
        await asyncio.sleep(0)
    turns.ask_for(Writes(4, had))

    assert [1, 2, 3, -1, -2, -3, 4, -4] == had
