"""Waiting for every open write of a database without ever being the deadlock of somebody who writes there.

All tables have to be locked at once, for an instant, and the service locks several as well, in an order of its own.
When it waits for a table of ours while we wait for one of its own, PostgreSQL ends one of the two after
`deadlock_timeout`: perhaps the service's. So we take turns: locks are held only for as long as nobody who waits for
them looks for a deadlock yet. Who was in the way is let by, and waited for first of all next time, with nothing in our
hands.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

import psycopg
from psycopg import sql

from onboarding.databases.sessions import Connection, statement

LONGEST = 0.5
"""Of `deadlock_timeout`, how much a turn may take at most."""
SHORTEST = LONGEST / 8
"""The first turn: most transactions are over by then, and nobody is held up for longer in vain."""
TURNS = 8
"""So many in vain, and it is no chance."""
LEFT_ALONE_MS = 20
"""Between two turns those who write go on at least that long, and at least as long as they were held up."""


class WritersStay(Exception):
    """Somebody holds a lock for writing for longer than we wait."""


class WritersContend(Exception):
    """Nobody stays, but in every turn somebody was in the way who could not be waited for with tables in our hands."""


def outlast_writers(connection: Connection, deadline: float) -> datetime:
    """Every table is locked against writers until the transaction ends; since when they were held up for it (UTC).

    Nobody has written there without having committed. `deadline`: by `time.monotonic()`. Raises WritersStay then, or
    WritersContend after some turns, with nothing locked.
    """
    timeout_ms = _deadlock_timeout_ms(connection)
    order = [
        sql.Identifier(schema, name).as_string(connection)
        for schema, name in connection.execute(statement("tables")).fetchall()
    ]
    share = SHORTEST
    for _ in range(TURNS):
        began, missed, took_s = _turn(connection, order, share * timeout_ms, deadline)
        if not missed:
            return began
        if time.monotonic() >= deadline:
            raise WritersStay
        order.remove(missed)
        order.insert(0, missed)
        share = min(LONGEST, share * 2)
        time.sleep(max(LEFT_ALONE_MS / 1000, min(took_s, share * timeout_ms / 1000)))
    raise WritersContend


@contextmanager
def stepping_back(connection: Connection) -> Iterator[None]:
    """Whoever stands in our way now, when we hold what others want, is waited for another time: raises WritersStay."""
    limit = max(1, int(SHORTEST * _deadlock_timeout_ms(connection)))
    connection.execute(sql.SQL("SET LOCAL lock_timeout = {}").format(sql.Literal(limit)))
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected) as missed:
        raise WritersStay from missed


def _turn(connection: Connection, order: list[str], turn_ms: float, deadline: float) -> tuple[datetime, str, float]:
    """When it began (the server's clock), the table that was not had (else empty), and how many seconds it took."""
    began, patience = time.monotonic(), max(1, int((deadline - time.monotonic()) * 1000))
    told = {"tables": json.dumps(order), "turn": timedelta(milliseconds=turn_ms), "patience": patience}
    for name, value in told.items():
        connection.execute("SELECT set_config(%s, %s, true)", [f"namrong.{name}", str(value)])
    connection.execute(statement("outlast").encode())
    row = connection.execute(
        "SELECT current_setting('namrong.began')::timestamptz, current_setting('namrong.missed')"
    ).fetchone()
    if row is None:
        raise psycopg.InterfaceError("no turn")
    return row[0], row[1], time.monotonic() - began


def _deadlock_timeout_ms(connection: Connection) -> float:
    row = connection.execute(statement("deadlock_timeout")).fetchone()
    if row is None:
        raise psycopg.InterfaceError("no deadlock_timeout")
    return float(row[0])
