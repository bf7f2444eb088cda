"""The real engine behind its real door, on virtual time."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from ringback.doors.policy_server import PolicyServer
from ringback.lab.harm import Harm, Scene, Told, measure
from ringback.lab.population import Sizes
from ringback.lab.rival_models import EximModel
from ringback.lab.sim_engine import EngineReceiver, engine_in, settings_for
from ringback.lab.traffic import Truth, Volume
from ringback.values.events import CalledOut, Event, Trouble
from ringback.values.settings import Budget, CallWhen

SIZES = Sizes(innocents=50, correspondents=100, bots=20, users=20)
SMALL = Volume(forged=100, honest=100, own_spam=10, days=2.0, retried_share=0.2)
LARGER = Volume(forged=600, honest=600, own_spam=60, days=3.0)


def harm_of(mode: CallWhen, seed: str, volume: Volume) -> Harm:
    return measure(engine_in(settings_for(mode), PolicyServer), seed, volume, SIZES)


@pytest.mark.slow
@pytest.mark.parametrize("mode", CallWhen)
def test_no_honest_mail_is_lost_and_no_host_gets_more_than_its_budget(mode: CallWhen) -> None:
    harm = harm_of(mode, "1", LARGER)

    assert [] == harm.honest_lost
    assert harm.busiest_hour <= Budget().per_host


@pytest.mark.slow
@pytest.mark.parametrize("mode", [CallWhen.ALIGNED, CallWhen.RETRIED])
def test_innocents_are_hardly_called_where_bots_never_try_again(mode: CallWhen) -> None:
    ours, exims = harm_of(mode, "1", LARGER), measure(EximModel, "1", LARGER, SIZES)

    assert ours.to_innocents <= exims.to_innocents / 20
    assert exims.to_innocents > 300


@pytest.mark.slow
def test_what_was_refused_for_good_was_forged_or_spam() -> None:
    harm = harm_of(CallWhen.ALWAYS, "1", LARGER)

    assert harm.count(Truth.FORGED, Told.REFUSED) > 100
    assert harm.count(Truth.OWN_SPAM, Told.REFUSED) > 10
    assert 0 == harm.count(Truth.HONEST, Told.REFUSED)


def log_of(seed: str) -> str:
    """A digest of every event of two runs, in order."""
    digest = hashlib.sha256()

    def note(event: Event) -> None:
        digest.update(repr(event).encode())

    for mode in (CallWhen.ALWAYS, CallWhen.RETRIED):
        measure(engine_in(settings_for(mode), PolicyServer, note), seed, SMALL, SIZES)
    return digest.hexdigest()


def _log_elsewhere(hash_seed: str) -> str:
    """The same in a process that orders its sets in another way."""
    code = f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); "
    code += "import test_sim_engine as test; print(test.log_of('1'))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return done.stdout.strip()


@pytest.mark.slow
def test_a_seed_reproduces_every_event_of_a_run_in_any_process() -> None:
    assert log_of("1") == _log_elsewhere("1") == _log_elsewhere("2")
    assert log_of("1") != log_of("2")


def test_events_are_heard_beside() -> None:
    events: list[Event] = []
    volume = Volume(forged=10, honest=10, own_spam=2, days=0.1)
    make = engine_in(settings_for(CallWhen.ALWAYS), PolicyServer, events.append)
    measure(make, "1", volume, Sizes(5, 5, 2, 2, 2))

    assert any(isinstance(event, CalledOut) for event in events)


def test_a_run_in_which_the_engine_had_trouble_counts_for_nothing() -> None:
    made: list[EngineReceiver] = []

    def make(scene: Scene) -> EngineReceiver:
        made.append(engine_in(settings_for(CallWhen.ALWAYS), PolicyServer)(scene))
        made[0].hear(Trouble("callout", "broke", trace="there"))
        return made[0]

    with pytest.raises(RuntimeError, match="callout: broke\nthere"):
        measure(make, "1", Volume(0, 0, 0), Sizes(5, 5, 2, 2, 2))
