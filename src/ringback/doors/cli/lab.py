"""`ringback lab`: the small internet on loopback, by itself. Not here: who lives in it (lab/world.toml)."""

import asyncio
import signal
from collections.abc import Callable
from pathlib import Path

import click

from ...lab.personas import load_personas
from ...lab.plan import load_plan, with_personas
from ...lab.world import Resident, World
from .output import echo_table

MAX_PORT = 65_535
# What an operator who only wants to try a few addresses would have to add himself.
FOR_TRYING = """[etiquette]
call_when = "always"

[store]
url = "memory:"
"""

_FILE = click.Path(path_type=Path)
_PORT = click.IntRange(0, MAX_PORT)


@click.command()
@click.option(
    "--port", type=_PORT, default=0, help="Port of all mail hosts; 0, the default, is any."
)
@click.option("--dns-port", type=_PORT, default=0, help="Port of the name server; 0 is any.")
@click.option(
    "--personas",
    "personas_file",
    metavar="FILE",
    type=_FILE,
    help="More behaviours, in TOML; each my_host gets a domain my-host.example.",
)
@click.option(
    "--world",
    "world_file",
    metavar="FILE",
    type=_FILE,
    help="Other domains than the shipped ones, in TOML.",
)
@click.option("--all", "everyone", is_flag=True, help="A domain for every shipped behaviour, too.")
def lab(
    port: int,
    dns_port: int,
    personas_file: Path | None,
    world_file: Path | None,
    everyone: bool,
) -> None:
    """Run a small internet: a name server and mail hosts of many characters, on loopback only.

    Prints who lives there and the settings that point Ringback at it, and runs until interrupted.
    Needs no root, and no network.
    """
    shipped, personas = load_personas(), load_personas(personas_file)
    plan = load_plan(world_file)
    settled = {name: it for name, it in personas.items() if everyone or name not in shipped}
    world = World(with_personas(plan, settled), personas=personas, port=port, dns_port=dns_port)
    asyncio.run(run(world, introduce))


async def run(world: World, introduce: Callable[[World], None]) -> None:
    """Open `world`, `introduce` it, and close it at SIGINT or SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with world:
        introduce(world)
        await stop.wait()
    click.echo("ringback: the lab is closed", err=True)


def introduce(world: World) -> None:
    """Print who lives in `world`, and the settings that point there."""
    echo_table(
        ("domain", "behaviour", "mailboxes", "about"),
        [_row_of(resident) for resident in world.residents],
    )
    click.echo(f"\n# name server {world.nameserver}, mail hosts at port {world.smtp_port}")
    click.echo("# In ringback.toml:\n")
    click.echo(f"{world.settings_toml}\n{FOR_TRYING}")
    click.echo("ringback: the lab is open; interrupt (Ctrl-C) to close it", err=True)


def _row_of(resident: Resident) -> tuple[str, str, str, str]:
    mailboxes = ", ".join(resident.mailboxes)
    return resident.domain, resident.persona, mailboxes, resident.about
