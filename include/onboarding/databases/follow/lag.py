"""How far the subscriber is behind, in bytes and in seconds, and how much the publisher has to keep for it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from onboarding.databases.follow import markers
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.slots import Slot, slot
from onboarding.databases.sessions import session
from onboarding.errors import AskPerson, Stop

CONSECUTIVE = 5


@dataclass(frozen=True)
class Lag:
    """One sample. `bytes` of write-ahead log that the subscriber has not confirmed, other databases' included.

    `seconds` from the writing of a marker to its being read on the other side, the connections included (an upper
    bound); None when it did not arrive in time, which is no number of seconds. `at`: the publisher's clock.
    """

    bytes: int
    seconds: float | None
    at: datetime


@dataclass(frozen=True)
class Limit:
    """The most that a sample may say for the switch to be near."""

    bytes: int = 16 * 1024 * 1024
    seconds: float = 2.0


def sample(feed: Feed, *, patience: timedelta = timedelta(seconds=10)) -> Lag:
    """The lag now. Raises Stop when the slot is gone or lost: what it kept can never be applied any more."""
    with session(feed.publisher) as connection:
        row = connection.execute(
            "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), %s::pg_lsn)::bigint",
            [_usable(feed, slot(connection, feed.name)).confirmed],
        ).fetchone()
    began = time.monotonic()
    marker = markers.write(feed)
    arrived = markers.wait_applied(feed, marker, patience)
    seconds = round(time.monotonic() - began, 3) if arrived else None
    return Lag(max(0, row[0]) if row else 0, seconds, marker.written_at)


def caught_up(samples: Sequence[Lag], limit: Limit, *, consecutive: int = CONSECUTIVE) -> bool:
    """Whether the latest `consecutive` samples are all within the limit, each of them proven by its own marker."""
    latest = samples[-consecutive:]
    return len(latest) == consecutive > 0 and all(_within(one, limit) for one in latest)


def has_slot(feed: Feed) -> bool:
    """Whether the publisher keeps anything for this feed."""
    with session(feed.publisher) as connection:
        return slot(connection, feed.name) is not None


def demand_room(feed: Feed, *, limit_bytes: int) -> Slot:
    """The slot's standing, while what it makes the publisher keep is below the limit.

    Raises AskPerson above it, naming the figures; Stop when the slot is gone or lost.
    """
    with session(feed.publisher) as connection:
        found = _usable(feed, slot(connection, feed.name))
    if found.retained > limit_bytes or (found.room is not None and found.room <= 0):
        raise AskPerson("follow.retained", where=str(feed), retained=found.retained, limit=limit_bytes,
                        room="-" if found.room is None else found.room)  # fmt: skip
    return found


def _within(one: Lag, limit: Limit) -> bool:
    return one.seconds is not None and one.seconds <= limit.seconds and one.bytes <= limit.bytes


def _usable(feed: Feed, found: Slot | None) -> Slot:
    if found is None or found.status == "lost":
        raise Stop("follow.slot_lost", where=str(feed), status=found.status if found else "-")
    return found
