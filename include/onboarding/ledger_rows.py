"""Records in and out of the table `ledger.records`."""

from __future__ import annotations

from typing import Any

from onboarding.errors import TryAgain
from onboarding.ledger_connections import Connection
from onboarding.records import Record

_COLUMNS = "seq, at, pilot, kind, subject, run, body, prev_hash, hash"
_INSERT = f"INSERT INTO ledger.records (at, pilot, kind, subject, run, body) VALUES (%s, %s, %s, %s, %s, %s) \
RETURNING {_COLUMNS}"


def insert(connection: Connection, values: tuple[Any, ...]) -> Record:
    """The new record, numbered and chained by the database. `values`: at, pilot, kind, subject, run, body."""
    row = connection.execute(_INSERT, values).fetchone()
    if row is None:
        raise TryAgain("ledger.lost", reason="an INSERT returned nothing")
    return Record(*row)


def read(connection: Connection, condition: str, order: str, values: list[Any]) -> list[Record]:
    """The records for which `condition` holds; the last of `values` is how many at most, None for all."""
    query = f"SELECT {_COLUMNS} FROM ledger.records WHERE {condition} ORDER BY {order} LIMIT %s"
    return [Record(*row) for row in connection.execute(query, values)]


def latest(connection: Connection, pilot: str, kind: str, subject: str | None) -> Record | None:
    """The newest record of that kind, and subject when it is given."""
    condition, values = "pilot = %s AND kind = %s", [pilot, kind]
    if subject is not None:
        condition, values = condition + " AND subject = %s", [*values, subject]
    newest = read(connection, condition, "seq DESC", [*values, 1])
    return newest[0] if newest else None
