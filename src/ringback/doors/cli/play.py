"""What `ringback demo` plays: the service at work in the lab, message by message.

All of it stays on loopback: name server and mail exchangers are the lab's, and the front end that takes the
messages asks the policy port as Postfix would. Not here: its options (demo.py), the service, the lab.
"""

import asyncio
import shlex
import shutil
import smtplib
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from ...errors import UsageError
from ...lab.front import Front
from ...lab.world import World
from ...rules.conclude import conclude
from ...rules.freshness import ages_of, remember
from ...rules.reports import Heading, from_callout
from ...values.events import CalledOut, Decided, Event, Lifecycle, Trouble
from ...values.query import Report
from ...values.record import Record
from ...values.settings import Settings
from ...values.text import printable
from ...values.verdict import Reason
from ..account import tell
from ..configuration import load_settings
from ..service import Service
from .ending import EXIT_SIGNAL, ended_by_signal
from .output import coloured_verdict, complain_of

RECIPIENT = "you@ours.example"
# What an MTA asks, with its line ends as printf takes them.
REQUEST = (
    "request=smtpd_access_policy\\nprotocol_state=RCPT\\nsender=made.up@shop.example\\n"
    f"recipient={RECIPIENT}\\n\\n"
)
# What SETTINGS leaves as it is.
DEFAULTS = Settings()
# The lab answers within milliseconds; this ends a demo that hangs.
SMTP_TIMEOUT_S = 30.0
START_TIMEOUT_S = 10.0

# The lab is one machine that is called over and over; outside, the defaults stand.
SETTINGS = """
[etiquette]
call_when = "always"

[budget]
per_host = 1000
per_domain = 1000
refused_recipients_per_host = 1000

[policy]
listen = ["127.0.0.1:0"]
mode = "enforce"
own_domains = ["lab.example"]
"""
# Only who looks on needs the dashboard, and it takes as long to load as all the rest.
DASHBOARD = '\n[http]\nlisten = "127.0.0.1:0"\n'
NO_DASHBOARD = '\n[http]\nlisten = ""\n'


class Scene(Record, frozen=True):
    """One message: its envelope sender, and what is worth knowing of it beforehand."""

    sender: str
    about: str


SCENES = (
    Scene("ann@shop.example", "a customer's order; ann has a mailbox there"),
    Scene("invented@shop.example", "spam that made up a sender at the same shop"),
    Scene("", "a bounce: the null sender is never asked for"),
    Scene("nobody@acceptall.example", "its host accepts any address: no proof against it"),
    Scene("bob@nobounce.example", "its host refuses bounces, whoever they are for"),
    Scene("ann@blocklisted.example", "its host says that our address is on a block list"),
    Scene("ann@nullmx.example", "its domain says in the DNS that it takes no mail"),
    Scene("ann@nosuch.example", "its domain does not exist"),
    Scene("ann@greylist.example", "its host makes newcomers wait"),
    Scene("ann@shop.example", "the customer again: remembered, nobody is called"),
)


@dataclass(slots=True)
class _Watch:
    """The sink of the demo's service: what was decided, and whether it is up."""

    decided: list[Decided] = field(default_factory=list)
    breakers: list[Trouble] = field(default_factory=list)
    called_out: asyncio.Queue[CalledOut] = field(default_factory=asyncio.Queue)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    async def wait_called_out(self, provisional: Report) -> Report:
        """Wait for the end of the callout that answered `provisional`, and tell what it came to."""
        while (event := await self.called_out.get()).address != provisional.address:
            pass
        heading = Heading(provisional.address, provisional.checked_at)
        entry = remember(
            provisional.address,
            conclude(event.evidence),
            event.evidence,
            heading.now,
            None,
            ages_of(DEFAULTS.cache),
            DEFAULTS.etiquette.recheck_after_s,
        )
        return from_callout(heading, entry, entry)

    def __call__(self, event: Event) -> None:
        match event:
            case Decided():
                self.decided.append(event)
            case CalledOut():
                self.called_out.put_nowait(event)
            case Lifecycle(what="ready"):
                self.ready.set()
            case Trouble(where="breaker"):
                self.breakers.append(event)
            case Trouble():
                complain_of(event)


class _Stage(Record, frozen=True, gc=True):
    """Everything that the demo runs."""

    world: World
    front: Front
    watch: _Watch
    config_path: Path
    dashboard: str  # its address; "" where there is none


def run(keep: bool) -> int:
    """Play; return the exit status. Raises RingbackError."""
    with tempfile.TemporaryDirectory(prefix="ringback-demo-") as folder:
        return asyncio.run(_play(Path(folder), keep))


async def _play(folder: Path, keep: bool) -> int:
    """Play to the end, or until a signal ends it: the lab is taken down either way."""
    ended = ended_by_signal()
    async with _stage(folder, keep) as stage:
        scenes = asyncio.create_task(_play_scenes(stage))
        either: set[asyncio.Future[Any]] = {scenes, ended}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not scenes.done():
            scenes.cancel()
            await asyncio.gather(scenes, return_exceptions=True)
            return EXIT_SIGNAL + await ended
        scenes.result()
        if keep:
            _say_how_to_ask(stage)
            await ended
    return 0


