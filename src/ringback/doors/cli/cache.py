"""`ringback cache`: what is remembered, why, and how to forget it. Not here: the store (store/)."""

from collections.abc import Iterable, Iterator

import click
import msgspec

from ...net.clock import SystemClock
from ...rules.freshness import Entry
from ...values.facts import Fact
from ...values.settings import Settings
from ...values.storage import StoreStats
from ...values.text import printable
from ..account import dialogue
from ..instants import utc
from ..remembered import encode_entry, encode_fact, parse_pattern, search, state_of
from .options import config_option, json_option, load
from .output import coloured_verdict, echo_json, echo_table
from .stored import ask_store

# A domain may have more entries than anybody reads.
DEFAULT_LIMIT, MAX_LIMIT = 50, 10_000
EXIT_NOTHING_FOUND = 1


@click.group()
def cache() -> None:
    """See, explain and forget what is remembered.

    PATTERN is an address, a domain or the IP address of a host.
    """


@cache.command()
@click.argument("pattern")
@click.option(
    "--limit",
    type=click.IntRange(1, MAX_LIMIT),
    default=DEFAULT_LIMIT,
    show_default=True,
    help="List at most so many entries.",
)
@json_option
@config_option
@click.pass_context
def show(
    ctx: click.Context, pattern: str, limit: int, as_json: bool, config_path: str | None
) -> None:
    """Explain what is remembered of an address, a domain or a host.

    Exit status: 0, 1 if nothing is remembered of it, 2 for a mistake in usage or configuration.
    """
    spelled = parse_pattern(pattern)
    settings = load(config_path).settings
    found = ask_store(settings, lambda store: search(store, spelled, limit))
    now = SystemClock().now()
    if as_json:
        echo_json(
            {
                "entries": [encode_entry(entry, settings, now) for entry in found.entries],
                "facts": [encode_fact(fact, now) for fact in found.facts],
            }
        )
    elif "@" in spelled:
        _echo_lines(_explain(entry, settings, now) for entry in found.entries)
    else:
        _echo_list(found.entries, settings, now)
    if not as_json:
        _echo_lines(_tell_fact(fact, now) for fact in found.facts)
    if not found.entries and not found.facts:
        click.echo(printable(f"ringback: nothing is remembered of {spelled}"), err=True)
        ctx.exit(EXIT_NOTHING_FOUND)


@cache.command()
@click.argument("pattern")
@config_option
def forget(pattern: str, config_path: str | None) -> None:
    """Forget an address, a domain or a host.

    With a domain go all its addresses and what is known of it. Prints how many records went. A
    running service notices within about a second.
    """
    spelled = parse_pattern(pattern)
    settings = load(config_path).settings
    count = ask_store(settings, lambda store: store.forget(spelled))
    click.echo(f"forgotten: {count} {'record' if count == 1 else 'records'}")


@cache.command()
@json_option
@config_option
def stats(as_json: bool, config_path: str | None) -> None:
    """Count what is remembered."""
    settings = load(config_path).settings
    counts = ask_store(settings, lambda store: store.stats())
    if as_json:
        echo_json(msgspec.structs.asdict(counts))
    else:
        echo_table(("what", "kind", "records"), _rows_of(counts))


def _rows_of(counts: StoreStats) -> list[tuple[str, str, int]]:
    return [
        *(("verdict", reason, count) for reason, count in sorted(counts.entries.items())),
        *(("fact", kind, count) for kind, count in sorted(counts.facts.items())),
        ("wait", "", counts.waits),
        ("acquaintance", "", counts.acquaintances),
        ("budget", "", counts.budgets),
        ("call", "", counts.calls),
        ("size", "bytes", counts.size_bytes),
    ]


def _echo_lines(blocks: Iterable[Iterable[str]]) -> None:
    for block in blocks:
        for line in block:
            click.echo(line)


def _explain(entry: Entry, settings: Settings, now: float) -> Iterator[str]:
    state = state_of(entry, settings, now)
    yield f"{printable(entry.key)}: {coloured_verdict(entry.verdict)} ({entry.reason}), {state}"
    yield f"  rule      {printable(entry.rule)}"
    yield f"  since     {utc(entry.checked_at)}"
    yield f"  until     {utc(entry.expires_at)}"
    if entry.retry_at is not None:
        yield f"  retry at  {utc(entry.retry_at)}"
    if entry.doubted_at is not None:
        yield f"  refused   {utc(entry.doubted_at)}, which a second refusal must confirm"
    yield from (f"  {line}" for line in dialogue(entry.evidence))


def _tell_fact(fact: Fact, now: float) -> Iterator[str]:
    ended = ", expired" if now >= fact.expires_at else ""
    window = f", makes newcomers wait {fact.window_s:.0f} s" if fact.window_s else ""
    since, until = utc(fact.noted_at), utc(fact.expires_at)
    yield f"{printable(fact.subject)}: {fact.kind}{window}, since {since}, until {until}{ended}"


def _echo_list(entries: tuple[Entry, ...], settings: Settings, now: float) -> None:
    rows = [
        (
            entry.key,
            entry.verdict,
            entry.reason,
            state_of(entry, settings, now),
            utc(entry.expires_at),
        )
        for entry in entries
    ]
    if rows:
        echo_table(("address", "verdict", "reason", "state", "until"), rows)
