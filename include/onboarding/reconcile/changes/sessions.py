"""Sessions of a watch: settings pinned as for comparing, and allowed to write; one at a time where it matters."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, LiteralString

import psycopg

from onboarding.addresses import Database
from onboarding.errors import TryAgain
from onboarding.reconcile.canonical import PINNED
from onboarding.reconcile.relations import QUERIES

Connection = psycopg.Connection[Any]

SETTINGS = PINNED | {"default_transaction_read_only": "off", "synchronous_commit": "local", "statement_timeout": "0"}
LOCK_PATIENCE_S = 60


class WatchLost(Exception):
    """Not every change since the watch began is known: whoever asks compares everything. Holds no row data."""


@cache
def statement(name: str) -> LiteralString:
    """The text of `include/sql/reconcile/changes/<name>.sql`."""
    # as literal as any query in this file: it ships with it
    return (QUERIES / "changes" / f"{name}.sql").read_text(encoding="utf-8")


@contextmanager
def session(database: Database) -> Iterator[Connection]:
    """An autocommit session. Raises TryAgain where the server or a lock is not to be had."""
    try:
        with database.connect(autocommit=True) as connection:
            connection.execute("SELECT set_config(key, value, false) FROM json_each_text(%s)", [json.dumps(SETTINGS)])
            yield connection
    except psycopg.OperationalError as failure:
        # never the server's text: it may quote a row
        raise TryAgain("reconcile.connection_lost", where=str(database), reason=type(failure).__name__) from failure


@contextmanager
def one_at_a_time(database: Database, name: str) -> Iterator[Connection]:
    """A session that alone, of all of ours, makes, reads or moves that watch."""
    with session(database) as connection:
        connection.execute("SELECT set_config('lock_timeout', %s, false)", [f"{LOCK_PATIENCE_S}s"])
        connection.execute("SELECT pg_advisory_lock(hashtextextended(%s, 3))", [name])
        yield connection
