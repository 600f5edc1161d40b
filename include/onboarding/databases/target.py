"""The empty database a load goes into, made on the instance under a fence that outlives it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.fence import LOCK_PATIENCE_MS, end_older_sessions, label
from onboarding.databases.sessions import Connection, session, statement
from onboarding.errors import Stop

CONTROL = "namrong"

REGISTRY = """
CREATE TABLE IF NOT EXISTS public.loads (
    database text PRIMARY KEY, load text NOT NULL, token bigint NOT NULL, ready boolean NOT NULL
)
"""


def ensure_empty_database(admin: Database, name: str, *, load: str, fence: int, source: Database) -> Database:
    """The database `name` made for this load, with the source's encoding and collation; the master is its owner.

    Called again for the same load it keeps what is there and raises the fence; for another load it drops and
    makes anew, ending every connection. `admin` is the master's login to any database of the instance.
    Raises Stop when a newer attempt was here.
    """
    _ensure_control(admin)
    with session(replace(admin, name=CONTROL), autocommit=True, label=label(_unit(name), fence)) as control:
        _take(control, name, load, fence)
        _lock(control, name, fence)
        if _ready(control, name):
            _raise_fence(replace(admin, name=name), load, fence)
        else:
            _set_ready(control, name, fence, False)  # somebody may have dropped it by hand
            _make(control, replace(admin, name=name), source, load, fence)
            _set_ready(control, name, fence, True)
    return replace(admin, name=name)


@dataclass(frozen=True)
class Taken:
    """A database's next token, and the load that held it before; empty when there was none."""

    fence: int
    load: str


def take(admin: Database, name: str) -> Taken:
    """The next token of the database `name`, for whoever has no ledger to count them; whoever came before is fenced."""
    _ensure_control(admin)
    with session(replace(admin, name=CONTROL), autocommit=True) as control:
        row = control.execute(
            "INSERT INTO public.loads AS held (database, load, token, ready) VALUES (%s, '', 1, false)"
            " ON CONFLICT (database) DO UPDATE SET token = held.token + 1 RETURNING token, load",
            [name],
        ).fetchone()
    if row is None:
        raise Stop("databases.refused", where=name, reason="loads", sqlstate="")
    return Taken(row[0], row[1])


def drop_database(admin: Database, name: str, *, fence: int) -> None:
    """No such database any more; the fence stays. Safe to call twice."""
    _ensure_control(admin)
    with session(replace(admin, name=CONTROL), autocommit=True, label=label(_unit(name), fence)) as control:
        _take(control, name, "", fence)
        _lock(control, name, fence)
        _drop(control, name)


def _ensure_control(admin: Database) -> None:
    with session(admin, autocommit=True) as connection:
        there = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [CONTROL]).fetchone()
        if there is None:
            try:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(CONTROL)))
                connection.execute(sql.SQL("REVOKE CONNECT ON DATABASE {} FROM PUBLIC").format(sql.Identifier(CONTROL)))
            except (psycopg.errors.DuplicateDatabase, psycopg.errors.UniqueViolation):
                pass  # another workload's first load of this instance came first
    with session(replace(admin, name=CONTROL), autocommit=True) as connection:
        connection.execute("SELECT pg_advisory_lock(0)")  # CREATE … IF NOT EXISTS alone may collide
        connection.execute(REGISTRY)


def _unit(name: str) -> str:
    """One database's attempts are told apart from another's on the same instance."""
    return "target" + hashlib.sha256(name.encode()).hexdigest()[:12]


def _take(control: Connection, name: str, load: str, fence: int) -> None:
    """Raises the token first of all, so that an older attempt stops at its next look."""
    raised = control.execute(
        "INSERT INTO public.loads AS held (database, load, token, ready) VALUES (%s, %s, %s, false)"
        " ON CONFLICT (database) DO UPDATE SET token = excluded.token, load = excluded.load,"
        " ready = held.ready AND held.load = excluded.load"
        " WHERE held.token <= excluded.token RETURNING token",
        [name, load, fence],
    ).fetchone()
    if raised is None:
        raise Stop("databases.fenced", where=name)


def _lock(control: Connection, name: str, fence: int) -> None:
    """One attempt at a time, in the very session that drops and creates: ending it ends what it could still do."""
    control.execute(f"SET lock_timeout = {LOCK_PATIENCE_MS}")
    end_older_sessions(control, _unit(name), fence)
    control.execute("SELECT pg_advisory_lock(hashtextextended(%s, 1))", [name])
    control.execute("SET lock_timeout = 0")
    held = control.execute("SELECT token FROM public.loads WHERE database = %s", [name]).fetchone()
    if held is None or held[0] != fence:
        raise Stop("databases.fenced", where=name)


def _ready(control: Connection, name: str) -> bool:
    row = control.execute(
        "SELECT ready AND EXISTS (SELECT FROM pg_database WHERE datname = database)"
        " FROM public.loads WHERE database = %s",
        [name],
    ).fetchone()
    return row is not None and bool(row[0])


def _set_ready(control: Connection, name: str, fence: int, ready: bool) -> None:
    control.execute("UPDATE public.loads SET ready = %s WHERE database = %s AND token = %s", [ready, name, fence])


def _make(control: Connection, target: Database, source: Database, load: str, fence: int) -> None:
    _drop(control, target.name)
    control.execute(
        sql.SQL("CREATE DATABASE {} TEMPLATE template0 {}").format(sql.Identifier(target.name), _locale(source))
    )
    with session(target, label=label(_unit(target.name), fence)) as connection:
        connection.execute(statement("load"))
        connection.execute("INSERT INTO namrong.load (load, token) VALUES (%s, %s)", [load, fence])


def _drop(control: Connection, name: str) -> None:
    control.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _locale(source: Database) -> sql.Composable:
    """The source's encoding and collation: order, upper case and every text index depend on them."""
    with session(source) as connection:
        row = connection.execute(statement("locale")).fetchone()
    if row is None:
        raise Stop("databases.refused", where=str(source), reason="pg_database", sqlstate="")
    encoding, provider, collate, ctype, locale, rules = row
    options = {"ENCODING": encoding, "LC_COLLATE": collate, "LC_CTYPE": ctype, "LOCALE_PROVIDER": provider}
    if provider != "libc":
        options["BUILTIN_LOCALE" if provider == "builtin" else "ICU_LOCALE"] = locale
    if rules:
        options["ICU_RULES"] = rules
    return sql.SQL(" ").join(
        sql.SQL("{} = {}").format(sql.SQL(option), sql.Literal(value)) for option, value in options.items()
    )


def _raise_fence(target: Database, load: str, fence: int) -> None:
    with session(target, label=label(_unit(target.name), fence)) as connection:
        raised = connection.execute(
            "UPDATE namrong.load SET token = %s WHERE load = %s AND token <= %s RETURNING token", [fence, load, fence]
        ).fetchone()
    if raised is None:
        raise Stop("databases.fenced", where=str(target))
