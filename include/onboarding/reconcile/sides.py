"""One server as the verifier reads it: pinned settings, one snapshot for everything, a bounded number of streams."""

from __future__ import annotations

import queue
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.errors import Stop, TryAgain
from onboarding.reconcile.canonical import PINNED, Encoding, HashName
from onboarding.reconcile.pace import Pace

Connection = psycopg.Connection[tuple[Any, ...]]

CHECKS_CLIENT_SINCE = 140_000

PROBE = "Namrong 1.0"  # ASCII: it is the byte order that is asked for, not the encoding


class Unreadable(Exception):
    """A table the server would not let us read, or not in time: unknown, never equal. Holds no row data."""


@dataclass(frozen=True)
class Side:
    """A server under one REPEATABLE READ snapshot, lent out as connections that all see that snapshot."""

    database: Database
    snapshot: str
    version: int
    idle: queue.Queue[tuple[Connection, Pace]]

    @contextmanager
    def lease(self) -> Iterator[Connection]:
        """A connection inside a read-only transaction on the snapshot; waits until one is free."""
        connection, pace = self.idle.get()
        try:
            with pace.work(), connection.transaction(force_rollback=True):
                connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                connection.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(sql.Literal(self.snapshot)))
                yield connection
        except psycopg.Error as failure:
            raise _explained(failure, connection, self.database) from failure
        finally:
            self.idle.put((connection, pace))

    def ask(self, query: sql.Composed | LiteralString, values: Any = None) -> list[tuple[Any, ...]]:
        """All rows of one query on the snapshot."""
        with self.lease() as connection:
            rows: list[tuple[Any, ...]] = connection.execute(query, values).fetchall()
        return rows


@contextmanager
def reading(
    database: Database, *, streams: int, statement_timeout_s: int, snapshot: str = "", share: float = 1
) -> Iterator[Side]:
    """A `Side` with `streams` connections; one more holds the snapshot. All are closed at the end.

    Each stream asks one query after the other and keeps the server at work for that `share` of the time.
    `snapshot` is the exported name of one that somebody else holds: then that moment is read, and not now.
    """
    with ExitStack() as opened:
        connections = [opened.enter_context(closing(pinned(database, statement_timeout_s))) for _ in range(streams + 1)]
        holder, *lent = connections
        opened.enter_context(holder.transaction(force_rollback=True))
        holder.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        exported = (snapshot,) if snapshot else holder.execute("SELECT pg_export_snapshot()").fetchone()
        idle: queue.Queue[tuple[Connection, Pace]] = queue.Queue()
        for connection in lent:
            idle.put((connection, Pace(share)))
        yield Side(database, str(exported[0]) if exported else "", holder.info.server_version, idle)


def pinned(database: Database, statement_timeout_s: int) -> Connection:
    """An autocommit connection whose settings are pinned, and read back to be sure."""
    connection = database.connect(autocommit=True)
    try:
        wanted = PINNED | {"statement_timeout": f"{statement_timeout_s}s"}
        if connection.info.server_version >= CHECKS_CLIENT_SINCE:
            wanted["client_connection_check_interval"] = "10s"  # a killed comparison stops loading the server
        for setting, value in wanted.items():
            connection.execute("SELECT set_config(%s, %s, false)", [setting, value])
        for setting in ("timezone", "datestyle", "intervalstyle", "extra_float_digits", "bytea_output", "row_security"):
            shown = connection.execute("SELECT current_setting(%s)", [setting]).fetchone()
            if shown is None or shown[0] != PINNED[setting]:
                raise Stop("reconcile.setting_not_pinned", where=str(database), setting=setting, found=shown)
    except BaseException:
        connection.close()
        raise
    return connection


def agreed_encoding(source: Side, target: Side) -> Encoding:
    """The fast encoding if both servers hash a probe alike; whether text must be brought to UTF-8 first."""
    fast = Encoding("fast").first(sql.Literal(PROBE))
    probe = sql.SQL("SELECT {}, current_setting('server_encoding')").format(fast)
    (ours, our_encoding), (theirs, their_encoding) = source.ask(probe)[0], target.ask(probe)[0]
    name: HashName = "fast" if ours == theirs else "portable"
    return Encoding(name, transcode=our_encoding != their_encoding)


def _explained(failure: psycopg.Error, connection: Connection, database: Database) -> Exception:
    """A lost connection is worth another try; anything else makes what was read unknown."""
    if connection.closed or connection.broken:
        return TryAgain("reconcile.connection_lost", where=str(database), reason=type(failure).__name__)
    # never the server's text: it may quote a row
    return Unreadable(f"{type(failure).__name__} {failure.sqlstate or ''}".strip())
