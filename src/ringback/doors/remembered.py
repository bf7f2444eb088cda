"""What is remembered of an address, a domain or a host: found, and as JSON. Not here: the store (store/)."""

from ipaddress import ip_address

from ..engine.ports import Store
from ..errors import AddressError, UsageError
from ..rules.forwarding import ages_of_recipients, parse_key, subject_of
from ..rules.freshness import Entry, ages_of, judge
from ..values.address import parse_address, parse_domain
from ..values.facts import Fact
from ..values.query import Purpose
from ..values.record import Record
from ..values.settings import Settings
from ..values.text import printable
from ..values.verdict import BLAME_OF
from .instants import utc, utc_or_none
from .reports import encode_exchange


class Found(Record, frozen=True):
    """What the store has on a pattern."""

    entries: tuple[Entry, ...]
    facts: tuple[Fact, ...]


def parse_pattern(pattern: str) -> str:
    """Spell an address, a domain or an IP as the store does. Raises UsageError."""
    if not pattern:
        raise UsageError("an empty pattern; name an address, a domain or a host's IP")
    try:
        return str(ip_address(pattern))
    except ValueError:
        pass
    try:
        return parse_address(pattern).key if "@" in pattern else parse_domain(pattern)
    except AddressError as error:
        shown = printable(pattern)
        raise UsageError(f"{shown}: {error}; name an address, a domain or a host's IP") from None


async def search(store: Store, pattern: str, limit: int) -> Found:
    """Find at most `limit` entries, and the facts that explain them. Raises StoreError."""
    entries = await store.search(pattern, limit)
    domain = pattern.rpartition("@")[2]
    subjects = {domain: None, subject_of(domain, Purpose.RECIPIENT): None}
    if "@" in pattern:  # one address: what is known of its hosts explains it, too
        subjects |= {step.ip: None for entry in entries for step in entry.evidence if step.ip}
    facts = [fact for subject in subjects for fact in await store.load_facts(subject)]
    return Found(entries, tuple(facts))


def state_of(entry: Entry, settings: Settings, now: float) -> str:
    """Say whether an entry may still answer."""
    _, purpose = parse_key(entry.key)
    ages = ages_of_recipients if purpose is Purpose.RECIPIENT else ages_of
    return judge(entry, now, ages(settings.cache)).value


def encode_entry(entry: Entry, settings: Settings, now: float) -> dict[str, object]:
    return {
        "address": entry.key,
        "verdict": entry.verdict,
        "reason": entry.reason,
        "blame": BLAME_OF[entry.reason],
        "final": entry.final,
        "rule": entry.rule,
        "state": state_of(entry, settings, now),
        "checked_at": utc(entry.checked_at),
        "expires_at": utc(entry.expires_at),
        "retry_at": utc_or_none(entry.retry_at),
        "evidence": [encode_exchange(step) for step in entry.evidence],
    }


def encode_fact(fact: Fact, now: float) -> dict[str, object]:
    return {
        "subject": fact.subject,
        "kind": fact.kind,
        "noted_at": utc(fact.noted_at),
        "expires_at": utc(fact.expires_at),
        "expired": now >= fact.expires_at,
        "window_s": fact.window_s,
        "evidence": [encode_exchange(step) for step in fact.evidence],
    }
