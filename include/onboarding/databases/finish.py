"""After the rows: indexes, constraints, triggers, policies, views, statistics; then a look that all is there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases import archive as archives
from onboarding.databases.archive import Entry
from onboarding.databases.fence import check, claim, label
from onboarding.databases.indexes import end_builders
from onboarding.databases.inventory import missing
from onboarding.databases.sessions import Connection, session, statement
from onboarding.errors import Stop

UNIT = "finish"
JOBS = 2
SHOWN = 10


@dataclass(frozen=True)
class Finished:
    """What this call made, and what was there from an earlier one."""

    made: int
    found: int


def finish(source: Database, target: Database, *, load: str, fence: int, jobs: int = JOBS) -> Finished:
    """Everything but rows as the source has it; safe to call again after a kill at any instant.

    Each index, constraint or trigger is made in one statement of its own, so that it is there or it is not; a
    repetition makes what is missing. Raises Stop when a planned part has not arrived, when rows break a constraint,
    or when something of the source's catalogue is not on the target in the end.
    """
    claim(target, UNIT, load=load, fence=fence)
    with session(target, label=label(UNIT, fence)) as connection:
        check(connection, load=load, fence=fence)
        _all_arrived(connection)
        end_builders(connection, fence)
    _ensure_named_roles(source, target)
    with archives.opened(target) as archive:
        todo = archives.todo(source, target, archive)
        for entries, streams in _phases(todo.entries, jobs):
            archives.restore(target, archive, entries, jobs=streams, label=label(UNIT, fence))
    lost = missing(source, target)
    if lost:
        raise Stop("databases.objects_missing", where=str(target), count=len(lost), first="; ".join(lost[:SHOWN]))
    _analyze(target, load, fence, jobs)
    return Finished(len(todo.entries), todo.found)


def _all_arrived(connection: Connection) -> None:
    row = connection.execute(
        "SELECT (SELECT planned_at IS NOT NULL FROM namrong.load), count(*), count(c.part)"
        " FROM namrong.parts p LEFT JOIN namrong.checkpoints c USING (part)"
    ).fetchone()
    if row is None or not row[0] or row[1] != row[2]:
        raise Stop(
            "databases.parts_missing", where=connection.info.dbname, planned=row and row[1], arrived=row and row[2]
        )


def _ensure_named_roles(source: Database, target: Database) -> None:
    """The roles that row-security policies speak of exist on the target, without a login until somebody gives one."""
    with session(source) as reading:
        wanted = reading.execute(
            "SELECT DISTINCT r.rolname FROM pg_policy p CROSS JOIN LATERAL unnest(p.polroles) AS named (oid)"
            " JOIN pg_roles r ON r.oid = named.oid ORDER BY 1"
        ).fetchall()
    with session(target, autocommit=True) as connection:
        for (role,) in wanted:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def _phases(todo: Sequence[Entry], jobs: int) -> Iterator[tuple[list[Entry], int]]:
    """Indexes and keys in parallel, then their attachments one by one, then the rest in parallel.

    Two attachments at once to one partitioned index each see the other's partition as missing, and nobody marks the
    index valid: PostgreSQL checks completeness at each ATTACH and sees only what is committed.
    """
    yield [entry for entry in todo if entry.is_index], jobs
    yield [entry for entry in todo if entry.attaches], 1
    yield [entry for entry in todo if not entry.is_index and not entry.attaches], jobs


def _analyze(target: Database, load: str, fence: int, jobs: int) -> None:
    """Statistics for the planner where there are none yet: without them the first queries are slow ones.

    A partitioned table's bring its partitions' with them. Statistics objects are made after the rows, so that their
    tables are looked at again.
    """
    name = label(UNIT, fence)
    with session(target, label=name) as connection:
        tables = connection.execute(statement("unanalyzed")).fetchall()

    def look_at(table: tuple[str, str]) -> None:
        with session(target, autocommit=True, label=name) as connection:
            connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(*table)))

    with ThreadPoolExecutor(jobs, thread_name_prefix="analyze") as pool:
        list(pool.map(look_at, tables))
    with session(target, label=name) as connection:
        connection.execute(
            "UPDATE namrong.load SET finished_at = clock_timestamp() WHERE load = %s AND token <= %s", [load, fence]
        )
