"""An independent look at two databases, in plain SQL that shares nothing with the engine."""

from __future__ import annotations

import psycopg
from psycopg import sql

from onboarding.addresses import Database

PIN = (
    "SET timezone = 'UTC'; SET extra_float_digits = 3; SET search_path = ''; SET datestyle = 'ISO'; SET lc_monetary='C'"
)


def digest(database: Database) -> dict[str, tuple[int, str]]:
    """Per table (partitions and children on their own): how many rows, and the md5 of all rows as ordered text."""
    with database.connect(autocommit=True) as connection:
        connection.execute(PIN)
        found = connection.execute(
            "SELECT table_schema, table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
            " AND table_schema NOT IN ('pg_catalog', 'information_schema', 'namrong') ORDER BY 1, 2"
        ).fetchall()
        return {f"{schema}.{table}": _digest(connection, schema, table) for schema, table in found}


def _digest(connection: psycopg.Connection[tuple[object, ...]], schema: object, table: object) -> tuple[int, str]:
    row = connection.execute(
        sql.SQL(
            "SELECT count(*), md5(coalesce(string_agg(t::text, E'\\n' ORDER BY t::text COLLATE \"C\"), ''))"
            " FROM ONLY {} AS t"
        ).format(sql.Identifier(str(schema), str(table)))
    ).fetchone()
    assert row is not None
    return int(str(row[0])), str(row[1])


def large_objects(database: Database) -> dict[int, tuple[str, str | None]]:
    with database.connect(autocommit=True) as connection:
        rows = connection.execute(
            "SELECT oid::bigint, md5(lo_get(oid)), obj_description(oid, 'pg_largeobject') FROM pg_largeobject_metadata"
        ).fetchall()
        return {int(str(oid)): (str(content), comment and str(comment)) for oid, content, comment in rows}


def sequences(database: Database) -> dict[str, tuple[object, ...]]:
    with database.connect(autocommit=True) as connection:
        names = connection.execute(
            "SELECT sequence_schema, sequence_name FROM information_schema.sequences ORDER BY 1, 2"
        ).fetchall()
        return {
            f"{schema}.{name}": connection.execute(
                sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(str(schema), str(name)))
            ).fetchall()[0]
            for schema, name in names
        }
