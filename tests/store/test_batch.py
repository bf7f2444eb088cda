"""What waits to be committed."""

from ringback.rules.freshness import Entry
from ringback.rules.pacing import Charge, Rate
from ringback.rules.waiting import Wait
from ringback.store.batch import Batch
from ringback.values.calls import Call
from ringback.values.facts import DomainFact, Fact
from ringback.values.job import Job


def test_an_empty_batch_is_false() -> None:
    assert not Batch()
    assert 1 == len(Batch(facts={("example.org", "selective"): None}))


def test_it_knows_what_is_to_become_of_the_facts_about_a_subject(fact: Fact) -> None:
    batch = Batch(
        facts={
            ("example.org", "selective"): fact,
            ("example.org", "refuses_vrfy"): None,
            ("example.net", "selective"): fact,
        }
    )

    assert {"selective": fact, "refuses_vrfy": None} == dict(batch.facts_of("example.org"))


def test_of_charges_none_takes_the_place_of_another(call: Call) -> None:
    charge = (Charge("host", Rate(1), "calls"), 500.0)
    both = Batch(charges=[charge]).followed_by(Batch(charges=[charge], calls={call.id: call}))

    assert [charge, charge] == both.charges
    assert 3 == len(both)


def test_charges_can_be_taken_alone(call: Call) -> None:
    charge = (Charge("host", Rate(1), "calls"), 500.0)
    batch = Batch(charges=[charge], calls={call.id: call})

    assert Batch(charges=[charge]) == batch.take_charges()
    assert Batch(calls={call.id: call}) == batch
    assert not batch.take_charges()


def test_the_later_of_two_batches_wins(entry: Entry, fact: Fact, wait: Wait) -> None:
    slot = ("example.org", "selective")
    other = entry.but(key="other@example.org")
    earlier = Batch({entry.key: entry, other.key: other}, {slot: fact}, {wait.key: wait})
    later = Batch({entry.key: entry.but(attempts=9)}, {slot: None}, {})

    both = earlier.followed_by(later)

    assert 9 == both.entries[entry.key].attempts
    assert other == both.entries[other.key]
    assert {slot: None} == both.facts
    assert {wait.key: wait} == both.waits


def test_of_jobs_and_turns_the_later_ones_win() -> None:
    job = Job(1, "a@x.example", "x.example", due_at=5.0)
    earlier = Batch(jobs={(1, job.key): job}, turns={(1, "x.example"): 5.0, (2, "x.example"): 1.0})
    later = Batch(jobs={(1, job.key): job.but(due_at=9.0)}, turns={(1, "x.example"): 9.0})
    both = earlier.followed_by(later)

    assert 3 == len(both)
    queries, _ = both.encode()
    assert [9.0] == [row["due_at"] for row in queries["save_job"]]
    assert [9.0, 1.0] == [row["due_at"] for row in queries["save_turn"]]
    assert queries["save_turn"] == queries["end_turn"]


def test_a_record_that_cannot_be_stored_leaves_the_others_alone(entry: Entry, fact: Fact) -> None:
    bad = entry.but(key="\ud800@example.org")
    batch = Batch(
        {bad.key: bad, entry.key: entry},
        {("example.org", DomainFact.SELECTIVE): fact, ("example.net", "selective"): None},
    )

    queries, refused = batch.encode()

    rows = {name: len(each) for name, each in queries.items()}
    expected = {"save_entry": 1, "save_fact": 1, "forget_fact": 1}
    assert expected == {name: number for name, number in rows.items() if number}
    assert 1 == refused
