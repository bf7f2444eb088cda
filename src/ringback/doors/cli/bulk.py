"""`ringback bulk`: its manual and options. Not here: what it does (working.py), imported when it runs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .lazy import OnDemand
from .options import config_option, load

if TYPE_CHECKING:
    from ..lists import listing, opening
    from . import working
else:
    listing = OnDemand("..lists.listing", __package__)
    opening = OnDemand("..lists.opening", __package__)
    working = OnDemand(".working", __package__)

_FORMS = ("txt", "csv", "jsonl")


def _delimiter(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    if value is None:
        return None
    value = "\t" if value in {"tab", "\\t"} else value
    if len(value) != 1 or value in '"\r\n' or not value.isascii():
        raise click.BadParameter('one character, or "tab"')
    return value


@click.command()
@click.argument("file", metavar="FILE")
@click.option(
    "-o", "--output", "out", metavar="OUT", help='Write results there; "-" prints. Required.'
)
@click.option(
    "--report",
    "page",
    metavar="PAGE",
    type=click.Path(path_type=Path),
    help="Write a page about the whole list as well, in HTML.",
)
@click.option(
    "--column", metavar="NAME", help="Where the addresses are: a name, or a number from 1."
)
@click.option("--delimiter", metavar="CHAR", callback=_delimiter, help='Of a CSV; "tab" is one.')
@click.option(
    "--format", "form", type=click.Choice(_FORMS), help="Of FILE, whatever its name says."
)
@click.option("--to", type=click.Choice(_FORMS), help="Of OUT, whatever its name says.")
@click.option("--force", is_flag=True, help="Overwrite OUT and PAGE, whatever they hold.")
@click.option("--again", is_flag=True, help="Forget what an earlier run of this list was told.")
@click.option("--forget", is_flag=True, help="Drop what is kept of this list, and ask nobody.")
@config_option
@click.pass_context
def bulk(
    ctx: click.Context,
    file: str,
    out: str | None,
    page: Path | None,
    column: str | None,
    delimiter: str | None,
    form: str | None,
    to: str | None,
    force: bool,
    again: bool,
    forget: bool,
    config_path: str | None,
) -> None:
    """Verify a list: FILE has an address a line, or is CSV or JSON Lines; "-" reads standard input.

    Everybody on it has agreed to be on it: say so with consent = true under [bulk] in the settings. Nobody
    is called before. It is slow on purpose, for no host is asked more often than [budget] allows; who is
    told to come back later is asked again then.

    Rows are written to OUT in the order of the list, each as soon as all before it are: as CSV with all that
    it had and columns for the verdict, as JSON Lines with the whole report, or a line an address. The column
    of a CSV is the one called "email", "address" or the like, unless --column names it. An address that the
    list has twice is asked once.

    It can be stopped at any time: the same command goes on where it was, and ends with the same OUT. That
    needs a store in a file (store.url), which also keeps what was answered, until --forget or for some weeks.

    Exit status: 0 when the list was worked through, whatever came of it; 2 for a mistake in usage or
    configuration; 130 or 143 when interrupted.
    """
    read_as = listing.Form(form) if form else None
    wish = opening.Wish(file, column=column, delimiter=delimiter, form=read_as)
    if forget:
        if out or page or to or force or again:
            raise click.UsageError("--forget writes nothing, and asks nobody: it stands alone", ctx)
        working.forget(load(config_path), wish)
        return
    if not out:
        raise click.UsageError("-o OUT is missing: where results go", ctx)
    written_as = listing.Form(to) if to else None
    wish = wish.but(out=out, page=page, to=written_as, force=force, again=again)
    ctx.exit(working.run(load(config_path), wish))
