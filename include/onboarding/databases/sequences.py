"""Sequences: COPY and replication carry rows only, so their state is set by us, last of all."""

from __future__ import annotations

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.sessions import session, statement


def set_sequences(source: Database, target: Database) -> int:
    """Every sequence of the target stands exactly where the source's does; how many there are.

    Last value and whether it was given out already, so that the next value is the same on both sides, whatever the
    increment. Call it under the freeze. Safe to call again.
    """
    with session(source) as reading:
        names = reading.execute(statement("sequences")).fetchall()
        states = [
            (schema, name, *reading.execute(
                sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier(schema, name))
            ).fetchall()[0])
            for schema, name in names
        ]  # fmt: skip
    with session(target) as writing:
        for schema, name, last_value, is_called in states:
            writing.execute(
                sql.SQL("SELECT setval({}::regclass, {}, {})").format(
                    sql.Literal(sql.Identifier(schema, name).as_string(writing)), last_value, is_called
                )
            )
    return len(states)
