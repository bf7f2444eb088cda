"""What the tests of doors share: the lab, up in a thread of its own, so that commands can block this one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from ringback.lab.world import World


@pytest.fixture(scope="session")
def lab() -> Iterator[World]:
    loop, world = asyncio.new_event_loop(), World()
    thread = Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(world.start(), loop).result()
    yield world
    asyncio.run_coroutine_threadsafe(world.close(), loop).result()
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


@pytest.fixture
def lab_settings(lab: World, tmp_path: Path) -> Path:
    """A configuration that points at the lab, with a store and a port of its own."""
    path = tmp_path / "lab.toml"
    path.write_text(
        f"""{lab.settings_toml}
[etiquette]
call_when = "always"

[budget]
per_host = 10000
per_domain = 10000
refused_recipients_per_host = 10000

[policy]
listen = ["127.0.0.1:0"]
mode = "enforce"
own_domains = ["lab.example"]

[http]
listen = ""

[store]
url = "sqlite://{tmp_path}/ringback.db"
"""
    )
    return path
