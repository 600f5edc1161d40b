"""The catalogue's objects by their portable identity, so that what did not arrive can be named."""

from __future__ import annotations

from onboarding.addresses import Database
from onboarding.databases.sessions import session, statement


def inventory(database: Database) -> dict[str, str]:
    """Identity to state, of every object of the agency's own (see inventory.sql for what is left out)."""
    with session(database) as connection:
        return dict(connection.execute(statement("inventory")).fetchall())


def missing(source: Database, target: Database) -> list[str]:
    """The source's objects that the target lacks or has in another state, sorted; empty when all arrived."""
    there = inventory(target)
    return sorted(
        identity if identity not in there else f"{identity} (differs)"
        for identity, state in inventory(source).items()
        if there.get(identity) != state
    )
