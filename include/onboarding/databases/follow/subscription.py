"""The subscription: made disabled, let run, stopped; each change in one transaction with the feed's fence."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import timedelta

from psycopg import sql

from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.notes import claim, ensure_notes, has_notes
from onboarding.databases.follow.publication import is_published
from onboarding.databases.follow.slots import began_with, take_slot
from onboarding.databases.sessions import Connection, session
from onboarding.errors import Stop, TryAgain

PATIENCE = timedelta(seconds=30)
BETWEEN_LOOKS_S = 0.02
ORIGINS_SINCE = 160000  # server_version_num from which changes that came by replication can be left out

# The connection string holds a password. It travels as a bound value and stands in no statement's text, and an error
# is raised anew, without the context in which PostgreSQL would quote it: no log has it that does not log all values.
CREATE = """
DO $create$
BEGIN
    EXECUTE format('CREATE SUBSCRIPTION %1$I CONNECTION %2$L PUBLICATION %1$I WITH (slot_name = %1$L, enabled = false,'
                   ' create_slot = false, copy_data = false' || current_setting('namrong.options') || ')',
                   current_setting('namrong.feed'), current_setting('namrong.conninfo'));
EXCEPTION WHEN OTHERS THEN
    RAISE EXCEPTION USING ERRCODE = SQLSTATE, MESSAGE = SQLERRM;
END
$create$
"""


@dataclass(frozen=True)
class Standing:
    """A subscription: whether it may run, and whether its worker does."""

    enabled: bool
    working: bool


def standing(connection: Connection, name: str) -> Standing | None:
    """The subscription of that name in this database, None when there is none."""
    row = connection.execute(
        "SELECT s.subenabled, EXISTS (SELECT FROM pg_stat_subscription w WHERE w.subid = s.oid AND w.pid IS NOT NULL)"
        " FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
        " WHERE d.datname = current_database() AND s.subname = %s",
        [name],
    ).fetchone()
    return None if row is None else Standing(*row)


def ensure_subscription(feed: Feed, *, fence: int) -> None:
    """After the copy, and before anything is applied: the subscription that goes on where the copy's snapshot ended.

    Disabled. Raises Stop when the rows that are there are not of the very snapshot that the slot began with, when the
    copy is not finished, or when the slot is not where it began; TryAgain when the servers do not reach each other.
    """
    ensure_notes(feed.subscriber, feed.name)
    with session(feed.subscriber) as connection:
        if standing(connection, feed.name) is not None:
            return
    seen = began_with(feed)
    with session(feed.subscriber) as connection:
        claim(connection, feed.name, fence)
        _demand_copied(connection, feed, seen)
        take_slot(feed, seen)
        if standing(connection, feed.name) is None:
            create(connection, feed)


def create(connection: Connection, feed: Feed) -> None:
    """In the open transaction: the subscription, disabled and without a slot made. Its server tries the connection.

    Raises Stop when the publication is not there: the server would only warn, and quote the statement as it does.
    """
    if not is_published(feed):
        raise Stop("follow.no_publication", where=str(feed))
    origin = ", origin = none" if connection.info.server_version >= ORIGINS_SINCE else ""
    for setting, value in (("feed", feed.name), ("conninfo", feed.conninfo()), ("options", origin)):
        connection.execute("SELECT set_config(%s, %s, true)", [f"namrong.{setting}", value])
    connection.execute(CREATE)


def enable(feed: Feed, *, fence: int, again: bool = False) -> None:
    """Changes are applied from here on. Safe to call again.

    A feed that was drained stays stopped (Stop), unless `again`: then it is drained no more. While the other direction
    is armed it is not started whatever is asked for (Stop).
    """
    with session(feed.subscriber) as connection:
        claim(connection, feed.name, fence)
        if _noted(connection, feed.name, "turned_at"):
            raise Stop("follow.turned", where=str(feed))
        if again:
            connection.execute(
                "UPDATE namrong.feeds SET marked_at = NULL, drained_at = NULL, drained_to = NULL WHERE name = %s",
                [feed.name],
            )
        if _noted(connection, feed.name, "drained_at"):
            raise Stop("follow.drained", where=str(feed))
        if standing(connection, feed.name) is None:
            raise Stop("follow.no_subscription", where=str(feed))
        connection.execute(sql.SQL("ALTER SUBSCRIPTION {} ENABLE").format(sql.Identifier(feed.name)))
        connection.execute(
            "UPDATE namrong.feeds SET enabled_at = coalesce(enabled_at, clock_timestamp()) WHERE name = %s", [feed.name]
        )


def disable(feed: Feed, *, fence: int, patience: timedelta = PATIENCE) -> None:
    """Nothing more is applied: the subscription is off and its worker has ended. Safe to call again.

    Raises TryAgain when the worker stays longer than `patience`.
    """
    with session(feed.subscriber) as connection:
        claim(connection, feed.name, fence)
        if standing(connection, feed.name) is None:
            return
        connection.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(sql.Identifier(feed.name)))
    deadline = time.monotonic() + patience.total_seconds()
    with session(feed.subscriber, autocommit=True) as connection:
        while (now := standing(connection, feed.name)) is not None and now.working:
            if time.monotonic() > deadline:
                raise TryAgain("follow.worker_stays", where=str(feed))
            time.sleep(BETWEEN_LOOKS_S)


def drop(connection: Connection, name: str) -> None:
    """In the open transaction: no such subscription; the publisher is not asked, its slot stays. Safe to call again."""
    if standing(connection, name) is None:
        return
    who = sql.Identifier(name)
    connection.execute(sql.SQL("ALTER SUBSCRIPTION {} DISABLE").format(who))
    connection.execute(sql.SQL("ALTER SUBSCRIPTION {} SET (slot_name = NONE)").format(who))
    connection.execute(sql.SQL("DROP SUBSCRIPTION {}").format(who))


def is_enabled(feed: Feed) -> bool:
    """Whether changes may be applied now."""
    with session(feed.subscriber) as connection:
        now = standing(connection, feed.name)
    return now is not None and now.enabled


def was_enabled(connection: Connection, name: str) -> bool:
    """Whether the feed ever ran, so that its subscription knows a position that nobody else does."""
    return has_notes(connection) and _noted(connection, name, "enabled_at")


def forget(connection: Connection, name: str) -> None:
    """In the open transaction: as if the feed had never run. Its fence stays."""
    connection.execute(
        "UPDATE namrong.feeds SET enabled_at = NULL, marked_at = NULL, drained_at = NULL, drained_to = NULL,"
        " turned_at = NULL WHERE name = %s",
        [name],
    )


def _noted(connection: Connection, name: str, when: str) -> bool:
    asked = sql.SQL("SELECT 1 FROM namrong.feeds WHERE name = %s AND {} IS NOT NULL").format(sql.Identifier(when))
    return connection.execute(asked, [name]).fetchone() is not None


def _demand_copied(connection: Connection, feed: Feed, seen: str) -> None:
    """Every row is there, and of the slot's own moment."""
    row = connection.execute(
        "SELECT (SELECT finished_at IS NOT NULL FROM namrong.load),"
        " (SELECT snapshot IS DISTINCT FROM %s FROM namrong.load)",
        [seen],
    ).fetchone()
    if row is None or not row[0]:
        raise Stop("follow.copy_unfinished", where=str(feed))
    if row[1]:
        raise Stop("databases.mixed_snapshot", where=str(feed))
