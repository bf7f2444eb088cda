"""Every way for a callout to go that scenarios.toml knows, played against real hosts on loopback."""

import asyncio
import re
import ssl
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest

from ringback.doors.account import tell
from ringback.lab.mx import Door
from ringback.lab.personas import Personas
from ringback.lab.tls import throwaway_context
from ringback.rules.conclude import conclude
from ringback.rules.lessons import pair
from ringback.values.query import Purpose, Report

from .stage import PERSONAS, Stage, until_quiet


class Change(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is different from here on."""

    persona: str = ""
    door: Door | None = None
    mailboxes: tuple[str, ...] | None = None
    settings: dict[str, dict[str, Any]] | None = None


class Step(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One question, and what is expected of it; the head of scenarios.toml explains each key."""

    ask: str = "ann"
    by: Literal["mail", "check", "bulk"] = "mail"
    when: str = ""
    after_s: float = 0.0
    change: Change = Change()
    times: int = 1
    says: str
    final: bool | None = None
    mail: str = ""
    connections: int
    rcpts: list[str] | None = None
    heard: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    facts: list[str] | None = None
    trouble: bool = False


class Scenario(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """One row."""

    number: str
    peer: str
    others: str
    later: str = ""
    domain: str = "peer.example"
    persona: str = "normal"
    hosts: tuple[dict[str, Any], ...] = ()
    mailboxes: tuple[str, ...] = ("ann",)
    dns: str = "mx"
    names: dict[str, Any] = {}
    drips: bool = False
    settings: dict[str, dict[str, Any]] = {}
    steps: tuple[Step, ...] = ()

    @property
    def plan(self) -> dict[str, Any]:
        """The world it plays in, as lab.plan wants it."""
        hosts = [
            {"host": f"mx{at}.{self.domain}", "preference": 10 * at, **host}
            for at, host in enumerate(self.hosts, start=1)
        ]
        domain = {
            "persona": self.persona,
            "mailboxes": self.mailboxes,
            "mx": hosts,
            "dns": self.dns,
        }
        return {"domains": {self.domain: domain}, "names": self.names}

    def address(self, ask: str) -> str:
        if ask == "<>":
            return ""
        return ask if "@" in ask else f"{ask}@{self.domain}"


def read_scenarios() -> list[Scenario]:
    text = Path(__file__).with_name("scenarios.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text)["scenario"], list[Scenario])


SCENARIOS = read_scenarios()
# How many rows the list of known ways has; a letter behind the number is a case of its row.
ROWS = 100


@pytest.fixture(scope="session")
def tls() -> ssl.SSLContext:
    return throwaway_context()


PLAYED = [
    pytest.param(
        one, id=one.number, marks=[pytest.mark.slow] if "stage_timeout" in repr(one) else []
    )
    for one in SCENARIOS
    if one.steps
]


@pytest.mark.parametrize("scenario", PLAYED)
async def test_scenario(scenario: Scenario, tls: ssl.SSLContext) -> None:
    await _play_whole(scenario, PERSONAS, tls)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", PLAYED)
async def test_it_is_the_same_command_by_command(scenario: Scenario, tls: ssl.SSLContext) -> None:
    """Many hosts do not offer PIPELINING; what they mean is the same."""
    one_by_one = {
        name: replace(persona, offers=tuple(it for it in persona.offers if it != "PIPELINING"))
        for name, persona in PERSONAS.items()
    }

    await _play_whole(scenario, one_by_one, tls)


async def _play_whole(scenario: Scenario, personas: Personas, tls: ssl.SSLContext) -> None:
    async with Stage(
        scenario.plan, scenario.settings, tls=tls, drips=scenario.drips, personas=personas
    ) as stage:
        for step in scenario.steps:
            await _play(stage, scenario, step)
        await stage.end_callouts()
        made = stage.connections

    assert sum(step.connections for step in scenario.steps) == made, "in the end"
    assert not any("DATA" in session.verbs for session in stage.sessions)


async def _play(stage: Stage, scenario: Scenario, step: Step) -> None:
    await _change(stage, scenario, step)
    before, already = stage.connections, len(_heard(stage))
    told, report = await _ask(stage, scenario, step)
    await until_quiet()
    heard = _heard(stage)[already:]
    where = f"{scenario.number} {step.when}: {report.rule}"

    assert step.says == f"{report.verdict} / {report.reason}", where
    assert step.connections == stage.connections - before, where
    assert step.final in (None, report.final), where
    assert told.startswith(step.mail), where
    assert set(step.heard) <= set(heard), where
    assert step.rcpts in (None, _recipients(heard, scenario, step)), where
    assert all(words in _because(report) for words in step.words), where
    assert step.facts in (None, await _facts(stage, scenario)), where
    # That a host refuses us is told of too, and is no trouble of ours.
    troubles = [trouble for trouble in stage.watch.troubles if trouble.where != "breaker"]
    assert step.trouble is bool(troubles), where
    _judge_traces(told, report)


async def _change(stage: Stage, scenario: Scenario, step: Step) -> None:
    stage.clock.advance(step.after_s)
    change = step.change
    for host in stage.hosts:
        if change.persona:
            host.persona = stage.world.personas[change.persona]
        if change.door:
            await host.set_door(change.door)
    if change.mailboxes is not None:
        stage.world.mailboxes[scenario.domain] = set(change.mailboxes)
    if change.settings is not None:
        await stage.adopt(change.settings)


async def _ask(stage: Stage, scenario: Scenario, step: Step) -> tuple[str, Report]:
    address = scenario.address(step.ask)
    if step.by != "mail":
        purpose = Purpose.BULK if step.by == "bulk" else Purpose.SENDER
        return "", await stage.check(address, purpose)
    told = await asyncio.gather(*(stage.mail(address) for _ in range(step.times)))

    assert 1 == len({action for action, _ in told}), "one answer for all"
    return told[0]


def _because(report: Report) -> str:
    return report.because.text if report.because else ""


def _heard(stage: Stage) -> list[str]:
    return [line for session in stage.sessions for line in session.lines]


def _recipients(heard: Sequence[str], scenario: Scenario, step: Step) -> list[str]:
    """The local parts of all RCPT commands; "control" for a name that no test made up."""
    named = re.compile(r"RCPT TO:<(.*)@[^@]*>")
    locals_ = [found[1] for line in heard if (found := named.fullmatch(line))]
    known = {step.ask, *scenario.mailboxes, "postmaster"}
    return [local if local in known else "control" for local in locals_]


async def _facts(stage: Stage, scenario: Scenario) -> list[str]:
    subjects = [scenario.domain]
    for host in stage.hosts:
        subjects += [host.ip, pair(host.ip, scenario.domain)]
    known = [fact for subject in subjects for fact in await stage.store.load_facts(subject)]
    return sorted({str(fact.kind) for fact in known})


def _judge_traces(told: str, report: Report) -> None:
    """Whatever was said, what comes of it can be shown, and be derived again."""
    assert told.isascii()
    assert told.isprintable()
    assert all(line.isprintable() for line in tell(report))
    if report.because:
        assert report.reason == conclude(report.evidence).reason


def test_every_row_is_there_once() -> None:
    numbers = [one.number for one in SCENARIOS]
    rows = {int(re.match(r"\d+", number)[0]) for number in numbers}  # type: ignore[index]

    assert len(set(numbers)) == len(numbers)
    assert set(range(1, ROWS + 1)) == rows


def test_what_has_no_steps_says_what_it_waits_for() -> None:
    assert all(bool(one.steps) is not bool(one.later) for one in SCENARIOS)
