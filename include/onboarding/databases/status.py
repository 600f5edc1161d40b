"""How far a load is, and the end of what it kept."""

from __future__ import annotations

from dataclasses import dataclass

from onboarding.addresses import Database
from onboarding.databases.fence import check, label
from onboarding.databases.sessions import Connection, session


@dataclass(frozen=True)
class Status:
    """Parts, rows, large objects and bytes that have arrived; parts and bytes planned (on disk, a measure only)."""

    parts: int
    planned_parts: int
    rows: int
    large_objects: int
    bytes: int
    planned_bytes: int
    finished: bool


NOTHING = Status(0, 0, 0, 0, 0, 0, False)


def status(target: Database, load: str) -> Status:
    """The load's standing, from what lies in the target; all zero when the database is another load's."""
    with session(target) as connection:
        return standing(connection, load)


def standing(connection: Connection, load: str) -> Status:
    """The same, for whoever asks often and keeps a session for it."""
    if connection.execute("SELECT to_regclass('namrong.load')").fetchone() == (None,):
        return NOTHING
    row = connection.execute(
        "SELECT count(c.part), count(p.part),"
        " coalesce(sum(c.rows) FILTER (WHERE p.piece ->> 'kind' = 'rows'), 0)::bigint,"
        " coalesce(sum(c.rows) FILTER (WHERE p.piece ->> 'kind' = 'large_objects'), 0)::bigint,"
        " coalesce(sum(c.bytes), 0)::bigint,"
        " coalesce(sum(p.bytes), 0)::bigint, bool_or(l.finished_at IS NOT NULL)"
        " FROM namrong.load l LEFT JOIN namrong.parts p ON true LEFT JOIN namrong.checkpoints c USING (part)"
        " WHERE l.load = %s HAVING count(*) > 0",
        [load],
    ).fetchone()
    return Status(*row) if row is not None else NOTHING


def clean_up(target: Database, *, load: str, fence: int) -> None:
    """Nothing of the load's own is left on the target but the service's withheld privileges. Safe to call twice.

    For a load that is final: afterwards it can be neither resumed nor told how far it is.
    """
    with session(target, label=label("cleanup", fence)) as connection:
        if connection.execute("SELECT to_regclass('namrong.load')").fetchone() == (None,):
            return
        check(connection, load=load, fence=fence)
        connection.execute("DROP TABLE namrong.checkpoints, namrong.parts, namrong.units, namrong.load")
        connection.execute("DROP FUNCTION namrong.guard_checkpoint()")


def unit_status(target: Database, unit: str) -> tuple[int, int]:
    """Rows and bytes of one unit that have arrived, whichever attempts brought them."""
    with session(target) as connection:
        row = connection.execute(
            "SELECT coalesce(sum(c.rows) FILTER (WHERE p.piece ->> 'kind' = 'rows'), 0)::bigint,"
            " coalesce(sum(c.bytes), 0)::bigint"
            " FROM namrong.checkpoints c JOIN namrong.parts p USING (part) WHERE c.unit = %s",
            [unit],
        ).fetchone()
    return (0, 0) if row is None else (row[0], row[1])
