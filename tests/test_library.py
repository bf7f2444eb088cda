"""The package as programs import it."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

import ringback
from ringback import Purpose, Query, Settings, Verdict, Verifier, library
from ringback.assemble import running_verifier
from ringback.engine.ports import Sink
from ringback.engine.verifier import Verifier as Engine
from ringback.errors import ConfigError, LocalProtocolError
from ringback.lab.world import World
from ringback.values.events import CalledOut, Event
from ringback.values.settings import Dns, Etiquette, Identity, Smtp, StoreSettings

README = Path(__file__).parent.parent / "README.md"


def settings_for(world: World, tmp_path: Path) -> Settings:
    return Settings(
        identity=Identity(helo_name="verify.lab.example", contact="postmaster@lab.example"),
        dns=Dns(nameservers=(world.nameserver,)),
        smtp=Smtp(port=world.smtp_port, allowed_networks=("127.0.0.0/8",)),
        etiquette=Etiquette(),
        store=StoreSettings(f"sqlite://{tmp_path}/ringback.db"),
    )


async def test_a_verifier_answers_inside_its_context(tmp_path: Path) -> None:
    events: list[Event] = []
    async with World() as world:
        settings = settings_for(world, tmp_path)
        async with Verifier.from_settings(settings, events.append) as verifier:
            known = await verifier.verify("ann@shop.example")
            unknown = await verifier.verify(Query("no@shop.example", Purpose.SENDER))
        async with Verifier.from_settings(settings) as verifier:
            again = await verifier.verify("ann@shop.example")

    assert (Verdict.DELIVERABLE, Verdict.UNDELIVERABLE) == (known.verdict, unknown.verdict)
    assert [False, True] == [known.from_cache, again.from_cache]
    assert 2 == len([event for event in events if isinstance(event, CalledOut)])


async def test_the_sample_of_the_readme_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sample = README.read_text("utf-8").partition("```python\n")[2].partition("```")[0]
    async with World() as world:
        smtp = Smtp(port=world.smtp_port, allowed_networks=("127.0.0.0/8",))

        def in_the_lab(settings: Settings, sink: Sink) -> AbstractAsyncContextManager[Engine]:
            dns = Dns(nameservers=(world.nameserver,))
            identity = settings.identity.but(helo_name="verify.lab.example")
            return running_verifier(settings.but(identity=identity, dns=dns, smtp=smtp), sink)

        monkeypatch.setattr(library, "running_verifier", in_the_lab)
        await asyncio.to_thread(exec, sample, {})

    assert "deliverable accepted\n" == capsys.readouterr().out
    assert "# such as: deliverable accepted" in sample


async def test_outside_it_is_a_mistake_to_ask(tmp_path: Path) -> None:
    verifier = Verifier.from_settings(Settings())

    with pytest.raises(LocalProtocolError, match="async with"):
        await verifier.verify("ann@shop.example")


async def test_one_that_could_not_start_stays_closed() -> None:
    verifier = Verifier.from_settings(Settings(store=StoreSettings("memory:")))
    with pytest.raises(ConfigError, match=r"identity\.helo_name"):
        async with verifier:
            pass

    with pytest.raises(LocalProtocolError):
        await verifier.verify("ann@shop.example")


async def test_to_leave_it_twice_does_nothing() -> None:
    verifier = Verifier.from_settings(Settings())

    await verifier.__aexit__(None, None, None)


def test_the_public_names_are_there() -> None:
    assert all(getattr(ringback, name).__name__ == name for name in ringback.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = ringback.nonsense
