"""Markers: a row written by the publisher and read at the subscriber proves that all before it has been applied.

Transactions are applied in the order of their commits (PostgreSQL's manual, chapter 29), large ones that are streamed
ahead included.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from psycopg import sql

from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import markers
from onboarding.databases.sessions import session

BETWEEN_LOOKS_S = 0.01
KEPT = timedelta(hours=1)


@dataclass(frozen=True)
class Marker:
    """One marker and when it was written, by the publisher's clock."""

    id: str
    written_at: datetime


def write(feed: Feed) -> Marker:
    """A new marker, on the publisher's disk; old ones are taken away."""
    marker = secrets.token_hex(16)
    with session(feed.publisher) as connection:
        connection.execute("SET LOCAL synchronous_commit = on")
        table = markers(feed.name)
        connection.execute(sql.SQL("DELETE FROM {} WHERE written_at < clock_timestamp() - %s").format(table), [KEPT])
        row = connection.execute(
            sql.SQL("INSERT INTO {} VALUES (%s, clock_timestamp()) RETURNING written_at").format(table), [marker]
        ).fetchone()
    if row is None:
        raise LookupError(marker)
    return Marker(marker, row[0])


def wait_applied(feed: Feed, marker: Marker, patience: timedelta) -> bool:
    """Whether the subscriber has applied the marker, and so all that was committed before it, within `patience`."""
    deadline = time.monotonic() + patience.total_seconds()
    there = sql.SQL("SELECT 1 FROM {} WHERE id = %s").format(markers(feed.name))
    with session(feed.subscriber, autocommit=True) as connection:
        while connection.execute(there, [marker.id]).fetchone() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(BETWEEN_LOOKS_S)
    return True
