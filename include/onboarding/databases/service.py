"""The service's login on the target: the source's grants, with writing withheld until release."""

from __future__ import annotations

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.freeze import PATIENCE, Freeze, freeze
from onboarding.databases.grants import Grant, grants, make_exactly
from onboarding.databases.sessions import Connection, session, statement
from onboarding.databases.trials import observe_refusal
from onboarding.databases.writes import open_writes, standing, withhold
from onboarding.errors import Stop
from onboarding.observations import Observation


def ensure_service_role(target: Database, role: str, password: str, source: Database) -> int:
    """The service can log in and read as on the source, and writes nothing; how many privileges are withheld.

    `target` is the master's login to the loaded database. The password travels as a SCRAM verifier made here.
    Called again after the release it changes the password only: it never closes an open service.
    """
    with session(source) as reading:
        wanted = _granted(reading, role)
        settings = reading.execute(statement("settings"), {"role": role}).fetchall()
    with session(target) as connection:
        _ensure_login(connection, role, password)
        before = standing(connection, role)
        if before is not None and before.closed_at is None:
            return 0
        make_exactly(connection, role, {grant for grant in wanted if not grant.writes})
        _apply_settings(connection, role, settings)
        writes = withhold(connection, role, sorted(grant for grant in wanted if grant.writes))
    return len(writes.withheld)


def open_for_writes(target: Database, role: str) -> None:
    """The release: the service may write here, with exactly the privileges it had on the source. Safe to call again."""
    with session(target) as connection:
        if open_writes(connection, role) is None:
            raise Stop("databases.nothing_withheld", where=str(target), role=role)


def close_for_writes(target: Database, role: str) -> Freeze:
    """The way back: the target refuses the service's writes again, as `freeze` does on the source."""
    return freeze(target, role, patience=PATIENCE)


def refuses_writes(service: Database) -> Observation:
    """Proof by trial, with the service's login to the target, that it may read there and writes nothing."""
    with service.connect() as connection:
        return observe_refusal("target_refuses_writes", connection)


def _granted(source: Connection, role: str) -> set[Grant]:
    """What the role has on the source when nothing is frozen: under a freeze, what was taken is still its own."""
    writes = standing(source, role)
    return grants(source, role) | set(writes.withheld if writes is not None else ())


def _ensure_login(connection: Connection, role: str, password: str) -> None:
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    there = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
    verb = "ALTER" if there else "CREATE"
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN NOCREATEDB NOCREATEROLE PASSWORD {}").format(
            sql.SQL(verb), sql.Identifier(role), sql.Literal(verifier)
        )
    )


def _apply_settings(connection: Connection, role: str, settings: list[tuple[bool, str, str]]) -> None:
    """Settings of the role and of the database (a search_path, a time zone): queries mean the same as before."""
    here = sql.Identifier(connection.info.dbname)
    for of_role, name, value in settings:
        whose = (
            sql.SQL("ROLE {} IN DATABASE {}").format(sql.Identifier(role), here)
            if of_role
            else sql.SQL("DATABASE {}").format(here)
        )
        connection.execute(sql.SQL("ALTER {} SET {} = {}").format(whose, sql.Identifier(name), sql.SQL(value)))
