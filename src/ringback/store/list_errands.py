"""What the thread that writes is asked to do to lists.

Not here: saving one job (batch.py), reading (lists.py).
"""

import sqlite3
from collections.abc import Sequence

from ..errors import ListInUseError
from ..rules.lists import unreadable
from ..values.job import Due, Job, JobList, Taken, Task
from ..values.query import Report
from .codec import Row, encode_report, parse_job
from .database import transaction
from .queries import QUERIES
from .rows import run_for_all

# Of a list that is forgotten its jobs go first, so that its number stays taken until they have.
DROPPING = ("sweep_jobs", "sweep_list_domains", "drop_lists")


def open_list(
    digest: str, now: float, keep_s: float, holder: int, connection: sqlite3.Connection
) -> JobList | ListInUseError:
    """Make the list if there is none, and hold it; or return, for the thread, what is to be raised."""
    wanted: dict[str, str | float] = {"digest": digest, "now": now}
    with transaction(connection):
        connection.execute(QUERIES["give_up_list"], wanted)
        connection.execute(QUERIES["make_list"], wanted)
        row = connection.execute(QUERIES["find_list"], wanted).fetchone()
        if row["holder"] is not None:
            return ListInUseError()
        wanted = {"list": row["number"], "holder": holder, "keep_until": now + keep_s}
        connection.execute(QUERIES["hold_list"], wanted)
        connection.execute(QUERIES["give_back_domains"], wanted)
    return JobList(row["number"], digest, row["made_at"], row["is_whole"] == 1)


def forget_list(digest: str, connection: sqlite3.Connection) -> ListInUseError | bool:
    """Let its digest go, unless somebody holds it; what it had is to be dropped. Say whether it was there."""
    with transaction(connection):
        row = connection.execute(QUERIES["find_list"], {"digest": digest}).fetchone()
        if row is None:
            return False
        if row["holder"] is not None:
            return ListInUseError()
        connection.execute(QUERIES["forget_list"], {"list": row["number"]})
    return True


def drop_forgotten(most: int, connection: sqlite3.Connection) -> bool:
    """Drop so much of lists that are forgotten; say whether there may be more."""
    with transaction(connection):
        dropped = [connection.execute(QUERIES[one], {"most": most}).rowcount for one in DROPPING]
    return max(dropped) > 0


def set_back(number: int, step_s: float, connection: sqlite3.Connection) -> None:
    wanted = {"list": number, "step_s": step_s}
    with transaction(connection):
        connection.execute(QUERIES["set_back_jobs"], wanted)
        connection.execute(QUERIES["set_back_domains"], wanted)


def run(query: str, number: int, connection: sqlite3.Connection) -> None:
    """Do the one thing to a list that a named statement does."""
    connection.execute(QUERIES[query], {"list": number})


def add_jobs(number: int, tasks: Sequence[Task], connection: sqlite3.Connection) -> None:
    jobs: list[Row] = [{"list": number, "domain": one.domain, "key": one.key} for one in tasks]
    domains: list[Row] = [
        {"list": number, "domain": domain} for domain in {one.domain: None for one in tasks}
    ]
    with transaction(connection):
        run_for_all(connection, "add_job", jobs)
        run_for_all(connection, "add_domain", domains)


def take_jobs(
    number: int, now: float, domains: int, each: int, connection: sqlite3.Connection
) -> Taken:
    """Take what is due. A domain of which nothing is due after all waits for its first job, or is done."""
    wanted = {"list": number, "now": now, "most": domains}
    with transaction(connection):
        found = connection.execute(QUERIES["due_domains"], wanted).fetchall()
        due = [_take(number, row["domain"], now, each, connection) for row in found]
        next_at = connection.execute(QUERIES["next_domain"], {"list": number}).fetchone()[0]
    return Taken(tuple(one for one in due if one.jobs), next_at)


def _take(number: int, domain: str, now: float, each: int, connection: sqlite3.Connection) -> Due:
    wanted: dict[str, str | float] = {"list": number, "domain": domain, "now": now, "most": each}
    rows = connection.execute(QUERIES["jobs_come_back"], wanted).fetchall()
    if len(rows) < each:
        wanted["most"] = each - len(rows)
        rows += connection.execute(QUERIES["new_jobs"], wanted).fetchall()
    jobs = tuple(job for row in rows if (job := _parse(row, connection)))
    if jobs:
        connection.execute(QUERIES["take_domain"], wanted)
    else:
        run_for_all(connection, "save_turn", [{"list": number, "domain": domain, "due_at": now}])
        run_for_all(connection, "end_turn", [{"list": number, "domain": domain}])
    return Due(domain, jobs)


def _parse(row: sqlite3.Row, connection: sqlite3.Connection) -> Job | None:
    """One that is damaged is done, and says so: each run of its list would end at it."""
    try:
        return parse_job(row)
    except ValueError:
        damaged = {name: row[name] for name in ("list", "domain", "key")}
        report = encode_report(unreadable(str(row["key"])))
        connection.execute(QUERIES["end_damaged_job"], damaged | report)
        return None


def end_jobs(number: int, most: int, instead: Report, connection: sqlite3.Connection) -> int:
    wanted = {"list": number, "most": most} | encode_report(instead)
    return connection.execute(QUERIES["end_jobs"], wanted).rowcount
