"""What `ringback check` does: many questions at a time, their answers shown in order.

Not here: its options (check.py), reading standard input (lines.py), the verifying (engine/).
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from enum import Enum, auto
from pathlib import Path

import click

from ...assemble import flag_lists, running_verifier
from ...engine.verifier import Verifier
from ...errors import UsageError
from ...net.clock import SystemClock
from ...values.query import Purpose, Query, Report
from ...values.record import Record
from ...values.settings import Settings, StoreSettings
from ...values.verdict import Reason, Verdict
from ..account import said_in_short, shown_address, tell
from ..configuration import DEFAULT, Loaded
from ..reports import encode_report
from .lines import read_stdin
from .options import require_contact
from .output import coloured_verdict, complain_of, echo_json

EXIT_SOME_UNDELIVERABLE = 1
EXIT_SOME_UNKNOWN = 3

# Questions under way at a time; budgets decide how many of them are callouts.
AT_A_TIME = 64

_Answers = asyncio.Queue[asyncio.Task[Report] | None]  # None: there will be no more


class Form(Enum):
    """How a report is shown."""

    LINE = auto()
    ACCOUNT = auto()
    JSON = auto()


class Wish(Record, frozen=True):
    """What the user asked for, beside the addresses."""

    purpose: Purpose
    fresh: bool
    timeout_s: float | None
    form: Form


def run(loaded: Loaded, wish: Wish, addresses: Sequence[str]) -> int:
    """Verify and show; return the exit status. Raises RingbackError."""
    if wish.purpose is not Purpose.RECIPIENT:  # whose hosts are our own, and know whom to ask
        require_contact(loaded)
    verdicts = asyncio.run(_check(with_store(loaded), wish, addresses))
    if Verdict.UNDELIVERABLE in verdicts:
        return EXIT_SOME_UNDELIVERABLE
    return EXIT_SOME_UNKNOWN if Verdict.UNKNOWN in verdicts else 0


def with_store(loaded: Loaded) -> Settings:
    """The settings, with a store in memory where nobody named one and the usual one is not ours."""
    settings = loaded.settings
    path = settings.store.sqlite_path
    if path is None or loaded.sources["store.url"] != DEFAULT or _is_ours(Path(path)):
        return settings
    return settings.but(store=StoreSettings("memory:"))


def _is_ours(path: Path) -> bool:
    if os.access(path, os.F_OK):
        return os.access(path, os.R_OK | os.W_OK)
    # A file that root made here would keep the service's own user out.
    folder = path.parent
    return os.access(folder, os.W_OK | os.X_OK) and folder.stat().st_uid == os.geteuid()


async def _check(settings: Settings, wish: Wish, given: Sequence[str]) -> set[Verdict]:
    """Ask while there is more to ask, and show each answer as soon as it is its turn."""
    answers, mistake = _Answers(AT_A_TIME), None
    async with running_verifier(settings, complain_of) as verifier, asyncio.TaskGroup() as group:
        showing = group.create_task(_show_all(answers, wish.form))
        async with aclosing(_addresses(given)) as addresses:
            try:
                async for address in addresses:
                    await answers.put(group.create_task(_ask(verifier, wish, address)))
            except UsageError as error:  # what was asked before it is shown all the same
                mistake = error
        await answers.put(None)
    if mistake:
        raise mistake
    return showing.result()


async def _addresses(given: Sequence[str]) -> AsyncGenerator[str, None]:
    for address in given:
        if address != "-":
            yield _bare(address)
            continue
        async for line in read_stdin():
            yield _bare(line)


def _bare(address: str) -> str:
    """Take off the brackets in which logs and SMTP show an address (RFC 5321 section 4.1.2)."""
    return address[1:-1] if address.startswith("<") and address.endswith(">") else address


async def _ask(verifier: Verifier, wish: Wish, address: str) -> Report:
    query = Query(address, wish.purpose, fresh=wish.fresh)
    if wish.timeout_s is None:
        return await verifier.verify(query)
    query = query.but(answer_by_at=SystemClock().now() + wish.timeout_s)
    report = await verifier.verify(query)
    if report.reason is Reason.DEADLINE:  # in a service the callout would go on
        report = report.but(rule=f"no answer within {wish.timeout_s:g} s")
    return report


async def _show_all(answers: _Answers, form: Form) -> set[Verdict]:
    verdicts: set[Verdict] = set()
    while (answer := await answers.get()) is not None:
        report = await answer
        if verdicts and form is Form.ACCOUNT:
            click.echo()
        _show(report, form)
        verdicts.add(report.verdict)
    return verdicts


def _show(report: Report, form: Form) -> None:
    if form is Form.JSON:
        echo_json(encode_report(report, flag_lists()), indent=None)
        return
    shown = f"{shown_address(report)}  {coloured_verdict(report.verdict)}  {report.reason}"
    if form is Form.LINE:
        click.echo(f"{shown}  {said_in_short(report)}")
        return
    click.echo(shown)
    for line in tell(report):
        click.echo(f"  {line}")
