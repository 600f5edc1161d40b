"""The deadline of a freeze: kept by the source's own server, until the switch is committed there.

From `make_permanent` on the freeze does not end by itself any more. It is the commit point of a switch: of this and the
keeper's giving back (keeper.sql) only one can happen, by the lock on the row they both need.
"""

from __future__ import annotations

from datetime import datetime

import psycopg

from onboarding.addresses import Database
from onboarding.databases import keeper
from onboarding.databases.sessions import session, statement
from onboarding.databases.writes import Writes, standing
from onboarding.errors import Stop
from onboarding.observations import Answer, Observation


def hold(source: Database, role: str) -> Writes | None:
    """What stands of the freeze now; its deadline is kept, even if who kept it is gone. None: it never was frozen.

    Raises TryAgain when nobody could be found to keep it.
    """
    with session(source) as connection:
        writes = standing(connection, role)  # locked: it is not lifted while its keeper begins
        if writes is not None and writes.will_expire:
            keeper.ensure_keeper(connection, source, role, writes.keeper)
    return writes


def make_permanent(source: Database, role: str, *, attempt: str = "") -> Writes:
    """The commit point of a switch: the freeze of this attempt ends by itself no more. Safe to call again.

    Raises Stop, and nothing is changed, when it is not there any more or ends within the margin. The margin is for
    people who go by the clock: the keeper and this take turns by the lock on the row, so one of them comes too late
    and sees so, with no margin at all. (Nor may a crash of the server undo what was answered.)
    """
    with session(source) as connection:
        connection.execute("SET LOCAL synchronous_commit = on")
        before = standing(connection, role)  # locked before the clock is asked
        row = before and connection.execute(statement("make_permanent"), {"role": role, "attempt": attempt}).fetchone()
        after = standing(connection, role)
    if row is None or after is None:
        raise _too_late(source, role, before, attempt)
    return after


def observe_permanent(source: Database, role: str) -> Observation:
    """Whether the source is frozen for good: nothing but an unfreeze lets the service write there again."""
    with session(source) as connection:
        writes = standing(connection, role)
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    if row is None:
        raise psycopg.InterfaceError("no clock")
    since = writes.permanent_at if writes is not None else None
    seen = {"permanent": since is not None, "since": since and since.isoformat()}
    answer = Answer.PASS if since is not None else Answer.FAIL
    return Observation(
        "permanent", answer, seen, {"permanent": True}, row[0], "databases.not_permanent", {"role": role}
    )


def demand_own(source: Database, role: str, before: Writes | None, attempt: str) -> None:
    """An attempt whose freeze ended by itself does not freeze again; nor does one adopt another's."""
    if before is None or not attempt:
        return
    if before.closed_at is None and before.expired_at is not None and before.attempt == attempt:
        raise expired(source, before)
    if before.closed_at is not None and before.attempt not in ("", attempt):
        raise Stop("databases.freeze_of_another", where=str(source), role=role)


def _too_late(source: Database, role: str, before: Writes | None, attempt: str) -> Stop:
    if before is None or before.attempt != attempt:
        return Stop("databases.freeze_of_another", where=str(source), role=role)
    if before.closed_at is not None:
        return Stop("databases.too_late", where=str(source), deadline=_said(before.deadline))
    if before.expired_at is not None:
        return expired(source, before)
    return Stop("databases.freeze_lifted", where=str(source), role=role)


def expired(source: Database, writes: Writes) -> Stop:
    """The freeze ended by itself: since when the source takes writes again."""
    return Stop("databases.freeze_expired", where=str(source), since=_said(writes.expired_at))


def _said(at: datetime | None) -> str:
    return at.isoformat(timespec="seconds") if at is not None else "-"
