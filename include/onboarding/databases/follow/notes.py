"""What both sides keep about a feed, and the fence that every change of it goes through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.sessions import Connection, session, statement
from onboarding.errors import Stop

LOCK_PATIENCE_MS = 15_000
FENCED = "databases.fenced"


def ensure_notes(database: Database, name: str) -> None:
    """The tables of `follow/notes.sql` are there, and the feed's own markers. Safe to call again.

    Each feed has a table of its own, published with the agency's: in one for both directions, a marker that came the
    one way would be sent back the other.
    """
    with session(database) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(2)")  # CREATE … IF NOT EXISTS alone may collide
        connection.execute(statement("follow/notes"))
        connection.execute(
            sql.SQL("CREATE TABLE IF NOT EXISTS {} (id text PRIMARY KEY, written_at timestamptz NOT NULL)").format(
                markers(name)
            )
        )


def markers(name: str) -> sql.Identifier:
    """Where the feed's markers are, on both sides."""
    return sql.Identifier("namrong", name)


def drop_markers(connection: Connection, name: str) -> None:
    """No markers of that feed any more. Safe to call again."""
    connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(markers(name)))


def remove_notes(database: Database) -> None:
    """Nothing about feeds any more: for a database whose last feed is closed. Safe to call again."""
    with session(database) as connection:
        connection.execute("DROP TABLE IF EXISTS namrong.outlets, namrong.feeds")


def has_notes(connection: Connection) -> bool:
    """Whether this database ever followed or was followed."""
    return connection.execute("SELECT to_regclass('namrong.feeds')").fetchone() != (None,)


def claim(connection: Connection, name: str, fence: int) -> None:
    """In the open transaction: the feed is this attempt's, and stays so until the transaction ends.

    Raises Stop when a newer attempt was here. What starts or stops a subscription happens in the same transaction.
    """
    connection.execute(f"SET LOCAL lock_timeout = {LOCK_PATIENCE_MS}")
    raised = connection.execute(
        "INSERT INTO namrong.feeds AS held (name, token) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET token = excluded.token WHERE held.token <= excluded.token"
        " RETURNING token",
        [name, fence],
    ).fetchone()
    if raised is None:
        raise Stop(FENCED, where=f"{connection.info.dbname} {name}")


@contextmanager
def one_at_a_time(database: Database, name: str) -> Iterator[Connection]:
    """An autocommit session that alone, of all of ours, makes, takes or drops the slot of that name.

    The lock is the session's, not a transaction's: a slot cannot begin while a transaction that has a number is open,
    not even ours.
    """
    with session(database, autocommit=True) as connection:
        connection.execute(f"SET lock_timeout = {LOCK_PATIENCE_MS}")
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 2))", [name])
        yield connection
