"""One exported snapshot of the source, and the transaction that holds it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.sessions import PINNED, Connection, session, statement, told
from onboarding.errors import Stop

LOCK_PATIENCE_MS = 30_000
BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


@dataclass
class Snapshot:
    """A snapshot that others can import while this lives.

    `id` is the exported name and, after a stroke, the transactions it sees (`pg_current_snapshot()`): names start
    anew when the server does, transactions never do.
    """

    id: str
    _connection: Connection

    def alive(self) -> bool:
        """Whether the holder still holds; asks the server."""
        try:
            self._connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return not self._connection.closed

    def close(self) -> None:
        """Lets go of snapshot and locks. Safe to call twice."""
        self._connection.close()


def open_snapshot(source: Database, *, taken_over: Callable[[], str] | None = None) -> Snapshot:
    """A snapshot of the whole source, every table locked against DROP, TRUNCATE and ALTER as pg_dump does.

    (TRUNCATE and rewriting ALTERs are not snapshot-safe: PostgreSQL's manual, 13.6 "Caveats".)
    `taken_over` is called when all is locked, and gives the exported name of the snapshot to hold instead of one of
    this moment. The caller closes it. Raises TryAgain when a table stays locked for half a minute.
    """
    connection: Connection = source.connect(autocommit=True)
    try:
        with told(str(source)):
            connection.execute(PINNED)
            tables = connection.execute(statement("tables")).fetchall()
            connection.execute(BEGIN)
            connection.execute(f"SET LOCAL lock_timeout = {LOCK_PATIENCE_MS}")
            for schema, name in tables:
                connection.execute(
                    sql.SQL("LOCK TABLE ONLY {} IN ACCESS SHARE MODE").format(sql.Identifier(schema, name))
                )
            if taken_over is not None:  # LOCK TABLE takes no snapshot yet: the transaction can still be given one
                connection.execute(importing(taken_over()).encode())
            row = connection.execute("SELECT pg_export_snapshot(), pg_current_snapshot()::text").fetchone()
    except BaseException:
        connection.close()
        raise
    if row is None:
        raise Stop("databases.snapshot_gone", where=str(source))
    return Snapshot("/".join(row), connection)


def exported(snapshot_id: str) -> str:
    """The name under which any session of this database can import it."""
    return snapshot_id.partition("/")[0]


def is_held(source: Database, snapshot_id: str) -> bool:
    """Whether somebody still holds the snapshot, so that it can be imported."""
    with session(source) as connection:
        try:
            import_snapshot(connection, snapshot_id)
        except Stop:
            return False
        finally:
            connection.rollback()
    return True


def sees(snapshot_id: str) -> str:
    """The transactions a snapshot sees: two snapshots that see the same ones are the same moment.

    So a load goes on under a new holder when the source stood still in between, and only then. (Whatever moves rows
    without changing them, VACUUM FULL or TRUNCATE, takes a transaction number too.)
    """
    return snapshot_id.partition("/")[2]


IMPORTING = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
SEES = "SELECT pg_current_snapshot()::text"


def importing(snapshot_id: str) -> str:
    """The statement by which a transaction that is `IMPORTING` takes the snapshot."""
    return sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(exported(snapshot_id))).as_string()


def import_snapshot(connection: Connection, snapshot_id: str) -> None:
    """From here to its end the open transaction's reads come from the snapshot. Raises Stop when it is gone."""
    connection.execute(IMPORTING)
    try:
        connection.execute(importing(snapshot_id).encode())
    except (psycopg.errors.UndefinedObject, psycopg.errors.InvalidParameterValue) as gone:
        raise Stop("databases.snapshot_gone", where=connection.info.dbname) from gone
    row = connection.execute(SEES).fetchone()
    if row is None or row[0] != sees(snapshot_id):
        raise Stop("databases.snapshot_gone", where=connection.info.dbname)
