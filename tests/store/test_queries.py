"""The SQL that ships: complete, in order, and what the schema says."""

import re
import sqlite3
from contextlib import closing
from importlib import resources

import pytest

from ringback.store.database import APPLICATION_ID
from ringback.store.queries import MIGRATIONS, QUERIES, statements

SHAPE = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
_PARAMETER = re.compile(r":(\w+)")
PRAGMAS = ("application_id", "user_version")


def _made_by(*scripts: str) -> tuple[list[tuple[str, ...]], list[int]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for script in scripts:
            for statement in statements(script):
                connection.execute(statement)
        pragmas = [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in PRAGMAS]
        return connection.execute(SHAPE).fetchall(), pragmas


def test_the_schema_is_the_sum_of_the_migrations() -> None:
    schema = (resources.files("ringback.store") / "schema.sql").read_text("utf-8")

    assert _made_by(schema) == _made_by(*MIGRATIONS.values())


def test_migrations_are_numbered_without_a_gap_and_each_records_its_number() -> None:
    versions = [
        _made_by(*list(MIGRATIONS.values())[:number])[1] for number in range(1, len(MIGRATIONS) + 1)
    ]

    assert list(range(1, len(MIGRATIONS) + 1)) == list(MIGRATIONS)
    assert [[APPLICATION_ID, number] for number in MIGRATIONS] == versions


@pytest.mark.parametrize("name", QUERIES)
def test_every_query_fits_the_tables(name: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(MIGRATIONS.values()))
        # What a query does not name is passed over; what it names and is not here, an error.
        parameters = dict.fromkeys(_PARAMETER.findall(QUERIES[name]), 1)
        connection.execute(QUERIES[name], parameters)


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("load_entry", "sqlite_autoindex_entry_1"),
        ("search_entries", "entry_by_domain"),
        ("forget_entries", "entry_by_domain"),
        ("sweep_entries", "entry_by_expiry"),
        ("count_entries", "COVERING INDEX entry_by_expiry"),
        ("load_facts", "sqlite_autoindex_fact_1"),
        ("list_facts", "fact_by_kind (kind=? AND (noted_at,subject)<(?,?))"),
        ("sweep_facts", "fact_by_expiry"),
        ("count_facts", "COVERING INDEX fact_by_kind"),
        ("load_wait", "sqlite_autoindex_wait_1"),
        ("sweep_waits", "wait_by_expiry"),
        ("count_waits", "COVERING INDEX wait_by_expiry"),
        ("count_crowd", "crowd USING PRIMARY KEY (scope=? AND network=?)"),
        ("load_acquaintance", "sqlite_autoindex_acquaintance_1"),
        ("sweep_acquaintances", "acquaintance_by_expiry"),
        ("trim_acquaintances", "acquaintance_by_worth"),
        ("trim_entries", "entry_by_expiry"),
        ("trim_facts", "fact_by_expiry"),
        ("load_budget", "budget USING PRIMARY KEY"),
        ("seek_budgets", "budget USING PRIMARY KEY (key>?)"),
        ("sweep_budgets", "budget USING PRIMARY KEY (key>? AND key<?)"),
        ("search_calls_by_address", "call_by_address"),
        ("search_calls_by_ip", "call_by_ip"),
        ("search_calls_by_name", "COVERING INDEX call_by_domain"),
        ("search_calls_by_name", "COVERING INDEX call_by_host"),
        ("count_calls", "COVERING INDEX call_by_time"),
        ("sweep_calls", "call_by_time"),
        ("trim_calls", "call_by_time"),
        ("end_call", "begun USING PRIMARY KEY (id=?)"),
        ("seek_begun", "begun USING PRIMARY KEY (id>?)"),
        ("keep_stopped_calls", "begun USING PRIMARY KEY (id>? AND id<?)"),
        ("drop_stopped_calls", "begun USING PRIMARY KEY (id>? AND id<?)"),
        ("due_domains", "COVERING INDEX list_domain_by_turn (list=? AND due_at<?)"),
        ("next_domain", "COVERING INDEX list_domain_by_turn (list=?)"),
        ("give_back_domains", "COVERING INDEX list_domain_by_turn (list=? AND due_at=?)"),
        ("jobs_come_back", "job_by_turn (list=? AND domain=? AND due_at>? AND due_at<?)"),
        ("new_jobs", "job_by_turn (list=? AND domain=? AND due_at=?)"),
        ("save_turn", "COVERING INDEX job_by_turn (list=? AND domain=? AND due_at>?)"),
        ("end_jobs", "COVERING INDEX job_by_turn (list=?)"),
        ("load_done_jobs", "sqlite_autoindex_job_1 (list=? AND domain=? AND key=?)"),
        ("tally_jobs", "COVERING INDEX job_by_reason (list=?)"),
        ("tally_domains", "COVERING INDEX job_by_reason (list=? AND domain=?)"),
        ("tally_domains", "COVERING INDEX job_by_turn (list=? AND domain=?"),
        ("sweep_jobs", "sqlite_autoindex_job_1 (list=?)"),
        ("give_up_list", "sqlite_autoindex_list_1 (digest=?)"),
        ("forget_reports", "sqlite_autoindex_job_1 (list=? AND domain=? AND key=?)"),
        ("forget_reports", "sqlite_autoindex_job_1 (list=? AND domain=?)"),
        ("ask_domain_again", "job_by_turn (list=? AND domain=? AND due_at=?)"),
        ("set_back_jobs", "job_by_turn (list=?)"),
        ("set_back_domains", "list_domain_by_turn (list=? AND due_at>?)"),
    ],
)
def test_no_query_reads_a_whole_table_of_evidence(name: str, index: str) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript("".join(MIGRATIONS.values()))
        parameters = dict.fromkeys(_PARAMETER.findall(QUERIES[name]), 1)
        plan = connection.execute("EXPLAIN QUERY PLAN " + QUERIES[name], parameters).fetchall()
        steps = " / ".join(step[3] for step in plan)

        assert index in steps


def test_statements_are_told_apart_with_comments_in_between() -> None:
    script = "-- first; not a statement\nSELECT ';';\n\nSELECT 2; -- why\n-- the end\n"

    assert 2 == len(list(statements(script)))
