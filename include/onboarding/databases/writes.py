"""A service's right to write, taken away and given back by the database itself, exactly."""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from datetime import datetime, timedelta
from typing import Any

from psycopg import sql

from onboarding.databases.grants import Grant, grants
from onboarding.databases.sessions import Connection, statement
from onboarding.errors import Stop


@dataclass(frozen=True)
class Terms:
    """For how long writes are closed (None: until somebody opens them), by which attempt, and who sees to it.

    `unsettled`: what was written before may still be to commit.
    """

    within: timedelta | None = None
    attempt: str = ""
    keeper: str = ""
    unsettled: bool = False


@dataclass(frozen=True)
class Writes:
    """Whether a role's writes are closed or open here, since when (UTC, this server's clock), and what is withheld.

    While they are closed: `deadline` is when they open by themselves, None for never; `permanent_at` is since when
    they do so no more. `expired_at` is when the last closing ended by itself. `seen_at` is when all this was read.
    """

    seen_at: datetime
    closed_at: datetime | None
    opened_at: datetime | None
    withheld: tuple[Grant, ...]
    deadline: datetime | None = None
    permanent_at: datetime | None = None
    expired_at: datetime | None = None
    keeper: str = ""
    attempt: str = ""
    unsettled: bool = False

    @property
    def frozen_at(self) -> datetime | None:
        """Since when they are closed, if nothing that was written before is still to commit; else None."""
        return None if self.unsettled else self.closed_at

    @property
    def will_expire(self) -> bool:
        """Whether they are closed, and open by themselves at the deadline."""
        return self.closed_at is not None and self.deadline is not None and self.permanent_at is None


def standing(connection: Connection, role: str) -> Writes | None:
    """What is written down here about the role; None when nothing was ever taken from it. Locks the row."""
    if connection.execute("SELECT to_regclass('namrong.writes')").fetchone() == (None,):
        return None
    # As one document: a table that an earlier version made has fewer columns.
    row = connection.execute(
        "SELECT clock_timestamp(), to_jsonb(held) FROM namrong.writes AS held WHERE role = %s FOR UPDATE", [role]
    ).fetchone()
    return None if row is None else _writes(row[0], row[1])


def _writes(seen_at: datetime, body: dict[str, Any]) -> Writes:
    def at(name: str) -> datetime | None:
        return datetime.fromisoformat(body[name]) if body.get(name) else None

    withheld = tuple(Grant(*fields) for fields in body["withheld"])
    return Writes(
        seen_at, at("closed_at"), at("opened_at"), withheld, at("deadline"), at("permanent_at"), at("expired_at"),
        body.get("keeper") or "", body.get("attempt") or "", bool(body.get("closed_at") and body.get("unsettled")),
    )  # fmt: skip


def ensure_table(connection: Connection) -> None:
    """The table is there, with all its columns. Safe to call again."""
    connection.execute(statement("writes"))


def demand_closable(connection: Connection, role: str) -> None:
    """Revoking the role's own grants would close its writes. Raises Stop when it owns things or is in a group that
    may write. The table is there afterwards.
    """
    _refuse(role, [f"{way} {thing} ({through})" for way, thing, through in other_ways(connection, role)])
    ensure_table(connection)


def close_writes(connection: Connection, role: str, terms: Terms, since: datetime | None) -> Writes:
    """In the open transaction: every writing privilege of the role, and PUBLIC's, is revoked and written down.

    They are closed `since` then (None: since now). Called again it takes what was granted meanwhile and keeps the
    first time and the first terms. Writers are held up meanwhile: everything is revoked in one go. Raises Stop when
    the role could still write: somebody else than the owner granted.
    """
    before = standing(connection, role)
    taken = sorted(grant for grant in grants(connection, role) if grant.writes)
    if taken:
        connection.execute(sql.SQL("; ").join(grant.taken(connection) for grant in taken))
    _refuse(role, [f"granted {grant.privilege} {grant.object}" for grant in grants(connection, role) if grant.writes])
    return _withhold(connection, role, before, taken, terms, since)


def withhold(connection: Connection, role: str, kept_back: list[Grant]) -> Writes:
    """In the open transaction: privileges that are not given yet are written down, to be given by `open_writes`."""
    demand_closable(connection, role)
    return _withhold(connection, role, standing(connection, role), kept_back, Terms())


def _withhold(
    connection: Connection,
    role: str,
    before: Writes | None,
    taken: list[Grant],
    terms: Terms,
    since: datetime | None = None,
) -> Writes:
    still = before if before is not None and before.closed_at is not None else None
    withheld = dict.fromkeys([*(still.withheld if still else ()), *taken])
    told = {
        "role": role,
        "withheld": json.dumps([astuple(grant) for grant in withheld], ensure_ascii=False),
        "giving": json.dumps([grant.given(connection).as_string(connection) for grant in withheld], ensure_ascii=False),
        "since": since,
        "within": terms.within,
        "keeper": terms.keeper,
        "attempt": terms.attempt,
        "unsettled": terms.unsettled,
    }
    connection.execute(statement("withhold"), told)
    now = standing(connection, role)
    if now is None:
        raise Stop("databases.freeze_cannot_hold", where=role, ways="namrong.writes")
    return now


def open_writes(connection: Connection, role: str) -> Writes | None:
    """In the open transaction: everything withheld is given back. None when nothing was ever withheld."""
    before = standing(connection, role)
    if before is None or before.closed_at is None:
        return before
    ensure_table(connection)
    for grant in before.withheld:
        connection.execute(grant.given(connection))
    connection.execute(
        "UPDATE namrong.writes SET withheld = '[]', giving = '[]', closed_at = NULL, opened_at = clock_timestamp(),"
        " deadline = NULL, permanent_at = NULL WHERE role = %s",
        [role],
    )
    return standing(connection, role)


def other_ways(connection: Connection, role: str) -> list[tuple[str, str, str]]:
    """How the role could write beyond its own grants: (way, object, through); see beyond.sql."""
    return [(way, thing, through) for way, thing, through in connection.execute(statement("beyond"), {"role": role})]


def _refuse(role: str, ways: list[str]) -> None:
    if ways:
        raise Stop("databases.freeze_cannot_hold", where=role, ways="; ".join(sorted(ways)[:10]))
