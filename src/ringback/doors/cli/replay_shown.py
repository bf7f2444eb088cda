"""The account of a replay for people. Not here: its figures, and the advice (replay_account.py)."""

from collections.abc import Callable, Iterator, Mapping, Sequence

import click

from ...lab.lane import ALWAYS
from ...rules.envelopes import Ending
from ..instants import in_words
from ..words import BEHIND_GATE, WOULD_CHANGE
from .output import echo_table
from .replay_account import Account, Figures, Switch

_ENDINGS = {
    Ending.TAKEN: "taken",
    Ending.PUT_OFF: "put off by the site itself (4xx)",
    Ending.REFUSED: "refused by the site itself, at RCPT or before",
    Ending.TOO_LATE: "refused or given up after RCPT",
}
_UNREAD = {
    "without_client": "of this machine's own or a filter's on it, or begun before the log",
    "before_recipient": "refused before a recipient was named",
    "without_sender": "ended before the log names a sender",
    "without_recipient": "without its recipients in the log",
}
_ADVICE = {
    Switch.ON: "Switch it on, observing first",
    Switch.ALIGNED: 'Switch it on with call_when = "aligned", observing first',
    Switch.OFF: "Leave it off",
    Switch.UNSURE: "No advice",
}
_ADVICE_COLOURS = {
    Switch.ON: "green",
    Switch.ALIGNED: "yellow",
    Switch.OFF: "red",
    Switch.UNSURE: "cyan",
}

# Where the DNS has not said who may be called.
_NOT_KNOWN = "?"

_Cell = Callable[[Figures], int | None]
_ROWS: Sequence[tuple[str, _Cell]] = (
    ("questions", lambda of: of.questions),
    ("callouts", lambda of: of.callouts),
    ("  for so many domains", lambda of: of.domains),
    ("  at so many hosts", lambda of: of.hosts),
    ("  at one host, in any 60 minutes", lambda of: of.busiest_hour),
    ("  to domains that have not authorised the client", lambda of: of.to_unauthorised),
    ("  for mail that the site did not take", lambda of: of.changes_nothing),
    ("first contacts put off", lambda of: of.first_contacts_put_off),
    ("  of mail that the site took at once", lambda of: of.put_off_though_taken),
    ("  that came back, or wrote again", lambda of: of.came_back),
    ("taken mail refused without a callout", lambda of: sum(of.refused_uncalled.values())),
    ("taken mail that hangs on a host's answer", lambda of: of.answered),
    ("  of senders known to exist", lambda of: of.known_to_exist),
    ("  refused by what is known of the mailbox", lambda of: of.refused_called),
    ("senders of taken mail", lambda of: of.senders),
    ("  whose mail could be refused or put off", lambda of: of.senders_at_most),
    ("  whose mail is refused by what is known", lambda of: of.senders_refused),
)


def show(account: Account) -> None:
    """Print the account."""
    switch = account.advice.switch
    label = click.style(_ADVICE[switch], fg=_ADVICE_COLOURS[switch], bold=True)
    click.echo(f"{label}: {account.advice.why}.\n")
    for line in _of_the_log(account):
        click.echo(line)
    told = account.courses[account.yours]
    if told:
        click.echo(f"\nWhat is said of it with call_when = {account.yours}, which is configured:\n")
        echo_table(("gate or reason", "attempts", "what would change that"), list(_said(told)))
    click.echo("\nWhat each call_when would come to:\n")
    rows = [(label, *(_cell(cell, it) for it in account.courses.values())) for label, cell in _ROWS]
    echo_table(("", *account.courses), rows)
    if told and told.busiest_hosts:
        _show_busiest(account, told)
    click.echo()
    for line in _assumptions(account):
        click.echo(line)


def _cell(cell: _Cell, figures: Figures | None) -> str:
    number = cell(figures) if figures else None
    return _NOT_KNOWN if number is None else f"{number:,}"


def _of_the_log(account: Account) -> Iterator[str]:
    total = sum(account.envelopes.values())
    yield f"{total:,} attempts (one a recipient), from {account.since} to {account.until}"
    for ending, words in _ENDINGS.items():
        if count := account.envelopes[ending]:
            yield f"  {count:>9,}  {words}"
    for words in unread_in_words(account.unread):
        yield f"  {words}"
    if account.out_of_order:
        yield f"  {account.out_of_order:>9,}  logged long before what stands before them: the log goes back"


def unread_in_words(unread: Mapping[str, int]) -> Iterator[str]:
    """What could not be counted, and why; nothing of what there was none."""
    for what, count in unread.items():
        if count:
            yield f"{count:>9,}  not counted: {_UNREAD[what]}"


def _said(figures: Figures) -> Iterator[tuple[str, str, str]]:
    for said, count in figures.said.items():
        yield said, f"{count:,}", BEHIND_GATE.get(said) or WOULD_CHANGE.get(said, "")


def _show_busiest(account: Account, figures: Figures) -> None:
    """Name those who would be called most, with the configured `call_when`."""
    click.echo(
        f"\nWho would be called most ({account.yours}); the budget is {account.budget_per_host}/h:\n"
    )
    rows = [
        (kind, one.name, f"{one.count:,}", f"{one.busiest_hour:,}")
        for kind, names in (("host", figures.busiest_hosts), ("domain", figures.busiest_domains))
        for one in names
    ]
    echo_table(("", "name", "callouts", "at most in an hour"), rows)


def _assumptions(account: Account) -> Iterator[str]:
    yield "Nobody was called. The memory began empty, and hosts were taken to answer at once:"
    figures = account.courses[account.yours] or account.courses[ALWAYS.name]
    if figures:
        sources = figures.answers_from
        yield (
            f"  {sources.get('assumed', 0):,} answers are assumed to be {account.assumed}, "
            f"{sources.get('log', 0):,} are those that the log shows of mail sent there, "
            f"{sources.get('store', 0):,} are remembered."
        )
    if account.dns_asked is None:
        yield "  The DNS was not asked: SPF, MX hosts, null MX and opt-outs are not known, and each"
        yield "  domain counts as its own host. What hangs on them is shown as ?."
    else:
        yield (
            f"  The DNS was asked {account.dns_asked:,} questions as of today"
            f" ({account.dns_failed:,} without an answer)."
        )
    if figures and figures.first_contacts_put_off:
        yield from _of_first_contacts(figures)
    for name, course in account.courses.items():
        if course and course.taken_as_gone:
            yield f"  In {name}, {course.taken_as_gone:,} more wait than can, and are taken as gone."


def _of_first_contacts(figures: Figures) -> Iterator[str]:
    yield (
        f"  Of {figures.first_contacts_put_off:,} first contacts put off, "
        f"{figures.came_back:,} came back, or wrote again, in the log{_after(figures)}."
    )
    if figures.put_off_though_taken:
        yield (
            f"  The site took {figures.put_off_though_taken:,} of them at once: no log shows "
            "whether these would come back. Hence the course in which all do."
        )
    if figures.did_not_come_back:
        yield (
            f"  {figures.did_not_come_back:,} were put off by the site as well, "
            "and did not come back."
        )


def _after(figures: Figures) -> str:
    spans = figures.came_back_after
    if spans is None:
        return ""
    half, most, last = map(in_words, (spans.half_s, spans.most_s, spans.last_s))
    return f", half of them within {half}, nine tenths within {most}, the last after {last}"
