"""The drain: under a freeze, everything that was ever committed is applied, on disk, and nothing more will be."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from onboarding.databases.follow import markers
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import claim, has_notes
from onboarding.databases.follow.subscription import disable, enable
from onboarding.databases.sessions import session
from onboarding.errors import Stop, TryAgain

PATIENCE = timedelta(seconds=20)


@dataclass(frozen=True)
class Drained:
    """When the last marker was written (the publisher's clock), when it was proven (the subscriber's), and up to where.

    `position` is the subscriber's own write-ahead log's after the last change: all of it is on its disk.
    """

    marked_at: datetime
    at: datetime
    position: str


def drain(feed: Feed, *, frozen_at: datetime, fence: int, patience: timedelta = PATIENCE) -> Drained:
    """Stops the feed with everything applied that was committed before now.

    Call it when the publisher is frozen since `frozen_at` (its own clock, as `freeze` gives it). Safe to call again:
    a drain of this freeze is kept, one of an earlier freeze is done anew. Raises TryAgain, with the feed still
    running, when the marker does not arrive within `patience`: the caller goes on waiting or gives the freeze up.
    """
    kept = drained(feed)
    if kept is not None and kept.marked_at > frozen_at:
        return kept
    enable(feed, fence=fence, again=True)
    marker = markers.write(feed)
    if marker.written_at <= frozen_at:
        raise Stop("follow.not_frozen", where=str(feed))
    if not markers.wait_applied(feed, marker, patience):
        raise TryAgain("follow.not_drained", where=str(feed), seconds=int(patience.total_seconds()))
    disable(feed, fence=fence)
    with session(feed.subscriber) as connection:
        claim(connection, feed.name, fence)
        # Applied changes are committed without waiting for the disk, and the publisher would send them again after a
        # crash; soon nobody will. A commit that waits brings all before it to the disk.
        connection.execute("SET LOCAL synchronous_commit = on")
        connection.execute(
            "UPDATE namrong.feeds SET marked_at = %s, drained_at = clock_timestamp(),"
            " drained_to = pg_current_wal_insert_lsn() WHERE name = %s",
            [marker.written_at, feed.name],
        )
    done = drained(feed)
    if done is None:
        raise Stop("databases.fenced", where=str(feed))
    return done


def drained(feed: Feed) -> Drained | None:
    """The drain that stands, None while the feed runs or never did."""
    with session(feed.subscriber) as connection:
        if not has_notes(connection):
            return None
        row = connection.execute(
            "SELECT marked_at, drained_at, drained_to::text FROM namrong.feeds"
            " WHERE name = %s AND drained_at IS NOT NULL",
            [feed.name],
        ).fetchone()
    return None if row is None else Drained(*row)
