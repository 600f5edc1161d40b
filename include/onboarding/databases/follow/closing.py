"""The end of a feed: no subscription, no slot, no publication; a slot that outlives its feed fills the disk."""

from __future__ import annotations

import time
from datetime import timedelta

from onboarding.addresses import Database
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import FENCED, claim, drop_markers, has_notes, one_at_a_time
from onboarding.databases.follow.publication import drop_publication
from onboarding.databases.follow.slots import drop_slot, slot
from onboarding.databases.follow.subscription import drop, forget
from onboarding.databases.sessions import Connection, session, statement
from onboarding.errors import OnboardingError, TryAgain

PATIENCE = timedelta(seconds=30)
BETWEEN_LOOKS_S = 0.05


def close(feed: Feed, *, fence: int) -> None:
    """Nothing of the feed is left on either side but its fence. Safe to call again, from any state.

    The publisher is cleared even when the subscriber cannot be reached; that failure is raised afterwards. Who was
    fenced off closes neither: a newer attempt may be following by that slot.
    """
    failed: OnboardingError | None = None
    try:
        close_subscriber(feed.subscriber, feed.name, fence=fence)
    except OnboardingError as failure:
        if failure.key == FENCED:
            raise
        failed = failure
    close_publisher(feed.publisher, feed.name)
    if failed is not None:
        raise failed


def close_subscriber(subscriber: Database, name: str, *, fence: int) -> None:
    """No subscription; the fence stays, so that a worker thought dead starts nothing."""
    with session(subscriber) as connection:
        if not has_notes(connection):
            return
        claim(connection, name, fence)
        drop(connection, name)
        drop_markers(connection, name)
        forget(connection, name)


def close_publisher(publisher: Database, name: str, *, patience: timedelta = PATIENCE) -> None:
    """No slot and no publication; whoever still reads the slot is ended. Raises TryAgain when it stays."""
    with session(publisher) as connection:
        if not has_notes(connection):
            drop_publication(connection, name)
            return
    with one_at_a_time(publisher, name) as connection:
        _end_reader(connection, f"{publisher} {name}", name, time.monotonic() + patience.total_seconds())
        drop_slot(connection, name)
        drop_publication(connection, name)
        drop_markers(connection, name)


def left_behind(database: Database, beginning: str) -> list[str]:
    """What still stands in this database whose name begins so: slots, publications, subscriptions."""
    with session(database) as connection:
        rows = connection.execute(statement("follow/left_behind"), {"beginning": beginning}).fetchall()
    return [str(named) for (named,) in rows]


def _end_reader(connection: Connection, where: str, name: str, deadline: float) -> None:
    while (found := slot(connection, name)) is not None and found.active:
        if time.monotonic() > deadline:
            raise TryAgain("follow.reader_stays", where=where, pid=found.reader)
        connection.execute("SELECT pg_terminate_backend(%s)", [found.reader])
        time.sleep(BETWEEN_LOOKS_S)
