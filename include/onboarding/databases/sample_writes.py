"""A few real writes of a service on a copy that nobody uses: for rehearsals, never for a database that serves.

Nobody knows here what the service's rows mean. So one row of each table gets a value that another row of it has, and
one is deleted; what a key, a check or a trigger refuses is left as it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.sessions import Connection, statement, told

TIMEOUT_MS = 5_000
TRIED_COLUMNS = 4

# (tableoid, ctid) is one row, of a partitioned table too
SET_ONE = """
UPDATE {table} SET {column} = (SELECT {column} FROM {table} ORDER BY tableoid DESC, ctid DESC LIMIT 1)
WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM {table} WHERE {column} IS DISTINCT FROM
                          (SELECT {column} FROM {table} ORDER BY tableoid DESC, ctid DESC LIMIT 1) LIMIT 1)
RETURNING tableoid, {column} IS NOT DISTINCT FROM
                    (SELECT {column} FROM {table} ORDER BY tableoid DESC, ctid DESC LIMIT 1)
"""
DELETE_ONE = (
    "DELETE FROM {table} WHERE (tableoid, ctid) = (SELECT tableoid, ctid FROM {table} LIMIT 1) RETURNING tableoid, true"
)


# Partitions by hash count as the table that they make up, as the verifier reads them.
NAMES = """
SELECT DISTINCT format('%%s.%%s', n.nspname, c.relname)
FROM unnest(%s::oid[]) AS changed (oid)
CROSS JOIN LATERAL (
    SELECT coalesce((SELECT p.partrelid FROM pg_partition_ancestors(changed.oid) WITH ORDINALITY AS above (relid, up)
                     JOIN pg_partitioned_table p ON p.partrelid = above.relid AND p.partstrat = 'h'
                     ORDER BY up DESC LIMIT 1), changed.oid) AS oid
) AS named
JOIN pg_class c ON c.oid = named.oid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY 1
"""


@dataclass(frozen=True)
class Written:
    """Rows that were changed or deleted, and in which tables (`schema.table`, as the verifier names it)."""

    rows: int
    tables: tuple[str, ...]


def write_samples(service: Database) -> Written:
    """Commits what the service's own login may change in each table; nothing at all where it may write nothing."""
    changed: list[int] = []
    with told(str(service)), service.connect() as connection:
        connection.execute(f"SET statement_timeout = {TIMEOUT_MS}")
        connection.execute("SET TRANSACTION READ WRITE; SET CONSTRAINTS ALL IMMEDIATE")
        found: list[tuple[Any, ...]] = connection.execute(statement("writable")).fetchall()
        for schema, name, may_delete, columns in found:
            changed += _change(connection, sql.Identifier(schema, name), columns, may_delete)
        named = connection.execute(NAMES, [list(set(changed))]).fetchall()
    return Written(len(changed), tuple(str(name) for (name,) in named))


def _change(connection: Connection, table: sql.Identifier, columns: list[str], may_delete: bool) -> list[int]:
    changed: list[int] = []
    for column in columns[:TRIED_COLUMNS]:
        changed = _done(connection, sql.SQL(SET_ONE).format(table=table, column=sql.Identifier(column)))
        if changed:
            break
    return changed + (_done(connection, sql.SQL(DELETE_ONE).format(table=table)) if may_delete else [])


def _done(connection: Connection, wanted: sql.Composed) -> list[int]:
    """The tables of the rows that it changed; none when it was refused, and then nothing of it stays."""
    try:
        with connection.transaction():
            done: list[tuple[int, bool]] = connection.execute(wanted).fetchall()
            return [table for table, held in done if held]  # a trigger may have put it back as it was
    except psycopg.OperationalError as failure:
        if connection.closed or failure.sqlstate is None:
            raise
        return []
    except psycopg.Error:
        return []
