"""Whether a database can be followed: what cannot, by name and with a remedy, before anything is made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.publication import drop_publication, is_published
from onboarding.databases.follow.subscription import create
from onboarding.databases.sessions import session, statement
from onboarding.readiness import Finding

TRIAL = "namrong_trial"
"""No feed has this name: only the way is tried."""


def assess_tables(source: Database, *, full_allowed: bool = False) -> list[Finding]:
    """What of the source's tables replication cannot carry, worst first; words: `readiness.follow_*`.

    With `full_allowed`, tables without a key are told row by whole row (`ensure_identity`), and only those that even
    that cannot carry stay critical.
    """
    with session(source) as connection:
        rows = connection.execute(statement("follow/tables"), {"full": full_allowed}).fetchall()
    return _sorted(Finding(*row) for row in rows)


def assess_server(database: Database) -> list[Finding]:
    """What the server and this login lack, worst first. Ask it of both sides: each publishes, each subscribes."""
    with session(database) as connection:
        rows = connection.execute(statement("follow/server")).fetchall()
    return _sorted(Finding(*row) for row in rows)


def assess_way(feed: Feed) -> list[Finding]:
    """Whether the subscriber's own server reaches the publisher, with a login that may replicate, and may subscribe.

    A subscription to a publication without tables is really made, which connects, and rolled back; the publication is
    dropped. Ask it of both directions: the way back needs its own opening in the agency's firewall.
    """
    tried = replace(feed, name=TRIAL)
    try:
        if not is_published(tried):
            with session(feed.publisher) as connection:
                connection.execute(sql.SQL("CREATE PUBLICATION {}").format(sql.Identifier(TRIAL)))
        return _tried(tried)
    finally:
        with session(feed.publisher) as connection:
            drop_publication(connection, TRIAL)


def _tried(feed: Feed) -> list[Finding]:
    with session(feed.subscriber) as connection:
        try:
            create(connection, feed)
        except psycopg.Error as failure:
            reason = (failure.diag.message_primary or type(failure).__name__).strip()
            values = {"from": str(feed.subscriber), "reason": reason}
            return [Finding("follow_cannot_connect", "critical", str(feed.reached), values)]
        finally:
            connection.rollback()
    return []


def ensure_identity(source: Database) -> list[str]:
    """Tables without a key tell their rows in full from here on; which ones (`schema.table`). Safe to call again.

    Only where the manifest allows it, and before the copy, so that the target's tables are alike. Needs the owner.
    """
    keyless = [finding for finding in assess_tables(source) if finding.id == "follow_no_identity"]
    with session(source, autocommit=True) as connection:  # no lock is held while the next is waited for
        for finding in keyless:
            table = sql.Identifier(finding.values["schema"], finding.values["table"])
            connection.execute(sql.SQL("ALTER TABLE ONLY {} REPLICA IDENTITY FULL").format(table))
    return [finding.where for finding in keyless]


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    order = ("critical", "warning", "info")
    return sorted(findings, key=lambda found: (order.index(found.severity), found.id, found.where))
