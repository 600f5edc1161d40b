"""The freeze: the source database itself refuses the service's writes, until it is told otherwise or a deadline passes.

The deadline is kept by the source's own server: see `deadline`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases import keeper
from onboarding.databases.deadline import demand_own
from onboarding.databases.outlasting import WritersContend, WritersStay, outlast_writers, stepping_back
from onboarding.databases.sessions import Connection, session, statement
from onboarding.databases.trials import observe_refusal
from onboarding.databases.writes import Terms, close_writes, demand_closable, ensure_table, open_writes, standing
from onboarding.errors import AskPerson, Stop
from onboarding.observations import Observation

PATIENCE = timedelta(seconds=30)
REHEARSAL_PATIENCE = timedelta(seconds=5)
BETWEEN_TRIES_S = 0.2
SILENT_FOR = "30s"


@dataclass(frozen=True)
class Freeze:
    """Since when writes are refused (UTC, the source's own clock), and how many privileges are withheld.

    The time is taken before the turn that locked every table: writers stall from there, so the freeze is never
    shorter than it says. It ends by itself at the `deadline`, by the same clock; None: it does not.
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

    One transaction: every table is locked against writers, and then privileges are revoked and written down. Who
    holds a lock has not committed yet and is waited for (let by, where we would be its deadlock: `outlasting`); who
    waits for one finds its privilege gone. Where so many write in so many orders that this comes to nothing,
    privileges are revoked first, and then is waited: an open transaction's next write is refused. After `patience` the
    role's own writing sessions are ended, if the login may (same role, or pg_signal_backend).
    With `within` the source itself gives everything back when that much time has passed, whatever becomes of us: who
    sees to it is at work before the freeze is committed.
    Safe to call again; the first time and the first deadline stay. Raises Stop when it could not hold, when the
    freeze of this very `attempt` has ended by itself, or when another attempt's stands; AskPerson when writers stay.
    """
    terms, ended = Terms(within, attempt), False
    deadline = time.monotonic() + patience.total_seconds()
    while True:
        try:
            done = _freeze_once(source, role, deadline, terms)
            if not terms.unsettled:
                return done
            terms = replace(terms, unsettled=False)
        except WritersContend:
            terms = replace(terms, unsettled=True)
        except WritersStay:
            if time.monotonic() < deadline:
                time.sleep(BETWEEN_TRIES_S)
                continue
            if ended or not _end_writers(source, role):
                _reopen_unsettled(source, role)
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
    """Since when the role is frozen, with nothing left to commit; None when it is not."""
    with session(source) as connection:
        writes = standing(connection, role)
    return None if writes is None else writes.frozen_at


def rehearse_freeze(source: Database, role: str) -> float:
    """Seconds that a freeze takes on this database now: all of it is done, and rolled back.

    Writers stall for that long at most. Where a real one would have to revoke first, it is not gone that far. Raises as
    `freeze` does.
    """
    began = time.monotonic()
    try:
        with session(source) as connection:
            _freeze(connection, role, began + REHEARSAL_PATIENCE.total_seconds(), Terms())
            connection.rollback()
    except WritersContend:
        pass
    except WritersStay:
        raise AskPerson("databases.writers_stay", where=str(source), who=_writers(source)) from None
    return time.monotonic() - began


def observe_frozen(service: Database, opened: Connection | None = None) -> Observation:
    """Proof by trial with the service's own login; pass `opened`, a session from before, to prove it there."""
    if opened is not None:
        return observe_refusal("frozen", opened)
    with service.connect() as connection:
        return observe_refusal("frozen", connection)


def _freeze_once(source: Database, role: str, deadline: float, terms: Terms) -> Freeze:
    """One try, in one transaction. Raises WritersStay, or WritersContend."""
    with session(source) as connection:
        if terms.within is None:
            return _freeze(connection, role, deadline, terms)
        return _freeze_kept(connection, source, role, deadline, replace(terms, keeper=keeper.new_name()))


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


def _freeze(connection: Connection, role: str, deadline: float, terms: Terms) -> Freeze:
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        raise Stop("databases.no_such_role", where=connection.info.dbname, role=role)
    demand_closable(connection, role)
    since = None if terms.unsettled else outlast_writers(connection, deadline)
    with stepping_back(connection):
        writes = close_writes(connection, role, terms, since)
    if writes.closed_at is None:
        raise Stop("databases.freeze_cannot_hold", where=role, ways="namrong.writes")
    return Freeze(role, writes.closed_at, len(writes.withheld), writes.deadline)


def _reopen_unsettled(source: Database, role: str) -> None:
    """Nothing stays half frozen: who still writes goes on."""
    with session(source) as connection:
        found = standing(connection, role)
        if found is not None and found.unsettled:
            open_writes(connection, role)


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
