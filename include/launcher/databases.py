"""The programme's databases on one server, each with an owner of its own: Airflow's, the ledger's, Celery's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psycopg
from psycopg import sql

from onboarding import ledger_schema
from onboarding.addresses import Database

LEDGER_OWNER, LEDGER_WRITER = "namrong_ledger_owner", "namrong_ledger_writer"

# Role -> its database. The ledger's owner makes the ledger's roles; it is no superuser, and Airflow does not know it.
OWNERS = {"airflow": "airflow", LEDGER_OWNER: "ledger", "celery": "celery"}


def ensure_databases(connection: psycopg.Connection[Any], passwords: Mapping[str, str]) -> None:
    """The owners named in `passwords`, with those passwords, and their databases; `connection` is a superuser's.

    Safe to repeat. The session must be in autocommit: CREATE DATABASE runs in no transaction.
    """
    for role, password in passwords.items():
        rights = "CREATEROLE" if role == LEDGER_OWNER else "NOCREATEROLE"
        _ensure_role(connection, role, password, rights)
        _ensure_database(connection, OWNERS[role], role)


def ensure_ledger(host: str, port: int, owner_password: str, writer_password: str) -> None:
    """The ledger's tables, and the role that may add to them."""
    owner = Database(host, port, OWNERS[LEDGER_OWNER], LEDGER_OWNER, owner_password)
    ledger_schema.ensure_schema(owner, writer=LEDGER_WRITER, writer_password=writer_password, reader=None)


def _ensure_role(connection: psycopg.Connection[Any], role: str, password: str, rights: str) -> None:
    name = sql.Identifier(role)
    if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
        connection.execute(sql.SQL("CREATE ROLE {}").format(name))
    # Hashed here, so that the server's log never sees it (PostgreSQL, CREATE ROLE: notes on PASSWORD).
    verifier = connection.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    connection.execute(
        sql.SQL("ALTER ROLE {} LOGIN {} PASSWORD {}").format(name, sql.SQL(rights), sql.Literal(verifier))
    )


def _ensure_database(connection: psycopg.Connection[Any], database: str, owner: str) -> None:
    name = sql.Identifier(database)
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [database]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(name, sql.Identifier(owner)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(name))
