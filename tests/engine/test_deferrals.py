"""The memory of who was told to come back, and of who does."""

import asyncio

import pytest

from fakes import FakeClock
from ringback.engine.deferrals import RENEW_AFTER_S, Deferrals
from ringback.errors import StoreError
from ringback.rules.gates import Gate
from ringback.rules.waiting import (
    ACQUAINTED_S,
    COMES_BACK_WITHIN_S,
    MAX_OF_NETWORK,
    TRUSTED_RETURNS,
    Acquaintance,
    Wait,
)
from ringback.store.memory import MemoryStore
from ringback.values.address import parse_address
from ringback.values.settings import Etiquette

CLIENT, RECIPIENT = "198.51.100.7", "bob@ours.example"
DAY_S = 86_400.0


class SlowStore(MemoryStore):
    """Others come in while one waits for what it has, as with a disk."""

    async def load_acquaintance(self, network: str) -> Acquaintance | None:
        found = await super().load_acquaintance(network)
        await asyncio.sleep(0)
        return found


class FullStore(MemoryStore):
    """It can be read, and keeps nothing more."""

    def save_wait(self, wait: Wait) -> None:
        """It is lost."""

    async def flush(self) -> None:
        raise StoreError("the disk is full", "make room on it")


class Room:
    """Deferrals with a store and a clock of their own."""

    def __init__(
        self, etiquette: Etiquette | None = None, store: MemoryStore | None = None
    ) -> None:
        self.clock, self.store = FakeClock(), store or MemoryStore()
        self.deferrals = Deferrals(
            self.store,
            self.clock,
            etiquette or Etiquette(),
            lambda domain: ".".join(domain.split(".")[-2:]),
        )

    async def greets(
        self, sender: str, *, client: str = CLIENT, recipient: str = RECIPIENT
    ) -> bool | Gate:
        greeting = await self.deferrals.greet(client, parse_address(sender), recipient)
        return greeting if isinstance(greeting, Gate) else greeting.came_back

    def pass_time(self, seconds: float) -> None:
        self.clock.at += seconds


@pytest.fixture
def room() -> Room:
    return Room()


async def test_a_mail_that_comes_back_after_the_wait_may_be_called_for(room: Room) -> None:
    said = []
    for seconds in (0, 59, 1):
        room.pass_time(seconds)
        said.append(await room.greets("ann@shop.example"))

    assert said == [False, False, True]


async def test_the_same_mail_from_a_neighbour_of_the_client_has_come_back(room: Room) -> None:
    await room.greets("ann@shop.example", client="198.51.100.7")
    room.pass_time(60)

    assert await room.greets("ann@shop.example", client="198.51.100.200") is True
    assert await room.greets("ann@shop.example", client="198.51.101.7") is False


async def test_a_client_that_came_back_is_known_for_weeks(room: Room) -> None:
    await room.greets("ann@shop.example")
    room.pass_time(60)
    await room.greets("ann@shop.example")
    room.pass_time(20 * DAY_S)

    assert await room.greets("eve@lists.shop.example", recipient="carl@ours.example") is True
    assert await room.greets("ann@other.example") is False
    room.pass_time(30 * DAY_S)  # renewed on the twentieth day
    assert await room.greets("zoe@shop.example") is True
    room.pass_time(ACQUAINTED_S)
    assert await room.greets("ann@shop.example") is False


async def test_a_network_whose_mail_comes_back_is_trusted_with_any_sender(room: Room) -> None:
    for number in range(TRUSTED_RETURNS):
        await room.greets(f"ann@shop{number}.example")
        room.pass_time(60)
        await room.greets(f"ann@shop{number}.example")

    assert await room.greets("ann@new.example") is True
    assert await room.greets("ann@new.example", client="203.0.113.1") is False


async def test_a_network_whose_mail_seldom_comes_back_is_not(room: Room) -> None:
    for number in range(30):
        await room.greets(f"ann@shop{number}.example")
    room.pass_time(60)
    for number in range(5):
        await room.greets(f"ann@shop{number}.example")

    assert await room.greets("ann@new.example") is False


