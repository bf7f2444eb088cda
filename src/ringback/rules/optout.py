"""The wish of an owner about callouts, published in the DNS (etiquette.md, Opt-out). Pure.

`_callout.<name> TXT "v=CALLOUT1; p=none"`, asked for a domain and for an MX name, each with its
organisational domain; the strictest wish wins. Not here: local lists (rules/exemptions.py), and wishes that
a host utters in its replies (rules/lessons.py).
"""

import re
from collections.abc import Iterable, Sequence

from ..values.dns import DnsAnswer, DnsStatus
from ..values.record import Record
from .organisation import Organisation

_PREFIX = "_callout."
_VERSION = "CALLOUT1"
# RFC 1035 section 2.3.4: a longer name is nobody's.
MAX_NAME_CHARS = 253
# A record says three things; whoever writes pages says nothing.
MAX_RECORD_CHARS = 1_024
_RATE = re.compile(r"([0-9]{1,6})/h", re.ASCII)


class Wish(Record, frozen=True):
    """What an owner wants. `said_by` is the name whose record holds."""

    never: bool = False
    unknown: bool = False  # DNS gave no answer: then nobody is called
    per_hour: int | None = None
    said_by: str = ""

    @property
    def forbids(self) -> bool:
        return self.never or self.unknown


NO_WISH = Wish()


def owners_of(name: str, organisation: Organisation) -> Sequence[str]:
    """Whose wishes count for `name`, as far as they can have a record.

    All are A-labels in lower case without a final dot.
    """
    owners = dict.fromkeys((name, organisation(name)))
    return [owner for owner in owners if len(record_of(owner)) <= MAX_NAME_CHARS]


def record_of(owner: str) -> str:
    """The name of the TXT record in which `owner` says what it wants."""
    return _PREFIX + owner


def read_wishes(owners: Iterable[str], answers: Iterable[DnsAnswer]) -> Wish:
    """What `owners` want together, each of whose records DNS has answered for.

    Never goes before unknown, that before a rate, the lower one first; the first of equals is told of.
    """
    wishes = map(_read_wish, owners, answers)
    known = [wish for wish in wishes if wish is not NO_WISH]
    return min(known, key=_leniency, default=NO_WISH)


def _leniency(wish: Wish) -> tuple[bool, bool, float]:
    rate = float("inf") if wish.per_hour is None else wish.per_hour
    return not wish.never, not wish.unknown, rate


def _read_wish(owner: str, answer: DnsAnswer) -> Wish:
    if answer.status is DnsStatus.FAILURE:
        return Wish(unknown=True, said_by=owner)
    if not answer.texts:
        return NO_WISH
    records = [text for text in answer.texts if _is_ours(text)]
    # Repeated, nobody knows which is meant; malformed, nobody knows what: both count as none.
    wish = parse_record(records[0], owner) if len(records) == 1 else None
    return wish or NO_WISH


def _is_ours(text: str) -> bool:
    name, found, version = text[:MAX_RECORD_CHARS].partition(";")[0].partition("=")
    return name.strip().lower() == "v" and bool(found) and version.strip() == _VERSION


def parse_record(text: str, owner: str) -> Wish | None:
    """Read one record; None if it is malformed. Unknown tags are ignored, as in RFC 6376 section 3.2.

    So is `contact`, which is for people.

    Where it can be read at all, it is read in favour of who wrote it: semicolons too many mean nothing.
    """
    tags: dict[str, str] = {}
    if len(text) > MAX_RECORD_CHARS:
        return None
    for part in filter(str.strip, text.split(";")):
        name, found, value = part.partition("=")
        name = name.strip().lower()
        if not found or not name or name in tags:
            return None
        tags[name] = value.strip()
    return _read_tags(tags, owner)


def _read_tags(tags: dict[str, str], owner: str) -> Wish | None:
    policy, rate = tags.get("p", "allow"), tags.get("rate")
    read_rate = _RATE.fullmatch(rate) if rate is not None else None
    bad_rate = rate is not None and read_rate is None
    if policy.lower() not in {"none", "allow"} or bad_rate:
        return None
    return Wish(
        never=policy.lower() == "none",
        per_hour=int(read_rate[1]) if read_rate else None,
        said_by=owner,
    )
