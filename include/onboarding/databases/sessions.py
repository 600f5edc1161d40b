"""Sessions whose answers do not depend on anybody's settings, and whose failures say who acts next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.errors import OnboardingError, Stop, TryAgain

Connection = psycopg.Connection[Any]

SQL = Path(__file__).resolve().parents[2] / "sql" / "databases"

# As pg_dump pins them (src/bin/pg_dump/pg_dump.c, setup_connection): text must mean the same on both sides,
# a policy must refuse rather than hide rows, and no timeout of the role's may end a long copy.
PINNED = """
SET client_encoding = 'UTF8'; SET timezone = 'UTC'; SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres';
SET extra_float_digits = 3; SET bytea_output = 'hex'; SET xmloption = 'content'; SET row_security = off;
SET default_transaction_isolation = 'read committed'; SET default_transaction_read_only = off;
SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
SET lc_monetary = 'C'; SET synchronize_seqscans = off; SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10;
SET search_path = '';
"""

# PostgreSQL's appendix A: connection exceptions, resources, operator intervention, retriable locks and conflicts.
PASSING = ("08", "53", "57", "58", "40001", "40P01", "55P03", "25P03")


@contextmanager
def session(database: Database, *, autocommit: bool = False, label: str = "") -> Iterator[Connection]:
    """A pinned session; `label` tells the server whose it is (`application_name`)."""
    with told(str(database)), database.connect(autocommit=True) as connection:
        connection.execute(PINNED)
        if label:
            connection.execute(sql.SQL("SET application_name = {}").format(sql.Literal(label)))
        connection.autocommit = autocommit
        yield connection


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turns the server's errors into ours, without the values of rows that PostgreSQL puts into its details."""
    try:
        yield
    except psycopg.Error as failure:
        raise explained(where, failure.sqlstate or "", without_values(failure)) from failure


def explained(where: str, state: str, reason: str) -> OnboardingError:
    """What a server's error (SQLSTATE; empty when the connection broke) means for us; `reason` quotes no row."""
    if state == "NR001":
        return Stop("databases.fenced", where=where)
    if state == "NR002":
        return Stop("databases.mixed_snapshot", where=where)
    if not state or state.startswith(PASSING):
        return TryAgain("databases.interrupted", where=where, reason=reason)
    return Stop("databases.refused", where=where, reason=reason, sqlstate=state)


def without_values(failure: psycopg.Error) -> str:
    """The kind of the error and the objects it names; never its text, which may quote a citizen's row."""
    named = failure.diag
    return named_only(failure, named.schema_name, named.table_name, named.column_name, named.constraint_name,
                      named.datatype_name)  # fmt: skip


def named_only(failure: Exception, *places: str | None) -> str:
    """The kind of the error, and those of the places that it names."""
    return ".".join([type(failure).__name__, *(place for place in places if place)])


def statement(name: str) -> str:
    """The SQL file of that name under `include/sql/databases`."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
