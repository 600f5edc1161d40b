"""Markers: a row written by the publisher and read at the subscriber proves that all before it has been applied.

Transactions are applied in the order of their commits (PostgreSQL's manual, chapter 29), large ones that are streamed
ahead included.
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from onboarding.databases.follow.feeds import Feed
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
        connection.execute(
            "DELETE FROM namrong.markers WHERE feed = %s AND written_at < clock_timestamp() - %s", [feed.name, KEPT]
        )
        row = connection.execute(
            "INSERT INTO namrong.markers VALUES (%s, %s, clock_timestamp()) RETURNING written_at", [marker, feed.name]
        ).fetchone()
    if row is None:
        raise LookupError(marker)
    return Marker(marker, row[0])


def wait_applied(feed: Feed, marker: Marker, patience: timedelta) -> bool:
    """Whether the subscriber has applied the marker, and so all that was committed before it, within `patience`."""
    deadline = time.monotonic() + patience.total_seconds()
    with session(feed.subscriber, autocommit=True) as connection:
        while connection.execute("SELECT 1 FROM namrong.markers WHERE id = %s", [marker.id]).fetchone() is None:
            if time.monotonic() > deadline:
                return False
            time.sleep(BETWEEN_LOOKS_S)
    return True
