"""Schema drift: replication carries rows, so a table that is changed or made during the move has to stop it."""

from __future__ import annotations

import hashlib
import json

from onboarding.addresses import Database
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.publication import unpublished
from onboarding.databases.inventory import inventory
from onboarding.databases.sessions import session


def fingerprint(database: Database) -> str:
    """One digest (SHA-256, hexadecimal) of every object's identity and state, for the evidence.

    Two servers of one major version with one schema have one fingerprint.
    """
    said = json.dumps(sorted(_told(database).items()), ensure_ascii=False)
    return hashlib.sha256(said.encode()).hexdigest()


def drift(feed: Feed) -> list[str]:
    """Where the two sides' schemas differ, and tables that are not published; sorted, empty when there is none.

    Ask while following, and once more under the freeze: the freeze holds the service, not whoever owns the tables.
    """
    there, here = _told(feed.publisher), _told(feed.subscriber)
    with session(feed.publisher) as connection:
        untold = unpublished(connection, feed.name)
    return sorted(
        [f"{name} (publisher only)" for name in there.keys() - here.keys()]
        + [f"{name} (subscriber only)" for name in here.keys() - there.keys()]
        + [f"{name} (differs)" for name in there.keys() & here.keys() if there[name] != here[name]]
        + [f"table {name} (not published)" for name in untold]
    )


def _told(database: Database) -> dict[str, str]:
    """Without NOT NULL as a constraint with a name, which servers have from 18 on: the column says it too."""
    return {name: state for name, state in inventory(database).items() if not state.startswith("NOT NULL ")}
