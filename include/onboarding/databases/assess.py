"""Whether a database can be copied, asked before anything moves."""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from onboarding.addresses import Database
from onboarding.databases.sessions import Connection, session, statement
from onboarding.databases.writes import other_ways
from onboarding.readiness import Finding, Severity

IDENTIFIER_BYTES = 63  # PostgreSQL's manual, 4.1.1 (NAMEDATALEN - 1)
CUT_BYTES = 61  # a name cut between Thai letters (3 bytes each) ends up at 61, 62 or 63
OTHER_CONNECTIONS = 6  # snapshot, schema, freeze, checks and a little room, beside one per shard


@dataclass(frozen=True)
class TargetOffers:
    """What the target's kind of server can take: its major version, its extensions, and whether it knows ICU."""

    major: int
    extensions: frozenset[str]
    icu: bool


def offers(admin: Database) -> TargetOffers:
    """What a server that runs already offers (`pg_available_extensions`)."""
    with session(admin) as connection:
        row = connection.execute(
            "SELECT current_setting('server_version_num')::int / 10000,"
            " (SELECT array_agg(name::text) FROM pg_available_extensions),"
            " EXISTS (SELECT FROM pg_collation WHERE collprovider = 'i')"
        ).fetchone()
    if row is None:
        return TargetOffers(0, frozenset(), False)
    return TargetOffers(row[0], frozenset(row[1] or ()), row[2])


def assess(source: Database, service_role: str | None, *, target: TargetOffers, shards: int = 4) -> list[Finding]:
    """Everything that could go wrong with copying this database or freezing it, worst first.

    Without a `service_role` there is nothing to freeze, and only the copy is asked about. Each finding has words and a
    remedy in the catalogue (`readiness.<id>`). `source` is the login that will move it.
    """
    with session(source) as connection:
        asked = {
            "role": service_role,
            "extensions": sorted(target.extensions),
            "major": target.major,
            "icu": target.icu,
            "connections": shards + OTHER_CONNECTIONS,
        }
        rows = connection.execute(statement("assess"), asked).fetchall()
        findings = [Finding(*row) for row in rows]
        if service_role is not None:
            findings += _unholdable(connection, service_role)
        names = connection.execute(statement("names")).fetchall()
    order = ("critical", "warning", "info")
    return sorted([*findings, *name_findings(names)], key=lambda f: (order.index(f.severity), f.id, f.where))


def _unholdable(connection: Connection, role: str) -> Iterator[Finding]:
    """What `freeze` would refuse to do, grouped by way and by the role through which it goes."""
    ways: dict[tuple[str, str], list[str]] = defaultdict(list)
    for way, thing, through in other_ways(connection, role):
        ways[way, through].append(thing)
    for (way, through), things in sorted(ways.items()):
        values = {"through": through, "count": len(things), "first": things[0]}
        yield Finding(f"service_role_{way}", "critical", role, values)


def name_findings(names: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Names at the limit, names that become one when cut to 63 bytes, and names that only look alike.

    (Servers are built with longer limits too; a target is not.)
    """
    spaces: dict[str, list[str]] = defaultdict(list)
    for space, name in names:
        spaces[space].append(name)
        if len(name.encode()) >= CUT_BYTES:
            yield Finding("identifier_at_limit", "info", f"{space}.{name}", {"bytes": len(name.encode())})
    for space, members in sorted(spaces.items()):
        yield from _together(space, members, cut, "identifiers_collide", "critical")
        yield from _together(space, members, _look, "identifiers_look_alike", "warning")


def cut(name: str) -> str:
    """The name as PostgreSQL would cut it: at most 63 bytes, never in the middle of a letter."""
    return name.encode()[:IDENTIFIER_BYTES].decode(errors="ignore")


def _look(name: str) -> str:
    return unicodedata.normalize("NFKC", name)


def _together(
    space: str, members: list[str], shape: Callable[[str], str], identifier: str, severity: Severity
) -> Iterator[Finding]:
    shapes: dict[str, list[str]] = defaultdict(list)
    for name in members:
        shapes[shape(name)].append(name)
    for alike in shapes.values():
        if len(alike) > 1:
            yield Finding(identifier, severity, f"{space}.{alike[0]}", {"names": " · ".join(alike)})
