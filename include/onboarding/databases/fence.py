"""Fences: each attempt takes a higher token on the target, and the target refuses a lower one.

The token of the whole load and that of each unit lie in the database the rows go to, because a transaction cannot
see another database: the refusal is a trigger on the checkpoint that every part writes in its own transaction.
The highest token and the load a database was made for also lie in the control database `namrong` of the same
instance: they outlive a drop, so that a token never falls.

Tokens of one database come from one rising sequence (`ledger.next_fence(pilot, "database:<name>")`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from onboarding.addresses import Database
from onboarding.databases.sessions import Connection, session
from onboarding.errors import Stop

LOCK_PATIENCE_MS = 15_000


def label(unit: str, fence: int) -> str:
    """The `application_name` of an attempt's sessions, by which a newer attempt finds and ends them."""
    return f"namrong:{unit}:{fence}"


def claim(target: Database, unit: str, *, load: str, fence: int) -> None:
    """The unit is ours: older attempts are refused from here on, and their sessions on the target are ended.

    Raises Stop when a newer attempt or another load holds the target.
    """
    with claimed(target, unit, load=load, fence=fence):
        pass


@contextmanager
def claimed(target: Database, unit: str, *, load: str, fence: int) -> Iterator[Connection]:
    """The same, with the session in which it was claimed, for what is asked first of all."""
    with session(target, label=label(unit, fence)) as connection:
        check(connection, load=load, fence=fence)
        held = connection.execute("SELECT token FROM namrong.units WHERE unit = %s", [unit]).fetchone()
        if held is not None and held[0] > fence:
            raise Stop("databases.fenced", where=str(target))
        end_older_sessions(connection, unit, fence)
        connection.execute(f"SET LOCAL lock_timeout = {LOCK_PATIENCE_MS}")
        raised = connection.execute(
            "INSERT INTO namrong.units AS held (unit, token) VALUES (%s, %s)"
            " ON CONFLICT (unit) DO UPDATE SET token = excluded.token WHERE held.token <= excluded.token"
            " RETURNING token",
            [unit, fence],
        ).fetchone()
        if raised is None:
            raise Stop("databases.fenced", where=str(target))
        connection.commit()
        yield connection


def check(connection: Connection, *, load: str, fence: int) -> None:
    """Returns while this load holds the database and no newer attempt took it whole. Raises Stop.

    The row stays locked (shared) until the transaction ends, so what follows in it is fenced.
    """
    held = connection.execute("SELECT load, token FROM namrong.load FOR SHARE").fetchone()
    if held is None or held[0] != load or held[1] > fence:
        raise Stop("databases.fenced", where=connection.info.dbname)


def end_older_sessions(connection: Connection, unit: str, fence: int) -> None:
    """Ends what earlier attempts at this unit still run on this database."""
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
        " AND split_part(application_name, ':', 2) = %s"
        " AND CASE WHEN application_name ~ '^namrong:[a-z0-9]+:[0-9]+$'"
        " THEN split_part(application_name, ':', 3)::bigint < %s ELSE false END",
        [unit, fence],
    )
