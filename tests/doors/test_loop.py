"""Which event loop a service gets, that it answers on either, and how rarely garbage is looked for."""

import asyncio
import gc
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest

from ringback.doors.configuration import Loaded, load_settings
from ringback.doors.loop import ASYNCIO, COLLECT_AFTER, UVLOOP, choose_loop, collect_rarely
from ringback.doors.service import Service, serve
from ringback.errors import UsageError
from ringback.lab.policy_client import PolicyClient
from ringback.values.events import Event, Lifecycle


@pytest.fixture
def collector() -> Iterator[tuple[int, int, int]]:
    """What the garbage collector goes by, and does again when the test is over."""
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)
    gc.unfreeze()


def test_uvloop_is_chosen_where_it_is_installed() -> None:
    pytest.importorskip(UVLOOP)
    name, factory = choose_loop()
    with asyncio.Runner(loop_factory=factory) as runner:
        assert UVLOOP == name
        assert type(runner.get_loop()).__module__.startswith(UVLOOP)


def test_without_uvloop_asyncios_own_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, UVLOOP, None)

    assert (ASYNCIO, None) == choose_loop()


async def _ask(settings: Path, *senders: str) -> list[str]:
    """What a service says of them, from its start to its end."""
    ready = asyncio.Event()

    def hear(event: Event) -> None:
        if isinstance(event, Lifecycle) and event.what == "ready":
            ready.set()

    service = Service(lambda: Loaded(load_settings(str(settings), {}).settings), hear, {})
    running = asyncio.create_task(service.run())
    await ready.wait()
    client = PolicyClient(service.addresses[0])
    asked = {"request": "smtpd_access_policy", "protocol_state": "RCPT", "recipient": "b@c.example"}
    said = [await client.ask({**asked, "sender": sender}) or "" for sender in senders]
    await client.close()
    service.stop()
    await running
    return [told.partition(" ")[0] for told in said]


@pytest.mark.parametrize("name", [ASYNCIO, UVLOOP])
def test_a_service_answers_on_either(lab_settings: Path, name: str) -> None:
    factory = None if name == ASYNCIO else pytest.importorskip(UVLOOP).new_event_loop
    senders = ["invented@shop.example", "ann@shop.example", "invented@shop.example"]
    with asyncio.Runner(loop_factory=factory) as runner:
        assert ["550", "DUNNO", "550"] == runner.run(_ask(lab_settings, *senders))


def test_the_log_begins_with_the_name_of_the_loop(collector: tuple[int, int, int]) -> None:
    def refuse() -> Loaded:
        raise UsageError("no settings")

    log = StringIO()
    with pytest.raises(UsageError):
        serve(refuse, log, {})

    assert f'"what":"starting","detail":"on {choose_loop()[0]}"' in log.getvalue().splitlines()[0]


def test_garbage_is_looked_for_less_often_and_not_among_what_stays(
    collector: tuple[int, int, int],
) -> None:
    frozen = gc.get_freeze_count()
    collect_rarely()

    assert (COLLECT_AFTER, *collector[1:]) == gc.get_threshold()
    assert gc.get_freeze_count() > frozen
