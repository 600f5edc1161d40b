"""Unlogged tables: a restored backup has them empty, by PostgreSQL's own rule (CREATE TABLE, "UNLOGGED")."""

from __future__ import annotations

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.sessions import session


def unlogged_rows(database: Database) -> dict[str, int]:
    """Rows per unlogged table, as `schema.table`."""
    with session(database) as connection:
        tables = connection.execute(
            "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relpersistence = 'u' AND c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'namrong'"
            " ORDER BY 1, 2"
        ).fetchall()
        counted = {}
        for schema, name in tables:
            row = connection.execute(
                sql.SQL("SELECT count(*) FROM ONLY {}").format(sql.Identifier(schema, name))
            ).fetchone()
            counted[f"{schema}.{name}"] = int(row[0]) if row else 0
    return counted
