"""Proof by trial that a login cannot write: each statement is really asked, in a savepoint that is rolled back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import psycopg
from psycopg import sql

from onboarding.databases.sessions import Connection, statement
from onboarding.observations import Answer, Observation

TRIAL_TIMEOUT_MS = 5_000
REFUSED = "42501"  # insufficient_privilege (PostgreSQL's appendix A)
SHOWN = 10


@dataclass
class Trial:
    """How many statements were tried; those that were not refused, could not be told, or could not read."""

    tried: int = 0
    accepted: list[str] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, list[str]]:
        """What may be shown: the first few of each."""
        return {
            "accepted": self.accepted[:SHOWN],
            "untold": self.untold[:SHOWN],
            "unreadable": self.unreadable[:SHOWN],
        }


def observe_refusal(check: str, connection: Connection) -> Observation:
    """Passes when this session may read and every INSERT, UPDATE, DELETE and nextval it tries is refused.

    A zero-row UPDATE or DELETE is refused like any other, and a role's read-only default is lifted first: it is
    privilege that refuses, not a setting which the client can change.
    """
    row = connection.execute("SELECT clock_timestamp()").fetchone()
    connection.rollback()
    trial = _try_all(connection)
    connection.rollback()
    if row is None:
        raise psycopg.InterfaceError("no clock")
    seen = partial(Observation, check, observed=trial.as_json(), expected=Trial().as_json(), at=row[0])
    if trial.accepted:
        first = "; ".join(trial.accepted[:SHOWN])
        return seen(Answer.FAIL, why="databases.writes_accepted", values={"count": len(trial.accepted), "first": first})
    if trial.unreadable:
        return seen(Answer.FAIL, why="databases.reads_refused", values={"first": "; ".join(trial.unreadable[:SHOWN])})
    if trial.untold or not trial.tried:
        counts = {"count": len(trial.untold), "tried": trial.tried}
        return seen(Answer.UNKNOWN, why="databases.writes_untold", values=counts)
    return seen(Answer.PASS)


def _try_all(connection: Connection) -> Trial:
    trial = Trial()
    connection.execute("SET TRANSACTION READ WRITE; SET default_transaction_read_only = off; SET row_security = on")
    connection.execute(f"SET LOCAL statement_timeout = {TRIAL_TIMEOUT_MS}; SET LOCAL search_path = ''")
    for label, readable, wanted in _statements(connection):
        state = _asked(connection, wanted)
        if readable:
            if state is not None:
                trial.unreadable.append(label)
            continue
        trial.tried += 1
        if state is not None and state.startswith(("57", "55", "40")):
            trial.untold.append(label)
        elif state != REFUSED:
            trial.accepted.append(label)
    return trial


def _asked(connection: Connection, wanted: sql.Composed) -> str | None:
    """The SQLSTATE it was refused with, None when it was done (and undone)."""
    try:
        with connection.transaction(force_rollback=True):
            connection.execute(wanted)
    except psycopg.OperationalError as failure:
        if failure.sqlstate is None or connection.closed:
            raise
        return failure.sqlstate
    except psycopg.Error as failure:
        return failure.sqlstate or ""
    return None


def _statements(connection: Connection) -> Iterator[tuple[str, bool, sql.Composed]]:
    """(label, is it a read, statement) for every table and sequence of the agency's own."""
    for kind, schema, name, column, readable in connection.execute(statement("trials")).fetchall():
        thing = sql.Identifier(schema, name)
        label = f"{schema}.{name}"
        if kind == "S":
            quoted = thing.as_string(connection)
            yield f"nextval {label}", False, sql.SQL("SELECT nextval({})").format(sql.Literal(quoted))
            continue
        yield f"INSERT {label}", False, sql.SQL("INSERT INTO {} DEFAULT VALUES").format(thing)
        yield f"DELETE {label}", False, sql.SQL("DELETE FROM {} WHERE false").format(thing)
        if column is not None:
            setting = sql.SQL("UPDATE {} SET {} = DEFAULT WHERE false").format(thing, sql.Identifier(column))
            yield f"UPDATE {label}", False, setting
        if readable:
            yield f"SELECT {label}", True, sql.SQL("SELECT 1 FROM {} LIMIT 1").format(thing)
