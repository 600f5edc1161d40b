"""The ledger's database made ready: tables, triggers, views, and roles that can add and read but never change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.errors import Stop

SQL = Path(__file__).resolve().parent.parent / "sql" / "ledger.sql"

Connection = psycopg.Connection[Any]

# Everyone who sets up takes this lock first: CREATE … IF NOT EXISTS alone is not safe side by side.
_SETUP_LOCK = 31069370137407080


def ensure_schema(owner: Database, *, writer: str, writer_password: str, reader: str | None) -> None:
    """Everything in place, in one transaction; repeating it changes nothing but the writer's password.

    `owner` owns the database and may create roles. `writer` may INSERT and SELECT, `reader` (made without a login
    when it does not exist) may SELECT. Raises Stop when the database is not UTF-8: the chain hashes bytes.
    """
    with owner.connect() as connection:
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SETUP_LOCK,))
        encoding = connection.execute("SHOW server_encoding").fetchone()
        if encoding != ("UTF8",):
            raise Stop("ledger.not_utf8", where=str(owner), encoding=encoding)
        connection.execute(SQL.read_bytes())
        _ensure_role(connection, writer, writer_password)
        if reader is not None:
            _ensure_role(connection, reader, None)
        _grant(connection, owner, writer, reader)


def _ensure_role(connection: Connection, name: str, password: str | None) -> None:
    role = sql.Identifier(name)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (name,)).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE").format(role))
    if password is not None:
        # Hashed here, so that the server's log never sees it (PostgreSQL, CREATE ROLE: notes on PASSWORD).
        verifier = connection.pgconn.encrypt_password(password.encode(), name.encode(), b"scram-sha-256").decode()
        connection.execute(sql.SQL("ALTER ROLE {} LOGIN PASSWORD {}").format(role, sql.Literal(verifier)))


def _grant(connection: Connection, owner: Database, writer: str, reader: str | None) -> None:
    database = sql.Identifier(owner.name)
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
    connection.execute("REVOKE ALL ON SCHEMA public FROM PUBLIC")
    for name in filter(None, (writer, reader)):
        role = sql.Identifier(name)
        for statement in (
            "REVOKE ALL ON DATABASE {database} FROM {role}",
            "REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM {role}",
            "REVOKE ALL ON SCHEMA ledger FROM {role}",
            "GRANT CONNECT ON DATABASE {database} TO {role}",
            "GRANT USAGE ON SCHEMA ledger TO {role}",
            "GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO {role}",
        ):
            connection.execute(sql.SQL(statement).format(database=database, role=role))
    connection.execute(sql.SQL("GRANT INSERT ON ledger.records TO {}").format(sql.Identifier(writer)))
