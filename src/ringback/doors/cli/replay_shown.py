"""The account of a replay for people. Not here: its figures, and the advice (replay_account.py)."""

from collections.abc import Callable, Iterator, Sequence

import click

from ...rules.envelopes import Ending
from ...values.text import printable
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
    "without_client": "of this machine's own, or begun before the log",
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

_Cell = Callable[[Figures], object]
_ROWS: Sequence[tuple[str, _Cell]] = (
    ("questions", lambda of: _count(of.questions)),
    ("callouts", lambda of: _count(of.callouts)),
    ("  for so many domains", lambda of: _count(of.domains)),
    ("  at so many hosts", lambda of: _count(of.hosts)),
    ("  at one host, in any 60 minutes", lambda of: _count(of.busiest_hour)),
    ("  to domains that have not authorised the client", lambda of: _count(of.to_unauthorised)),
    ("  for mail that the site did not take", lambda of: _count(of.changes_nothing)),
    ("first contacts put off", lambda of: _count(of.first_contacts_put_off)),
    ("  of mail that the site took at once", lambda of: _count(of.put_off_though_taken)),
    ("  that came back, or wrote again", lambda of: _count(of.came_back)),
    ("taken mail refused without a callout", lambda of: _count(_uncalled(of))),
    ("taken mail that hangs on a host's answer", lambda of: _count(of.answered)),
    ("  of senders known to exist", lambda of: _count(of.known_to_exist)),
    ("  refused by what is known of the mailbox", lambda of: _count(of.refused_called)),
)


def show(account: Account) -> None:
    """Print the account."""
    for line in _of_the_log(account):
        click.echo(line)
    yours = account.course(account.yours)
    click.echo(f"\nWhat is said of it with call_when = {account.yours}, which is configured:\n")
    echo_table(("gate or reason", "mails", "what would change that"), list(_said(yours)))
    click.echo("\nWhat each call_when would come to:\n")
    names = [course.course for course in account.courses]
    rows = [(label, *map(cell, account.courses)) for label, cell in _ROWS]
    echo_table(("", *names), rows)
    _show_busiest(account)
    click.echo()
    for line in _assumptions(account):
        click.echo(line)
    label = click.style(
        _ADVICE[account.advice.switch], fg=_ADVICE_COLOURS[account.advice.switch], bold=True
    )
    click.echo(f"\n{label}: {account.advice.why}.")


def _of_the_log(account: Account) -> Iterator[str]:
    total = sum(account.envelopes.values())
    yield f"{_count(total)} mails (a recipient each), from {account.since} to {account.until}"
    for ending, words in _ENDINGS.items():
        if count := account.envelopes[ending]:
            yield f"  {_count(count):>9}  {words}"
    for what, count in account.unread.items():
        if count:
            yield f"  {_count(count):>9}  not counted: {_UNREAD[what]}"


def _said(figures: Figures) -> Iterator[tuple[str, str, str]]:
    for said, count in figures.said.items():
        yield said, _count(count), BEHIND_GATE.get(said) or _WOULD_CHANGE.get(said, "")


_WOULD_CHANGE = {str(reason): words for reason, words in WOULD_CHANGE.items()}


def _show_busiest(account: Account) -> None:
    """Name those who would be called most, in the course that calls most of those worth a thought."""
    busiest = account.course(account.yours)
    if not busiest.busiest_hosts:
        return
    click.echo(
        f"\nWho would be called most ({account.yours}); the budget is {account.per_host}/h:\n"
    )
    rows = [
        (kind, one.name, _count(one.count), _count(one.busiest_hour))
        for kind, names in (("host", busiest.busiest_hosts), ("domain", busiest.busiest_domains))
        for one in names
    ]
    echo_table(("", "name", "callouts", "at most in an hour"), rows)


def _assumptions(account: Account) -> Iterator[str]:
    yours = account.course(account.yours)
    sources = yours.answers_from
    yield "Nobody was called. The memory began empty, and hosts were taken to answer at once:"
    yield (
        f"  {_count(sources.get('assumed', 0))} answers are assumed to be {account.assumed}, "
        f"{_count(sources.get('log', 0))} are those that the log shows of mail sent there, "
        f"{_count(sources.get('store', 0))} are remembered."
    )
    if account.dns_asked is None:
        yield "  The DNS was not asked: SPF, MX hosts, null MX and opt-outs are not known, and each"
        yield "  domain counts as its own host."
    else:
        yield (
            f"  The DNS was asked {_count(account.dns_asked)} questions as of today"
            f" ({_count(account.dns_failed)} without an answer)."
        )
    if yours.first_contacts_put_off:
        yield from _of_first_contacts(yours)


def _of_first_contacts(figures: Figures) -> Iterator[str]:
    yield (
        f"  Of {_count(figures.first_contacts_put_off)} first contacts put off, "
        f"{_count(figures.came_back)} came back, or wrote again, in the log{_after(figures)}."
    )
    if figures.put_off_though_taken:
        yield (
            f"  The site took {_count(figures.put_off_though_taken)} of them at once: no log shows "
            "whether these would come back. Hence the course in which all do."
        )
    if figures.did_not_come_back:
        yield (
            f"  {_count(figures.did_not_come_back)} were put off by the site as well, "
            "and did not come back."
        )


def _after(figures: Figures) -> str:
    if not figures.came_back_after_s:
        return ""
    half, most, last = (in_words(span_s) for span_s in figures.came_back_after_s)
    return f", half of them within {half}, nine tenths within {most}, the last after {last}"


def _uncalled(figures: Figures) -> int:
    return sum(figures.refused_uncalled.values())


def _count(number: int) -> str:
    return printable(f"{number:,}")
