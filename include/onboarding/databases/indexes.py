"""Indexes and statistics of a table as soon as its last row is there, beside the rows of others.

Nothing depends on it: whatever is not made here, `finish` makes. So it gives way wherever it is in doubt.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases import archive as archives
from onboarding.databases.archive import Entry
from onboarding.databases.fence import check, label
from onboarding.databases.sessions import Connection, session, statement

HOLDER = "indexes"
WAIT_FOR_END_MS = 5_000


@dataclass(frozen=True)
class Table:
    """A table of the target whose rows have all arrived; `partition` of a larger one, whose statistics come with it."""

    schema: str
    name: str
    partition: bool


def build_complete(source: Database, target: Database, unit: str, *, load: str, fence: int, jobs: int) -> int:
    """Makes the indexes of those tables that this unit's rows completed; returns how many it made.

    Of units that end together one builds a table's, under a lock that ends with its session; the others go on.
    """
    with session(target, autocommit=True, label=label(HOLDER, fence)) as holding:
        mine = [table for table in _complete(holding, unit) if _lock(holding, table)]
        if not mine:
            return 0
        check(holding, load=load, fence=fence)
        _end_orphans(holding)
        with archives.opened(target) as archive:
            lacking = [entry for entry in archives.todo(source, target, archive).entries if entry.is_index]
            chosen = _of_tables(source, lacking, mine)
            worker = label(f"index{holding.info.backend_pid}", fence)
            archives.restore(target, archive, chosen, jobs=jobs, label=worker)
        for table in mine:
            if not table.partition:
                holding.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table.schema, table.name)))
    return len(chosen)


def end_builders(connection: Connection, fence: int) -> None:
    """Ends what older attempts still make, and who waits for it: whoever makes the rest must not meet them."""
    _end(connection, sql.SQL("split_part(a.application_name, ':', 3)::bigint < {}").format(fence), "(es|[0-9]+)")


def _end_orphans(connection: Connection) -> None:
    """Ends pg_restore's sessions whose builder is gone: a killed one leaves them at work, without its lock."""
    gone = sql.SQL(
        "NOT EXISTS (SELECT FROM pg_stat_activity h WHERE h.application_name ~ {}"
        " AND h.pid = substring(a.application_name FROM 'index([0-9]+):')::int)"
    ).format(f"^namrong:{HOLDER}:")
    _end(connection, gone, "[0-9]+")


def _end(connection: Connection, condition: sql.Composable, kind: str) -> None:
    connection.execute(
        sql.SQL(
            "WITH builders AS MATERIALIZED (SELECT pid, application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND usename = current_user AND application_name ~ {})"
            " SELECT pg_terminate_backend(a.pid, {}) FROM builders a WHERE {}"
        ).format(f"^namrong:index{kind}:[0-9]+$", WAIT_FOR_END_MS, condition)
    )


def _complete(connection: Connection, unit: str) -> list[Table]:
    """Tables with no part left to come, of those this unit moved rows into; of a hashed one all its partitions."""
    found = connection.execute(statement("complete"), [unit])
    return [Table(*row) for row in found]


def _lock(connection: Connection, table: Table) -> bool:
    name = sql.Identifier(table.schema, table.name).as_string()
    row = connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 2))", [name]).fetchone()
    return row == (True,)


def _of_tables(source: Database, entries: Sequence[Entry], tables: Sequence[Table]) -> list[Entry]:
    with session(source) as reading:
        rows = reading.execute(
            "SELECT 'pg_class'::regclass::oid::bigint, i.indexrelid::bigint, n.nspname, c.relname"
            " FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE i.indexrelid = ANY (%(objects)s::oid[])"
            " UNION ALL SELECT 'pg_constraint'::regclass::oid::bigint, k.oid::bigint, n.nspname, c.relname"
            " FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE k.oid = ANY (%(objects)s::oid[])",
            {"objects": [entry.object for entry in entries]},
        ).fetchall()
    of = {(catalogue, oid): (schema, name) for catalogue, oid, schema, name in rows}
    wanted = {(table.schema, table.name) for table in tables}
    return [entry for entry in entries if of.get(entry.identity) in wanted]
