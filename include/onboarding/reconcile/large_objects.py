"""Large objects (PostgreSQL, chapter 33): size, SHA-256 of the content, owner's grants and comment, by number."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from onboarding.reconcile.relations import query
from onboarding.reconcile.sides import Side

# A descriptor stays open per object until the transaction ends, so they are read in batches.
OBJECTS_PER_QUERY = 500


@dataclass(frozen=True)
class LargeObject:
    """One large object as the server describes it."""

    size: int
    sha256: str
    comment: str
    grants: tuple[str, ...]


@dataclass(frozen=True)
class LargeObjectDifference:
    """A large object that is missing, extra, or differs in content, grants or comment."""

    number: int
    problem: Literal["missing", "extra", "content", "grants", "comment"]


@dataclass(frozen=True)
class LargeObjects:
    """How many large objects the source has, and those that differ."""

    count: int = 0
    differences: tuple[LargeObjectDifference, ...] = ()


def compare_large_objects(
    source: Side, target: Side, *, roles: Mapping[str, str], expect_writes_closed_for: str | None = None
) -> LargeObjects:
    """Every large object of both sides. Raises Unreadable where the login may not read one.

    `roles` and `expect_writes_closed_for` as in `objects.compare_objects`.
    """
    closed = expect_writes_closed_for and roles.get(expect_writes_closed_for, expect_writes_closed_for)
    ours, theirs = large_objects(source, roles, closed), large_objects(target, {}, closed)
    found = [
        difference
        for number in sorted(ours.keys() | theirs.keys())
        for difference in _differ(number, ours.get(number), theirs.get(number))
    ]
    return LargeObjects(len(ours), tuple(found))


def large_objects(side: Side, roles: Mapping[str, str], closed: str | None) -> dict[int, LargeObject]:
    """Every large object of the side by its number; grantees by their names on the target."""
    found: dict[int, LargeObject] = {}
    after = 0
    while batch := side.ask(query("large_objects"), {"after": after, "limit": OBJECTS_PER_QUERY}):
        for number, size, sha256, comment, grants in batch:
            found[int(number)] = LargeObject(size, sha256, comment or "", _named(grants, roles, closed))
        after = int(batch[-1][0])
    return found


def _named(grants: list[list[str]] | None, roles: Mapping[str, str], closed: str | None) -> tuple[str, ...]:
    named = ((roles.get(grantee, grantee), privilege) for grantee, privilege in grants or [])
    return tuple(sorted(f"{role}: {privilege}" for role, privilege in named if (role, privilege) != (closed, "UPDATE")))


def _differ(number: int, before: LargeObject | None, after: LargeObject | None) -> Iterator[LargeObjectDifference]:
    if before is None or after is None:
        yield LargeObjectDifference(number, "missing" if after is None else "extra")
        return
    if (before.size, before.sha256) != (after.size, after.sha256):
        yield LargeObjectDifference(number, "content")
    if before.grants != after.grants:
        yield LargeObjectDifference(number, "grants")
    if before.comment != after.comment:
        yield LargeObjectDifference(number, "comment")
