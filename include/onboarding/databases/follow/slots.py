"""The slot: from where the publisher keeps changes for its subscriber, and the snapshot of that very moment."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import ensure_notes, one_at_a_time
from onboarding.databases.follow.publication import ensure_publication
from onboarding.databases.sessions import Connection, session, told
from onboarding.databases.snapshot import Snapshot, open_snapshot, sees
from onboarding.errors import Stop, TryAgain

PATIENCE = timedelta(minutes=2)
"""A slot begins when every transaction that was writing has ended: longer ones are named instead of waited for."""


@dataclass(frozen=True)
class Slot:
    """A slot's standing: the position its subscriber has confirmed, whether it is read now and by which process.

    `retained` is bytes of write-ahead log; `room` what may still be added before the server gives the slot up, None
    without a limit; `status` is `pg_replication_slots.wal_status` (PostgreSQL's manual, 53.20), `lost` for a slot
    that is of no use any more.
    """

    confirmed: str
    active: bool
    reader: int | None
    status: str
    retained: int
    room: int | None


def slot(connection: Connection, name: str) -> Slot | None:
    """The slot of that name in this database."""
    row = connection.execute(
        "SELECT coalesce(confirmed_flush_lsn::text, '0/0'), active, active_pid, coalesce(wal_status, 'lost'),"
        " coalesce(pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn), 0)::bigint, safe_wal_size"
        " FROM pg_replication_slots WHERE slot_name = %s AND database = current_database()",
        [name],
    ).fetchone()
    return None if row is None else Slot(*row)


def open_slot(feed: Feed, *, patience: timedelta = PATIENCE) -> Snapshot:
    """A slot that begins now, and the snapshot of that moment for the copy; the caller closes it after the rows.

    What the snapshot does not see, the slot keeps: nothing is in both or in neither. The tables are published and
    locked against rewriting first, because a rewritten table is empty to an older snapshot. Called again before a
    subscription depends on it, it begins anew, and so must the load. Raises Stop when one does, TryAgain when writers
    stay longer than `patience`.
    """
    ensure_notes(feed.publisher, feed.name)
    with one_at_a_time(feed.publisher, feed.name) as connection:
        taken = connection.execute(
            "SELECT 1 FROM namrong.outlets WHERE name = %s AND taken_at IS NOT NULL", [feed.name]
        ).fetchone()
        if taken is not None:
            raise Stop("follow.slot_taken", where=str(feed))
        drop_slot(connection, feed.name)
        ensure_publication(feed.publisher, feed.name)
        with _replicating(feed.publisher) as making:
            began: list[str] = []
            held = open_snapshot(feed.publisher, taken_over=lambda: _begin(making, feed, patience, began))
        try:
            _note(connection, feed.name, began[0], sees(held.id))
        except BaseException:
            held.close()
            raise
    return held


def ensure_slot_since(feed: Feed, position: str, *, in_use: bool, patience: timedelta = PATIENCE) -> None:
    """A slot that begins at or after `position` (of the publisher), kept if it is there; made now otherwise.

    For two sides that are equal and frozen: no snapshot is needed. Raises TryAgain when writers stay, Stop when the
    slot is `in_use` already and gone or lost: another one would leave out what this one kept.
    """
    with one_at_a_time(feed.publisher, feed.name) as connection:
        found = slot(connection, feed.name)
        if found is not None and found.status != "lost" and _not_before(connection, found.confirmed, position):
            return
        if in_use:
            raise Stop("follow.slot_lost", where=str(feed), status=found.status if found else "-")
        drop_slot(connection, feed.name)
        connection.execute(f"SET statement_timeout = {int(patience.total_seconds() * 1000)}")
        try:
            row = connection.execute(
                "SELECT lsn::text FROM pg_create_logical_replication_slot(%s, 'pgoutput')", [feed.name]
            ).fetchone()
        except psycopg.errors.QueryCanceled:
            connection.execute("SET statement_timeout = 0")
            raise TryAgain("follow.slot_waits", where=str(feed), who=writing(connection)) from None
        connection.execute("SET statement_timeout = 0")
        _note(connection, feed.name, row[0] if row else position, "")


def began_with(feed: Feed) -> str:
    """The transactions that the slot's own snapshot sees (see `sees`): those its copy must have.

    Raises Stop when there is no slot, it is lost, or it is not where it began.
    """
    with session(feed.publisher) as connection:
        return _fresh(connection, feed)


def take_slot(feed: Feed, seen: str) -> None:
    """From here on a subscription depends on the slot that began with `seen`. Raises Stop as `began_with` does."""
    with one_at_a_time(feed.publisher, feed.name) as connection:
        if _fresh(connection, feed) != seen:
            raise Stop("databases.mixed_snapshot", where=str(feed))
        connection.execute(
            "UPDATE namrong.outlets SET taken_at = coalesce(taken_at, clock_timestamp()) WHERE name = %s", [feed.name]
        )


def _fresh(connection: Connection, feed: Feed) -> str:
    found = slot(connection, feed.name)
    noted = connection.execute(
        "SELECT began::text, snapshot FROM namrong.outlets WHERE name = %s", [feed.name]
    ).fetchone()
    if found is None or noted is None or found.status == "lost" or found.confirmed != noted[0]:
        raise Stop("follow.slot_lost", where=str(feed), status=found.status if found else "-")
    return str(noted[1])


def drop_slot(connection: Connection, name: str) -> None:
    """No slot of that name in this database, and nothing known of it. Raises Stop while somebody reads it."""
    found = slot(connection, name)
    if found is not None and found.active:
        raise Stop("follow.slot_active", where=connection.info.dbname, slot=name)
    connection.execute("DELETE FROM namrong.outlets WHERE name = %s", [name])
    if found is not None:
        connection.execute("SELECT pg_drop_replication_slot(%s)", [name])


def writing(connection: Connection) -> str:
    """Who has had a writing transaction open on this server for longest: process, role and since when, at most five."""
    rows = connection.execute(
        "SELECT pid, coalesce(usename, backend_type)::text, xact_start FROM pg_stat_activity"
        " WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid() ORDER BY xact_start LIMIT 5"
    ).fetchall()
    return "; ".join(f"pid {pid} ({role}, {since or '?'})" for pid, role, since in rows) or "-"


@contextmanager
def _replicating(publisher: Database) -> Iterator[Connection]:
    """A connection that speaks the replication protocol: only there does a slot export its snapshot."""
    with told(str(publisher)), publisher.connect(autocommit=True, replication=True) as connection:
        yield connection


def _begin(making: Connection, feed: Feed, patience: timedelta, began: list[str]) -> str:
    """The exported snapshot of a slot made now. (A statement's timeout does not reach this command.)"""
    bell = threading.Timer(patience.total_seconds(), making.cancel)
    bell.start()
    try:
        # (the older spelling, which newer servers take as well)
        row = making.execute(
            sql.SQL("CREATE_REPLICATION_SLOT {} LOGICAL pgoutput EXPORT_SNAPSHOT").format(sql.Identifier(feed.name))
        ).fetchone()
    except psycopg.errors.QueryCanceled:
        raise TryAgain("follow.slot_waits", where=str(feed), who=writing(making)) from None
    finally:
        bell.cancel()
    if row is None:
        raise Stop("follow.slot_lost", where=str(feed), status="-")
    began.append(str(row[1]))
    return str(row[2])


def _note(connection: Connection, name: str, began: str, snapshot: str) -> None:
    connection.execute(
        "INSERT INTO namrong.outlets (name, began, snapshot) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO UPDATE SET began = excluded.began, snapshot = excluded.snapshot, taken_at = NULL",
        [name, began, snapshot],
    )


def _not_before(connection: Connection, one: str, other: str) -> bool:
    return connection.execute("SELECT %s::pg_lsn >= %s::pg_lsn", [one, other]).fetchone() == (True,)
