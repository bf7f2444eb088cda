"""What has been saved and is not committed yet. Not here: committing it (writer.py)."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeVar

from ..rules.freshness import Entry
from ..rules.pacing import Charge
from ..rules.waiting import Acquaintance, Wait
from ..values.calls import Call
from ..values.facts import Fact
from ..values.job import Job
from .codec import (
    FACT_KINDS,
    Row,
    encode_acquaintance,
    encode_call,
    encode_entry,
    encode_fact,
    encode_job,
    encode_wait,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Batch:
    """The newest of each record; a fact that was forgotten is None. Of charges, all."""

    entries: dict[str, Entry] = field(default_factory=dict)
    facts: dict[tuple[str, str], Fact | None] = field(default_factory=dict)
    waits: dict[str, Wait] = field(default_factory=dict)
    acquaintances: dict[str, Acquaintance] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    jobs: dict[tuple[int, str], Job] = field(default_factory=dict)
    turns: dict[tuple[int, str], float] = field(default_factory=dict)  # when, by list and domain
    charges: list[tuple[Charge, float]] = field(default_factory=list)  # with the instant of each

    def __len__(self) -> int:
        records = len(self.entries) + len(self.facts) + len(self.waits) + len(self.acquaintances)
        return records + len(self.calls) + len(self.jobs) + len(self.turns) + len(self.charges)

    def facts_of(self, subject: str) -> Iterator[tuple[str, Fact | None]]:
        """What is to become of the facts about `subject`, by kind."""
        for kind in FACT_KINDS:
            if (subject, kind) in self.facts:
                yield kind, self.facts[subject, kind]

    def take_charges(self) -> "Batch":
        """A batch of the charges alone, which are no longer here."""
        taken = Batch(charges=self.charges.copy())
        self.charges.clear()
        return taken

    def followed_by(self, later: "Batch") -> "Batch":
        return Batch(
            self.entries | later.entries,
            self.facts | later.facts,
            self.waits | later.waits,
            self.acquaintances | later.acquaintances,
            self.calls | later.calls,
            self.jobs | later.jobs,
            self.turns | later.turns,
            self.charges + later.charges,
        )

    def encode(self) -> tuple[dict[str, list[Row]], int]:
        """The rows of each query that commits the records here, and how many cannot be stored."""
        refused: list[UnicodeEncodeError] = []
        kept = [fact for fact in self.facts.values() if fact is not None]
        calls = _encode_each(encode_call, self.calls.values(), refused)
        turns: list[Row] = [
            {"list": number, "domain": domain, "due_at": due_at}
            for (number, domain), due_at in self.turns.items()
        ]
        queries: dict[str, list[Row]] = {
            "save_entry": _encode_each(encode_entry, self.entries.values(), refused),
            "save_fact": _encode_each(encode_fact, kept, refused),
            "save_wait": _encode_each(encode_wait, self.waits.values(), refused),
            "save_acquaintance": _encode_each(
                encode_acquaintance, self.acquaintances.values(), refused
            ),
            "save_call": calls,
            "end_call": calls,
            "forget_fact": [
                {"subject": subject, "kind": kind}
                for (subject, kind), fact in self.facts.items()
                if fact is None
            ],
            "save_job": _encode_each(encode_job, self.jobs.values(), refused),
            "save_turn": turns,
            "end_turn": turns,
        }
        return queries, len(refused)


def _encode_each(
    encode: Callable[[T], Row], values: Iterable[T], refused: list[UnicodeEncodeError]
) -> list[Row]:
    """One bad record must not take the rest of its batch with it: it goes to `refused`."""
    rows = []
    for value in values:
        try:
            rows.append(encode(value))
        except UnicodeEncodeError as error:
            refused.append(error)
    return rows
