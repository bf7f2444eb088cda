"""`ringback check`: verify addresses, in the order they were given. Not here: the verifying (engine/)."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from ...assemble import flag_lists, running_verifier
from ...errors import UsageError
from ...net.clock import SystemClock
from ...values.query import Purpose, Query, Report
from ...values.settings import Settings, StoreSettings
from ...values.text import printable
from ...values.verdict import Verdict
from ..account import tell
from ..configuration import DEFAULT, Loaded
from ..reports import encode_report
from .options import config_option, json_option, load, require_contact
from .output import coloured_verdict, complain_of, echo_json

EXIT_SOME_UNDELIVERABLE = 1
EXIT_SOME_UNKNOWN = 3

# Questions under way at a time; budgets decide how many of them are callouts.
AT_A_TIME = 64
# Longer than any address; what is longer is a file that was not meant.
MAX_LINE_CHARS = 2_000


@click.command()
@click.argument("addresses", metavar="ADDRESS…", nargs=-1, required=True)
@click.option(
    "--purpose",
    type=click.Choice([purpose.value for purpose in Purpose]),
    default=Purpose.SENDER.value,
    show_default=True,
    help="What the answer is for.",
)
@click.option("--explain", is_flag=True, help="Print the dialogue and the rule that decided.")
@click.option("--fresh", is_flag=True, help="Ask anew, whatever is remembered.")
@click.option(
    "--timeout",
    "timeout_s",
    metavar="S",
    type=click.FloatRange(min=0, max=3_600),
    help="Wait at most S seconds for each answer.",
)
@json_option
@config_option
@click.pass_context
def check(
    ctx: click.Context,
    addresses: Sequence[str],
    purpose: str,
    explain: bool,
    fresh: bool,
    timeout_s: float | None,
    as_json: bool,
    config_path: str | None,
) -> None:
    """Verify each ADDRESS: can it take a bounce?  "-" reads addresses from standard input, one a line.

    Prints one line an address: the address, the verdict, the reason, and the reply that decided.
    Exit status: 0 all deliverable, 1 some undeliverable, 3 some unknown and none undeliverable,
    2 a mistake in usage or configuration.
    """
    loaded = load(config_path)
    require_contact(loaded)
    if purpose == Purpose.RECIPIENT:
        raise UsageError(
            "--purpose recipient: routes come with a later version; ask as sender or bulk"
        )
    lists = flag_lists()

    def show(report: Report) -> None:
        if as_json:
            echo_json(encode_report(report, lists), indent=None)
        elif explain:
            click.echo("\n".join(tell(report)) + "\n")
        else:
            click.echo(_line(report))

    query = Query("", Purpose(purpose), fresh=fresh)
    settings = _with_store(loaded)
    verdicts = asyncio.run(_check_all(settings, query, timeout_s, _read(addresses), show))
    ctx.exit(_status(verdicts))


def _with_store(loaded: Loaded) -> Settings:
    """The settings, with a store in memory where nobody named one and the usual one is not ours."""
    settings = loaded.settings
    path = settings.store.sqlite_path
    if path is None or loaded.sources["store.url"] != DEFAULT:
        return settings
    folder = Path(path).parent
    usable = os.access(path if Path(path).exists() else folder, os.W_OK)
    return settings if usable else replace(settings, store=StoreSettings("memory:"))


def _read(addresses: Sequence[str]) -> Iterator[str]:
    for address in addresses:
        if address != "-":
            yield address
            continue
        for number, line in enumerate(
            iter(lambda: sys.stdin.readline(MAX_LINE_CHARS), ""), start=1
        ):
            if not line.endswith("\n") and len(line) >= MAX_LINE_CHARS - 1:
                raise UsageError(
                    f"standard input, line {number}: longer than {MAX_LINE_CHARS} characters; "
                    "give one address a line"
                )
            if line.strip():
                yield line.strip()


async def _check_all(
    settings: Settings,
    query: Query,
    timeout_s: float | None,
    addresses: Iterator[str],
    show: Callable[[Report], None],
) -> set[Verdict]:
    """Verify many at a time, and show them in their order."""
    verdicts: set[Verdict] = set()
    clock = SystemClock()

    async def show_next(under_way: deque[asyncio.Task[Report]]) -> None:
        report = await under_way.popleft()
        verdicts.add(report.verdict)
        show(report)

    async with running_verifier(settings, complain_of) as verifier, asyncio.TaskGroup() as group:
        under_way: deque[asyncio.Task[Report]] = deque()
        for address in addresses:
            until = None if timeout_s is None else clock.now() + timeout_s
            asked = replace(query, address=address, answer_by_at=until)
            under_way.append(group.create_task(verifier.verify(asked)))
            if len(under_way) >= AT_A_TIME:
                await show_next(under_way)
        while under_way:
            await show_next(under_way)
    return verdicts


def _line(report: Report) -> str:
    said = ""
    if report.because is not None and report.because.code is not None:
        because = report.because
        enhanced = f"{because.enhanced} " if because.enhanced else ""
        said = f"  {because.host} said: {because.code} {enhanced}{because.text}"
    shown = f"{printable(report.address)}  {coloured_verdict(report.verdict)}  {report.reason}"
    return shown + printable(said)


def _status(verdicts: set[Verdict]) -> int:
    if Verdict.UNDELIVERABLE in verdicts:
        return EXIT_SOME_UNDELIVERABLE
    return EXIT_SOME_UNKNOWN if Verdict.UNKNOWN in verdicts else 0
