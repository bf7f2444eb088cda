"""The notice to the postmaster of those who make callbacks at us: ready to send, and never sent by us.

Not here: finding them (rules/callers.py).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from textwrap import wrap
from types import MappingProxyType

from ..rules.callbacks import Callback, Maker
from ..rules.callers import Caller
from ..values.text import printable
from .instants import utc
from .traced import steps_of

# RFC 5322 section 2.1.1 asks for 78 at most, and no line may have more than 998.
_COLUMNS = 72
_MAX_NAMES, _MAX_STEPS = 8, 4
_DOUBT = (
    "They look like callouts of yours. Our log cannot tell these for sure from bounces that were refused, or "
    "from monitoring: if they were that, please excuse the trouble."
)
# Of what others wrote, which is more than most names and addresses have.
_MAX_CHARS = 64

_REMEDIES: Mapping[Maker, str] = MappingProxyType(
    {
        Maker.EXIM: (
            "They look like those of Exim: an ACL of yours has `verify = sender/callout`. Without "
            "`/callout` it still refuses senders whose domain takes no mail, and asks nobody."
        ),
        Maker.POSTFIX: (
            "They look like those of Postfix: some list of restrictions of yours has "
            "reject_unverified_sender. A check_sender_access table in its place can limit it to "
            "the domains that need it."
        ),
        Maker.RINGBACK: (
            "They may be those of Ringback: `ringback audit` says which mail caused them, and "
            'etiquette.call_when = "aligned" limits them to mail that the sender\'s domain vouches for.'
        ),
    }
)
_ANY_REMEDY = (
    "Where you verify senders, please do so only where SPF or the like has authorised the client, "
    "remember the answers for some days, and do not ask our hosts at all if you can do without."
)


def write_notice(caller: Caller, contact: str) -> Iterator[str]:
    """Yield the lines of a mail to the caller's postmaster; `contact` signs it, "" where there is none."""
    yield f"To: {_recipient(caller)}"
    yield f"Subject: sender verification callouts at our mail server, from {_plain(caller.name)}"
    yield ""
    yield "Dear postmaster,"
    yield ""
    for paragraph in (_greeting(caller), _what_it_is(caller), _what_it_costs(caller)):
        yield from _folded(paragraph)
        yield ""
    yield from _figures(caller)
    yield ""
    yield "Some of them, by our clock in UTC:"
    for callback in caller.examples:
        yield from _example(callback)
    yield ""
    remedies = [text for maker, text in _REMEDIES.items() if maker in caller.makers]
    for paragraph in (*remedies, _ANY_REMEDY, _and_if_wrong()):
        yield from _folded(paragraph)
        yield ""
    yield "Kind regards"
    yield _plain(contact) if contact else "(your name and address)"


def _recipient(caller: Caller) -> str:
    """RFC 5321 section 4.5.1: every domain that takes mail has a postmaster; a network has an owner."""
    if caller.is_network:
        return f"(the abuse contact of {_plain(caller.name)}, as whois tells it)"
    return f"postmaster@{_plain(caller.name)}"


def _greeting(caller: Caller) -> str:
    """What is sure is told, and of the rest how it looks: nobody is accused of more than the log shows."""
    asked = (
        f"asked our mail server {_times(caller.certain)} whether mailboxes exist, "
        "without having mail for them"
    )
    likely = caller.sessions - caller.certain
    named = f"named recipients to our mail server {_times(likely)} without sending a message"
    have = f"from {utc(caller.first_at)} to {utc(caller.last_at)} hosts of yours have"
    if not likely:
        return f"{have} {asked}."
    if not caller.certain:
        return f"{have} {named}. {_DOUBT}"
    return f"{have} {asked}. Besides, they have {named}. {_DOUBT}"


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count:,} times"


def _what_it_is(caller: Caller) -> str:
    senders = ", ".join(f"<{_plain(sender)}>" for sender in caller.senders[:_MAX_NAMES])
    given = f"MAIL FROM:{senders}" if senders else "MAIL, of which our log does not say more,"
    return (
        f"They connect, give {given} and RCPT, and leave before DATA. Callouts (callbacks, sender "
        "address verification) do so: your server was offered mail whose reverse-path names us, and "
        "asks us whether that is a mailbox."
    )


def _what_it_costs(caller: Caller) -> str:
    forged = (
        f"Of the recipients that our log names ({caller.recipients:,}), some do not exist here "
        f"({caller.missing:,}): reverse-paths are being made up, and the mail is not ours. "
        if caller.missing
        else "Such reverse-paths are mostly forged, and the mail is not ours. "
    )
    return (
        f"{forged}Each question takes a connection of ours, and from here it cannot be told from "
        "somebody who collects addresses. RFC 5321 keeps the null reverse-path for notifications "
        "about mail (section 4.5.5), and leaves it to each site whether it tells "
        "strangers which mailboxes exist (sections 3.5.3 and 7.3)."
    )


def _figures(caller: Caller) -> Iterator[str]:
    yield f"  callouts               {caller.sessions:,}, {caller.certain:,} of them for sure"
    yield f"  in the busiest hour    {caller.peak:,}, from {utc(caller.peak_at)}"
    yield f"  RCPT accepted          {caller.accepted:,}"
    yield f"  recipients in our log  {caller.recipients:,}"
    yield f"  that do not exist      {caller.missing:,}"
    yield f"  your addresses         {_listed(caller.ips)}"
    yield f"  your hosts             {_listed(caller.hosts)}"
    yield f"  named in HELO          {_listed(caller.helos)}"


def _and_if_wrong() -> str:
    return (
        "If we read our log wrongly, please tell us: a bounce that is refused looks much the same, "
        "and all that we have is what our server wrote down. This is no complaint "
        "about anybody's mail, and nobody was put on a list for it."
    )


def _listed(texts: tuple[str, ...]) -> str:
    return ", ".join(map(_plain, texts[:_MAX_NAMES])) or "-"


def _example(callback: Callback) -> Iterator[str]:
    """A command a line, what we answered before it: an address cannot pretend to be either."""
    yield f"  {utc(callback.at)}  {_plain(callback.client.ip)}"
    for command, answer in islice(steps_of(callback), _MAX_STEPS):
        yield f"    {answer:<10}{_plain(command)}".rstrip()


def _plain(text: str) -> str:
    """What others wrote, in ASCII, so that a mail can have it without a word on its characters."""
    escaped = printable(text).encode("ascii", "backslashreplace").decode("ascii")
    return escaped if len(escaped) <= _MAX_CHARS else f"{escaped[: _MAX_CHARS - 3]}..."


def _folded(paragraph: str) -> list[str]:
    return wrap(paragraph, _COLUMNS, break_long_words=False, break_on_hyphens=False)
