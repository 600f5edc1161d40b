"""A watch: a slot of its own, through which the keys of changed rows are read, and the tables it vouches for.

It is none of the engine's: its publication names the tables that *it* found, so that one which the engine forgot shows.
Tables whose updates and deletes could not name their row are not published (publishing would refuse the agency's own
writes); they are compared wholly, like all others that nothing vouches for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.errors import TryAgain
from onboarding.reconcile.changes.sessions import Connection, WatchLost, one_at_a_time, session, statement
from onboarding.reconcile.changes.watched import note_tables, standing_tables

SideName = Literal["source", "target"]
EXCLUDED = ("namrong",)

PATIENCE = timedelta(minutes=2)
"""A slot begins when every transaction that was writing has ended."""


@dataclass(frozen=True)
class Watch:
    """The watch on one side; publication and slot bear its name. `kept` is the target, where pending keys are kept."""

    name: str
    side: SideName
    database: Database
    kept: Database

    def __str__(self) -> str:
        return f"{self.name} ({self.database})"


@dataclass(frozen=True)
class Watches:
    """Both sides of one load."""

    source: Watch
    target: Watch

    def __iter__(self) -> Iterator[Watch]:
        return iter((self.source, self.target))


def open_watch(watch: Watch) -> str:
    """The position where the watch begins: every later change is told. Safe to call again.

    One that was opened and not read yet is kept, any other is made anew. Raises TryAgain when writers stay.
    """
    with one_at_a_time(watch.database, watch.name) as connection:
        connection.execute(statement("watch"))
        standing = began(connection, watch.name)
        if standing is not None and position(connection, watch.name) == standing:
            return standing
        return _begin(connection, watch)


def _begin(connection: Connection, watch: Watch) -> str:
    """First the publication, then what it vouches for, and last the slot: in between, a change only makes doubt."""
    _forget(connection, watch.name)
    tables = [table for table in standing_tables(connection, watch.name) if table.can_tell]
    named = sql.SQL(", ").join(sql.SQL("ONLY {}").format(sql.Identifier(*table.id)) for table in tables)
    of_tables = sql.SQL(" FOR TABLE {}").format(named) if tables else sql.SQL("")
    name = sql.Identifier(watch.name)
    connection.execute(sql.SQL("CREATE PUBLICATION {}{}").format(name, of_tables))
    note_tables(connection, watch.name)
    connection.execute("SELECT set_config('statement_timeout', %s, false)", [f"{int(PATIENCE.total_seconds())}s"])
    try:
        row = connection.execute(
            "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, 'pgoutput')", [watch.name]
        ).fetchone()
    except psycopg.errors.QueryCanceled:
        raise TryAgain("reconcile.watch_waits", where=str(watch), seconds=int(PATIENCE.total_seconds())) from None
    if row is None:
        raise WatchLost("no slot")
    connection.execute(
        "INSERT INTO namrong.watches VALUES (%s, %s, %s)", [watch.name, row[0], publication(connection, watch.name)]
    )
    return str(row[0])


def began(connection: Connection, name: str) -> str | None:
    """Where the watch of that name began, None when there is none or it is not what it was."""
    if connection.execute("SELECT to_regclass('namrong.watches')").fetchone() == (None,):
        return None
    row = connection.execute("SELECT began::text, publication FROM namrong.watches WHERE name = %s", [name]).fetchone()
    if row is None or row[1] != publication(connection, name) or position(connection, name) is None:
        return None
    return str(row[0])


def publication(connection: Connection, name: str) -> str:
    """The publication's identity: another text once it was made anew or told something else."""
    row = connection.execute("SELECT oid, xmin FROM pg_publication WHERE pubname = %s", [name]).fetchone()
    return "" if row is None else f"{row[0]}/{row[1]}"


def retained(watch: Watch) -> int:
    """Bytes of write-ahead log that the slot makes its server keep; 0 when there is none."""
    with session(watch.database) as connection:
        row = connection.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint FROM pg_replication_slots"
            " WHERE slot_name = %s AND database = current_database()",
            [watch.name],
        ).fetchone()
    return int(row[0] or 0) if row else 0


def close_watch(watch: Watch) -> None:
    """No slot, no publication, no pending key of it. Safe to call again."""
    with one_at_a_time(watch.database, watch.name) as connection:
        _forget(connection, watch.name)


def forget_pending(watch: Watch) -> None:
    """None of the keys of either side is kept any more. Safe to call again."""
    with session(watch.kept) as connection:
        for table in ("pending", "doubtful", "watch_read"):
            _delete(connection, table, "watch", watch.name)


def _forget(connection: Connection, name: str) -> None:
    if position(connection, name) is not None or _is_there(connection, name):
        connection.execute("SELECT pg_drop_replication_slot(%s)", [name])
    connection.execute(sql.SQL("DROP PUBLICATION IF EXISTS {}").format(sql.Identifier(name)))
    for table, column in (("watched", "watch"), ("watches", "name")):
        _delete(connection, table, column, name)


def _delete(connection: Connection, table: str, column: str, name: str) -> None:
    if connection.execute("SELECT to_regclass(%s)", [f"namrong.{table}"]).fetchone() != (None,):
        connection.execute(
            sql.SQL("DELETE FROM namrong.{} WHERE {} = %s").format(sql.Identifier(table), sql.Identifier(column)),
            [name],
        )


def _is_there(connection: Connection, name: str) -> bool:
    asked = "SELECT 1 FROM pg_replication_slots WHERE slot_name = %s AND database = current_database()"
    return connection.execute(asked, [name]).fetchone() is not None


def position(connection: Connection, name: str) -> str | None:
    """What the slot was moved on to; None when it is gone, or lost what it kept."""
    row = connection.execute(
        "SELECT confirmed_flush_lsn::text FROM pg_replication_slots"
        " WHERE slot_name = %s AND database = current_database() AND coalesce(wal_status, 'lost') <> 'lost'",
        [name],
    ).fetchone()
    return None if row is None else str(row[0])
