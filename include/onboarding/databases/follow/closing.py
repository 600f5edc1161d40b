"""The end of a feed: no subscription, no slot, no publication; a slot that outlives its feed fills the disk."""

from __future__ import annotations

import time
from datetime import timedelta

from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import claim, drop_markers, has_notes, one_at_a_time
from onboarding.databases.follow.publication import drop_publication
from onboarding.databases.follow.slots import drop_slot, slot
from onboarding.databases.follow.subscription import drop, forget
from onboarding.databases.sessions import Connection, session
from onboarding.errors import OnboardingError, TryAgain

PATIENCE = timedelta(seconds=30)
BETWEEN_LOOKS_S = 0.05


def close(feed: Feed, *, fence: int) -> None:
    """Nothing of the feed is left on either side but its fence. Safe to call again, from any state.

    The publisher is cleared even when the subscriber cannot be reached; that failure is raised afterwards.
    """
    failed: OnboardingError | None = None
    try:
        close_subscriber(feed, fence=fence)
    except OnboardingError as failure:
        failed = failure
    close_publisher(feed)
    if failed is not None:
        raise failed


def close_subscriber(feed: Feed, *, fence: int) -> None:
    """No subscription; the fence stays, so that a worker thought dead starts nothing."""
    with session(feed.subscriber) as connection:
        if not has_notes(connection):
            return
        claim(connection, feed.name, fence)
        drop(connection, feed.name)
        drop_markers(connection, feed.name)
        forget(connection, feed.name)


def close_publisher(feed: Feed, *, patience: timedelta = PATIENCE) -> None:
    """No slot and no publication; whoever still reads the slot is ended. Raises TryAgain when it stays."""
    with session(feed.publisher) as connection:
        if not has_notes(connection):
            drop_publication(connection, feed.name)
            return
    with one_at_a_time(feed.publisher, feed.name) as connection:
        _end_reader(connection, feed, time.monotonic() + patience.total_seconds())
        drop_slot(connection, feed.name)
        drop_publication(connection, feed.name)
        drop_markers(connection, feed.name)


def _end_reader(connection: Connection, feed: Feed, deadline: float) -> None:
    while (found := slot(connection, feed.name)) is not None and found.active:
        if time.monotonic() > deadline:
            raise TryAgain("follow.reader_stays", where=str(feed), pid=found.reader)
        connection.execute("SELECT pg_terminate_backend(%s)", [found.reader])
        time.sleep(BETWEEN_LOOKS_S)