async def _play_scenes(stage: _Stage) -> None:
    click.echo(
        "Ringback in the lab: mode = enforce, call_when = always. The internet is this machine:\n"
        f"one name server at {stage.world.nameserver}, {len(stage.world.hosts)} mail exchangers on "
        f"127.0.0.0/8 port {stage.world.smtp_port}, and a front\nend that asks the policy port, as "
        "Postfix would, before it takes a message."
    )
    for number, scene in enumerate(SCENES, start=1):
        await _play_scene(number, scene, stage)
    asked = sum(len(host.sessions) for host in stage.world.hosts.values())
    click.echo(
        f"\n{len(SCENES)} messages, {stage.front.messages} taken, {asked} connections to mail "
        "exchangers. Refused was only what a host or the\nDNS said does not exist; whatever was said "
        "about us, or not said clearly, was let through or told to come back."
    )


@asynccontextmanager
async def _stage(folder: Path, keep: bool) -> AsyncIterator[_Stage]:
    async with World() as world:
        config = folder / "ringback.toml"
        store = f'\n[store]\nurl = "sqlite://{folder}/ringback.db"\n'
        http = DASHBOARD if keep else NO_DASHBOARD
        _write(config, world.settings_toml + SETTINGS + http + store)
        watch = _Watch()
        service = Service(lambda: load_settings(str(config), {}), watch, {})
        running = asyncio.create_task(service.run())
        try:
            await _wait_ready(watch, running)
            policy, *others = service.addresses
            front = Front(policy)
            await front.start()
            try:
                yield _Stage(world, front, watch, config, "".join(others))
            finally:
                await front.close()
        finally:
            service.stop()
            await running


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def _wait_ready(watch: _Watch, running: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(watch.ready.wait())
    done, _ = await asyncio.wait(
        {ready, running}, timeout=START_TIMEOUT_S, return_when=asyncio.FIRST_COMPLETED
    )
    ready.cancel()
    if running in done:
        running.result()  # raises what kept it from starting
    if not done:
        raise UsageError(f"the service did not start within {START_TIMEOUT_S:g} s; try again")


async def _play_scene(number: int, scene: Scene, stage: _Stage) -> None:
    stage.watch.decided.clear()
    stage.watch.breakers.clear()
    code, text = await asyncio.to_thread(_send, stage.front.ip, stage.front.port, scene.sender)
    head = f"{number}. MAIL FROM:<{scene.sender}>"
    click.echo(f"\n{click.style(head, bold=True)}  {scene.about}")
    colour = "green" if code < 400 else "yellow" if code < 500 else "red"
    said = "accepted: " if code < 400 else "deferred: " if code < 500 else "refused: "
    click.echo(f"   The front end {click.style(f'{said}{code} {printable(text)}', fg=colour)}")
    for decision in stage.watch.decided:
        report = decision.report
        told = decision.told.split(" ", 1)[0]
        if report.settled and report.reason is Reason.DEADLINE:
            click.echo(f"   Ringback told it {told} as soon as the address was accepted; then:")
            report = await stage.watch.wait_called_out(report)
        verdict = f"{coloured_verdict(report.verdict)} ({report.reason})"
        click.echo(f"   Ringback: {verdict}. The MTA was told: {told}")
        for line in tell(report):
            click.echo(f"     {line}")
    for trouble in stage.watch.breakers:
        click.echo(f"   The operator is warned: {trouble.what}; {trouble.remedy}")


def _send(ip: str, port: int, sender: str) -> tuple[int, str]:
    """Offer one message, and return the reply that decided."""
    with smtplib.SMTP(ip, port, "client.example", SMTP_TIMEOUT_S) as client:
        client.ehlo()
        client.mail(sender)
        code, text = client.rcpt(RECIPIENT)
        if code < 400:
            code, text = client.data(f"From: {sender or 'MAILER-DAEMON'}\r\n\r\nHello.\r\n")
        return code, text.decode("utf-8", "backslashreplace")


def _say_how_to_ask(stage: _Stage) -> None:
    command, config = command_line(), shlex.quote(str(stage.config_path))
    host, _, port = stage.front.policy.rpartition(":")
    click.echo(
        "\nStill up; Ctrl-C ends it. The dashboard, for whoever is on this machine, without a token:\n"
        f"  http://{stage.dashboard}/\n"
        "In another terminal:\n"
        f"  {command} check --explain --config {config} orders@shop.example\n"
        f"  {command} cache show --config {config} shop.example\n"
        f"  {command} config show --config {config}\n"
        "and the policy port, as an MTA asks it:\n"
        f"  bash -c 'exec 3<>/dev/tcp/{host}/{port}; printf \"{REQUEST}\" >&3; head -n 1 <&3'\n"
        f"The front end takes mail at {stage.front.ip} port {stage.front.port}. Who lives here:"
    )
    for resident in stage.world.residents:
        names = ", ".join(resident.mailboxes)
        click.echo(f"  {resident.domain:<22} {resident.persona:<18} {names}")


def command_line() -> str:
    """How this program was called, in words that another shell understands."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return f"{shlex.quote(sys.executable)} -m ringback"
    on_path = shutil.which(called.name)
    if on_path and Path(on_path).resolve() == called.resolve():
        return called.name
    return shlex.quote(str(called.absolute()))
