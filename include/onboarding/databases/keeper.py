"""The keeper of a freeze's deadline: a session of the source's own server, which lives on when we are dead.

It runs one block (keeper.sql) and is left without a client: a server looks at its client again only when it has
something to say to it, and this one says nothing until it is done. PostgreSQL 11 or newer.
"""

from __future__ import annotations

import secrets
import time

from onboarding.addresses import Database
from onboarding.databases.sessions import Connection, session, statement
from onboarding.errors import TryAgain

BEGINS_WITHIN_S = 10
LOOK_S = 0.01

# What could end it, or make it speak, on servers of any version that know the setting.
SETTINGS = {"client_connection_check_interval": "0", "transaction_timeout": "0", "idle_session_timeout": "0",
            "lock_timeout": "5s", "client_min_messages": "error"}  # fmt: skip


def new_name() -> str:
    """A name that no other keeper has: each freeze has its own, so that the one of the last is not mistaken for it."""
    return f"namrong keeper {secrets.token_hex(8)}"


def announce(connection: Connection, name: str) -> None:
    """Until this transaction is over, the keeper waits for its freeze; when it finds none then, it ends."""
    connection.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])


def is_there(connection: Connection, name: str) -> bool:
    """Whether the keeper is at work: it takes its name when it has looked once."""
    connection.execute("SELECT pg_stat_clear_snapshot()")  # a transaction would see the same sessions all the while
    row = connection.execute(
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE application_name = %s AND usename = current_user"
        " AND datname = current_database())",
        [name],
    ).fetchone()
    return row == (True,)


def ensure_keeper(connection: Connection, source: Database, role: str, name: str) -> None:
    """The keeper is at work, as `connection` sees it. Safe to call again. Raises TryAgain when none could be begun."""
    if is_there(connection, name):
        return
    with session(source, autocommit=True) as left_alone:
        try:
            _begin(left_alone, role, name)
            _wait(connection, left_alone, str(source), name)
        finally:
            left_alone.close()  # without cancelling what it runs


def _begin(left_alone: Connection, role: str, name: str) -> None:
    left_alone.execute(
        "SELECT set_config(name, wanted.value, false) FROM unnest(%s::text[], %s::text[]) AS wanted (name, value)"
        " JOIN pg_settings USING (name)",
        [list(SETTINGS), list(SETTINGS.values())],
    )
    left_alone.execute("SELECT set_config('namrong.keeper', %s, false), set_config('namrong.role', %s, false)",
                       [name, role])  # fmt: skip
    left_alone.pgconn.send_query(statement("keeper").encode())
    while left_alone.pgconn.flush():
        time.sleep(LOOK_S)


def _wait(connection: Connection, begun: Connection, where: str, name: str) -> None:
    deadline = time.monotonic() + BEGINS_WITHIN_S
    while not is_there(connection, name):
        begun.pgconn.consume_input()
        if not begun.pgconn.is_busy() or time.monotonic() > deadline:
            raise TryAgain("databases.no_keeper", where=where, seconds=BEGINS_WITHIN_S)
        time.sleep(LOOK_S)
