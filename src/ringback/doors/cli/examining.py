"""What `ringback doctor` does: one examination, shown finding by finding.

Not here: its options (doctor.py).
"""

import asyncio
from types import MappingProxyType

import click

from ...assemble import running_engine
from ...values.fitness import Finding, Fitness, Severity
from ...values.settings import Settings
from ...values.text import printable
from ..configuration import Loaded
from .checking import with_store
from .output import complain_of, echo_json

EXIT_UNFIT = 1

_COLOURS = MappingProxyType(
    {
        Severity.OK: "green",
        Severity.WARNING: "yellow",
        Severity.FATAL: "red",
        Severity.UNKNOWN: "cyan",
    }
)
_WIDTH = max(map(len, Severity))


def run(loaded: Loaded, *, as_json: bool) -> int:
    """Examine and show; return the exit status. Raises RingbackError."""
    settings = with_store(loaded)
    fitness = asyncio.run(_examine(settings))
    if as_json:
        echo_json(_encode(fitness))
    else:
        _show(fitness, settings)
    return 0 if fitness.is_fit else EXIT_UNFIT


async def _examine(settings: Settings) -> Fitness:
    async with running_engine(settings, complain_of) as engine:
        return await engine.doctor.examine(engine.means)


def _encode(fitness: Fitness) -> dict[str, object]:
    return {
        "fit": fitness.is_fit,
        "findings": [
            {
                "what": found.what,
                "severity": found.severity,
                "subject": found.subject,
                "text": found.text,
                "remedy": found.remedy,
            }
            for found in fitness.findings
        ],
    }


def _show(fitness: Fitness, settings: Settings) -> None:
    for found in fitness.findings:
        _show_finding(found)
    click.echo(_summary(fitness, settings))


def _show_finding(found: Finding) -> None:
    label = click.style(f"{found.severity:<{_WIDTH}}", fg=_COLOURS[found.severity], bold=True)
    click.echo(f"{label}  {printable(found.text)}")
    if found.remedy:
        click.echo(f"{'':<{_WIDTH}}  {found.remedy}")


def _summary(fitness: Fitness, settings: Settings) -> str:
    if fitness.is_fit:
        return "\nFit: callouts may be made."
    if not fitness.forbidding:
        return "\nUnfit: the DNS gives no answer of use; callouts come to nothing until it does."
    if settings.identity.require_fit or not settings.identity.contact:
        return "\nUnfit: no callouts are made until this is mended."
    return "\nUnfit: callouts are made all the same, since identity.require_fit = false."