async def test_what_comes_back_from_a_network_that_mostly_does_not_is_doubted(room: Room) -> None:
    for number in range(4):
        await room.greets(f"ann@shop{number}.example")
    room.pass_time(2 * COMES_BACK_WITHIN_S)
    back = await room.greets("ann@shop0.example")
    again = await room.greets("ann@shop0.example")
    friend = await room.store.load_acquaintance("198.51.100.0/24 shop0.example")

    assert (back, again, friend) == (Gate.DOUBTED, Gate.DOUBTED, None)


async def test_a_mail_to_many_that_comes_back_to_all_of_them_leaves_no_doubt(room: Room) -> None:
    recipients = [f"bob{number}@ours.example" for number in range(20)]
    for recipient in recipients:
        await room.greets("ann@shop.example", recipient=recipient)
        room.pass_time(1)
    room.pass_time(45)
    back = [await room.greets("ann@shop.example", recipient=one) for one in recipients]
    known = await room.store.load_acquaintance("198.51.100.0/24")
    room.pass_time(2 * COMES_BACK_WITHIN_S)

    assert back == [True] * 20
    assert known is not None
    assert (known.contacts, known.returned) == (20, 20)
    assert await room.greets("ann@shop.example", recipient="new@ours.example") is True


async def test_mails_that_come_at_once_are_counted_each() -> None:
    room = Room(store=SlowStore())
    await asyncio.gather(*(room.greets(f"ann@shop{number}.example") for number in range(30)))
    known = await room.store.load_acquaintance("198.51.100.0/24")

    assert known is not None
    assert known.contacts == 30


async def test_an_acquaintance_in_use_is_renewed_once_a_day_at_most(room: Room) -> None:
    await room.greets("ann@shop.example")
    room.pass_time(60)
    await room.greets("ann@shop.example")
    pair = "198.51.100.0/24 shop.example"
    first = await room.store.load_acquaintance(pair)
    room.pass_time(RENEW_AFTER_S / 2)
    await room.greets("eve@shop.example")
    second = await room.store.load_acquaintance(pair)
    room.pass_time(RENEW_AFTER_S)
    await room.greets("eve@shop.example")
    third = await room.store.load_acquaintance(pair)

    assert first == second
    assert third is not None
    assert third.expires_at == room.clock.at + ACQUAINTED_S


async def test_what_a_flood_leaves_no_room_for_is_neither_put_off_nor_called(room: Room) -> None:
    for number in range(MAX_OF_NETWORK):
        room.store.save_wait(Wait(f"198.51.100.0/24 a{number}@x.example b", room.clock.at, 1, 9e9))

    assert await room.greets("ann@shop.example") is Gate.CROWDED
    assert not await room.deferrals.may_defer(CLIENT, "ann@shop.example", RECIPIENT)
    assert await room.greets("ann@shop.example", client="203.0.113.1") is False


async def test_a_mail_that_waited_for_another_reason_has_waited(room: Room) -> None:
    assert await room.deferrals.may_defer(CLIENT, "ann@shop.example", RECIPIENT)
    room.pass_time(60)

    assert await room.greets("ann@shop.example") is True


async def test_one_mail_is_deferred_as_often_as_the_settings_say() -> None:
    room, said = Room(Etiquette(max_deferrals=2)), []
    for _ in range(4):
        said.append(await room.deferrals.may_defer(CLIENT, "ann@shop.example", RECIPIENT))
        room.pass_time(300)

    assert said == [True, True, False, False]


async def test_a_mail_whose_deferral_is_not_kept_is_not_deferred_for_ever() -> None:
    room = Room(store=FullStore())

    with pytest.raises(StoreError, match="the disk is full"):  # then the door lets it pass
        await room.deferrals.may_defer(CLIENT, "ann@shop.example", RECIPIENT)


async def test_an_impatient_retry_is_not_written(room: Room) -> None:
    await room.deferrals.may_defer(CLIENT, "ann@shop.example", RECIPIENT)
    (key,) = [f"198.51.100.0/24 ann@shop.example {RECIPIENT}"]
    before = await room.store.load_wait(key)
    room.pass_time(7)
    await room.deferrals.may_defer(CLIENT, "ann@shop.example", RECIPIENT)

    assert await room.store.load_wait(key) is before
