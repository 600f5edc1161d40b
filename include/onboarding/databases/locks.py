"""Tables that cannot be read because somebody holds them: found before a copy waits for them without end."""

from __future__ import annotations

import time
from datetime import timedelta

from onboarding.addresses import Database
from onboarding.databases.sessions import session, statement
from onboarding.errors import AskPerson

PATIENCE = timedelta(seconds=10)
"""A statement that changes a table is done by then; a forgotten session is not."""
BETWEEN_LOOKS_S = 0.5


def demand_readable(source: Database, patience: timedelta = PATIENCE) -> None:
    """No table is locked against reading; waited for at most `patience`. Raises AskPerson naming table and session."""
    deadline = time.monotonic() + patience.total_seconds()
    with session(source, autocommit=True) as connection:
        while found := connection.execute(statement("lockers")).fetchall():
            if time.monotonic() > deadline:
                who = "; ".join(f"{table}: pid {pid} ({role}, {since or '?'})" for table, pid, role, since in found)
                raise AskPerson("databases.locked", where=str(source), who=who)
            time.sleep(BETWEEN_LOOKS_S)
