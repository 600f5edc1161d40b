"""The freeze: the source database itself refuses the service's writes, until it is told otherwise or a deadline passes.

The deadline is kept by the source's own server: see `deadline`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases import keeper
from onboarding.databases.deadline import demand_own
from onboarding.databases.sessions import Connection, session, statement
from onboarding.databases.trials import observe_refusal
from onboarding.databases.writes import Terms, close_writes, ensure_table, open_writes, standing
from onboarding.errors import AskPerson, Stop
from onboarding.observations import Observation

PATIENCE = timedelta(seconds=30)
REHEARSAL_PATIENCE = timedelta(seconds=5)
BETWEEN_TRIES_S = 0.2
SILENT_FOR = "30s"


@dataclass(frozen=True)
class Freeze:
    """Since when writes are refused (UTC, the source's own clock), and how many privileges are withheld.

    The time is taken before the first table is locked: writers stall from there, so the freeze is never shorter
    than it says. It ends by itself at the `deadline`, by the same clock; None: it does not.
    """

    role: str
    at: datetime
    withheld: int
    deadline: datetime | None = None


def freeze(
    source: Database,
    role: str,
    *,
    within: timedelta | None = None,
    attempt: str = "",
    patience: timedelta = PATIENCE,
) -> Freeze:
    """The role's writes are refused, in sessions that are open too, and none of its transactions is still to commit.

    One transaction: privileges are revoked and written down, then every table is locked against writers for an
    instant. Who holds a lock has not committed yet and is waited for; who waits for one finds its privilege gone.
    After `patience` the role's own writing sessions are ended, if the login may (same role, or pg_signal_backend).
    With `within` the source itself gives everything back when that much time has passed, whatever becomes of us: who
    sees to it is at work before the freeze is committed.
    Safe to call again; the first time and the first deadline stay. Raises Stop when it could not hold, when the
    freeze of this very `attempt` has ended by itself, or when another attempt's stands; AskPerson when writers stay.
    """
    deadline = time.monotonic() + patience.total_seconds()
    ended = False
    while True:
        try:
            with session(source) as connection:
                if within is None:
                    return _freeze(connection, role, deadline)
                return _freeze_kept(connection, source, role, deadline, Terms(within, attempt, keeper.new_name()))
        except WritersStay:
            if time.monotonic() < deadline:
                time.sleep(BETWEEN_TRIES_S)
                continue
            if ended or not _end_writers(source, role):
                raise AskPerson("databases.writers_stay", where=str(source), who=_writers(source)) from None
            ended, deadline = True, time.monotonic() + patience.total_seconds()


def unfreeze(source: Database, role: str) -> datetime | None:
    """The role may write again, with exactly the privileges it had; since when (UTC), None if it never was frozen.

    One transaction. Safe to call again.
    """
    with session(source) as connection:
        writes = open_writes(connection, role)
    return None if writes is None else writes.opened_at


def frozen_at(source: Database, role: str) -> datetime | None:
    """Since when the role is frozen, None when it is not."""
    with session(source) as connection:
        writes = standing(connection, role)
    return None if writes is None else writes.closed_at


def rehearse_freeze(source: Database, role: str) -> float:
    """Seconds that a freeze takes on this database now: all of it is done, and rolled back.

    Writers stall for that long. Raises as `freeze` does.
    """
    began = time.monotonic()
    try:
        with session(source) as connection:
            _freeze(connection, role, began + REHEARSAL_PATIENCE.total_seconds())
            connection.rollback()
    except WritersStay:
        raise AskPerson("databases.writers_stay", where=str(source), who=_writers(source)) from None
    return time.monotonic() - began


def observe_frozen(service: Database, opened: Connection | None = None) -> Observation:
    """Proof by trial with the service's own login; pass `opened`, a session from before, to prove it there."""
    if opened is not None:
        return observe_refusal("frozen", opened)
    with service.connect() as connection:
        return observe_refusal("frozen", connection)


class WritersStay(Exception):
    """Somebody holds a lock for writing for longer than we wait."""


def _freeze_kept(connection: Connection, source: Database, role: str, deadline: float, terms: Terms) -> Freeze:
    """A freeze with a keeper: at work before anything is revoked, and still so before it is committed."""
    ensure_table(connection)
    connection.commit()  # the keeper has to see it
    before = standing(connection, role)
    demand_own(source, role, before, terms.attempt)
    connection.execute("SET LOCAL synchronous_commit = on")
    # Should we stall with every table locked, the server gives up on us.
    connection.execute(sql.SQL("SET LOCAL idle_in_transaction_session_timeout = {}").format(sql.Literal(SILENT_FOR)))
    keeper.announce(connection, terms.keeper)
    if before is None or before.closed_at is None:
        keeper.ensure_keeper(connection, source, role, terms.keeper)
    done = _freeze(connection, role, deadline, terms)
    writes = standing(connection, role)
    if writes is not None and writes.will_expire:
        keeper.ensure_keeper(connection, source, role, writes.keeper)
    return done


def _freeze(connection: Connection, role: str, deadline: float, terms: Terms | None = None) -> Freeze:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        raise Stop("databases.no_such_role", where=connection.info.dbname, role=role)
    writes = close_writes(connection, role, terms)
    _outlast_writers(connection, deadline)
    if writes.closed_at is None:
        raise Stop("databases.freeze_cannot_hold", where=role, ways="namrong.writes")
    return Freeze(role, writes.closed_at, len(writes.withheld), writes.deadline)


def _outlast_writers(connection: Connection, deadline: float) -> None:
    for schema, name in connection.execute(statement("tables")).fetchall():
        left = max(1, int((deadline - time.monotonic()) * 1000))
        connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(left)))
        with _lock_missed():
            connection.execute(sql.SQL("LOCK TABLE ONLY {} IN SHARE MODE").format(sql.Identifier(schema, name)))


@contextmanager
def _lock_missed() -> Iterator[None]:
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as missed:
        raise WritersStay from missed


def _end_writers(source: Database, role: str) -> bool:
    """Ends the role's sessions that hold locks for writing; False when this login may not."""
    with session(source, autocommit=True) as connection:
        may = connection.execute(
            "SELECT pg_has_role(current_user, %s, 'USAGE') OR pg_has_role(current_user, 'pg_signal_backend', 'USAGE')",
            [role],
        ).fetchone()
        if may != (True,):
            return False
        for pid, holder, _since in connection.execute(statement("writers")).fetchall():
            if holder == role and pid:
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
        return True


def _writers(source: Database) -> str:
    """Who holds locks for writing: process, role and since when, never what was asked."""
    with session(source, autocommit=True) as connection:
        rows = connection.execute(statement("writers")).fetchall()
    return "; ".join(f"pid {pid} ({role}, {since or '?'})" for pid, role, since in rows) or "-"
