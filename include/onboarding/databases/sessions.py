"""Sessions whose answers do not depend on anybody's settings, and whose failures say who acts next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.errors import Stop, TryAgain

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
        state = failure.sqlstate or ""
        if state == "NR001":
            raise Stop("databases.fenced", where=where) from failure
        if state == "NR002":
            raise Stop("databases.mixed_snapshot", where=where) from failure
        if not state or state.startswith(PASSING):
            raise TryAgain("databases.interrupted", where=where, reason=type(failure).__name__) from failure
        raise Stop("databases.refused", where=where, reason=without_values(failure), sqlstate=state) from failure


def without_values(failure: psycopg.Error) -> str:
    """The kind of the error and the objects it names; never its text, which may quote a citizen's row."""
    named = failure.diag
    places = (named.schema_name, named.table_name, named.column_name, named.constraint_name, named.datatype_name)
    return ".".join([type(failure).__name__, *(place for place in places if place)])


def statement(name: str) -> str:
    """The SQL file of that name under `include/sql/databases`."""
    return (SQL / f"{name}.sql").read_text(encoding="utf-8")
