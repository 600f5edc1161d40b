"""A service's right to write, taken away and given back by the database itself, exactly."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from datetime import datetime

from onboarding.databases.grants import Grant, grants
from onboarding.databases.sessions import Connection, statement
from onboarding.errors import Stop


@dataclass(frozen=True)
class Writes:
    """Whether a role's writes are closed or open here, since when (UTC), and what is withheld from it."""

    closed_at: datetime | None
    opened_at: datetime | None
    withheld: tuple[Grant, ...]


def standing(connection: Connection, role: str) -> Writes | None:
    """What is written down here about the role; None when nothing was ever taken from it. Locks the row."""
    if connection.execute("SELECT to_regclass('namrong.writes')").fetchone() == (None,):
        return None
    row = connection.execute(
        "SELECT closed_at, opened_at, withheld FROM namrong.writes WHERE role = %s FOR UPDATE", [role]
    ).fetchone()
    return None if row is None else Writes(row[0], row[1], tuple(Grant(*fields) for fields in row[2]))


def close_writes(connection: Connection, role: str) -> Writes:
    """In the open transaction: every writing privilege of the role, and PUBLIC's, is revoked and written down.

    Called again it takes what was granted meanwhile and keeps the first time. Raises Stop when the role could still
    write: it owns things, is in a group that may write, or somebody else than the owner granted.
    """
    _refuse(role, [f"{way} {thing} ({through})" for way, thing, through in other_ways(connection, role)])
    connection.execute(statement("writes"))
    before = standing(connection, role)
    taken = sorted(grant for grant in grants(connection, role) if grant.writes)
    for grant in taken:
        connection.execute(grant.taken(connection))
    _refuse(role, [f"granted {grant.privilege} {grant.object}" for grant in grants(connection, role) if grant.writes])
    return _withhold(connection, role, before, taken)


def withhold(connection: Connection, role: str, kept_back: list[Grant]) -> Writes:
    """In the open transaction: privileges that are not given yet are written down, to be given by `open_writes`."""
    _refuse(role, [f"{way} {thing} ({through})" for way, thing, through in other_ways(connection, role)])
    connection.execute(statement("writes"))
    return _withhold(connection, role, standing(connection, role), kept_back)


def _withhold(connection: Connection, role: str, before: Writes | None, taken: list[Grant]) -> Writes:
    still = before if before is not None and before.closed_at is not None else None
    withheld = dict.fromkeys([*(still.withheld if still else ()), *taken])
    connection.execute(
        "INSERT INTO namrong.writes AS held (role, withheld, closed_at) VALUES (%s, %s, clock_timestamp())"
        " ON CONFLICT (role) DO UPDATE SET withheld = excluded.withheld,"
        " closed_at = coalesce(held.closed_at, excluded.closed_at), opened_at = NULL",
        [role, json.dumps([astuple(grant) for grant in withheld], ensure_ascii=False)],
    )
    now = standing(connection, role)
    if now is None:
        raise Stop("databases.freeze_cannot_hold", where=role, ways="namrong.writes")
    return now


def open_writes(connection: Connection, role: str) -> Writes | None:
    """In the open transaction: everything withheld is given back. None when nothing was ever withheld."""
    before = standing(connection, role)
    if before is None or before.closed_at is None:
        return before
    for grant in before.withheld:
        connection.execute(grant.given(connection))
    connection.execute(
        "UPDATE namrong.writes SET withheld = '[]', closed_at = NULL, opened_at = clock_timestamp() WHERE role = %s",
        [role],
    )
    return standing(connection, role)


def other_ways(connection: Connection, role: str) -> list[tuple[str, str, str]]:
    """How the role could write beyond its own grants: (way, object, through); see beyond.sql."""
    return [(way, thing, through) for way, thing, through in connection.execute(statement("beyond"), {"role": role})]


def _refuse(role: str, ways: list[str]) -> None:
    if ways:
        raise Stop("databases.freeze_cannot_hold", where=role, ways="; ".join(sorted(ways)[:10]))
