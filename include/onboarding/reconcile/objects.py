"""Everything but rows: what each server's catalogue says there is, and where the two catalogues differ.

A kind of object is a file of `include/sql/reconcile/objects`: it gives a name and a definition per object. Definitions
are PostgreSQL's own (`pg_get_…def` under an empty search path), so both servers should run the same major version, or
a difference may only be one of spelling: strict, never silent. Not compared: publications, subscriptions, security
labels, tablespaces, user mappings. They belong to the machine, not to the service.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from onboarding.reconcile.relations import QUERIES, query
from onboarding.reconcile.sides import Side

KINDS = tuple(sorted(path.stem for path in (QUERIES / "objects").glob("*.sql")))
GRANTS = ("grants", "default_privileges")

# What the service role, and PUBLIC with it, gives up until release, by the first word of the object's kind.
# Of routines only those that write with their owner's rights.
TABLE_WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
OF_TABLES = (*TABLE_WRITES, "TRIGGER", "MAINTAIN")
WRITES: Mapping[str, tuple[str, ...]] = {
    "table": OF_TABLES, "view": OF_TABLES, "materialized": OF_TABLES, "foreign": OF_TABLES,
    "sequence": ("USAGE", "UPDATE"), "schema": ("CREATE",), "function": ("EXECUTE",), "procedure": ("EXECUTE",),
}  # fmt: skip

Definition = Mapping[str, Any]
Census = dict[tuple[str, str], Definition]
Problem = Literal["missing", "extra", "different", "open"]


@dataclass(frozen=True)
class ObjectDifference:
    """One object that is missing, extra or different, and in which attributes; what they were is for the operator."""

    kind: str
    name: str
    problem: Problem
    attributes: tuple[str, ...] = ()
    source: Definition = field(default_factory=dict, repr=False)
    target: Definition = field(default_factory=dict, repr=False)

    def as_json(self) -> dict[str, Any]:
        """Names only: a definition may quote anything."""
        return {"kind": self.kind, "name": self.name, "problem": self.problem, "attributes": list(self.attributes)}


@dataclass(frozen=True)
class Objects:
    """How many objects of each kind the source has, and every difference."""

    counts: Mapping[str, int] = field(default_factory=dict)
    differences: tuple[ObjectDifference, ...] = ()


def compare_objects(
    source: Side,
    target: Side,
    exclude_schemas: Sequence[str],
    *,
    roles: Mapping[str, str],
    expect_writes_closed_for: str | None = None,
) -> Objects:
    """Both catalogues, object by object.

    `roles` says what a role of the source is called on the target; every other owner becomes the owner of the target
    database (a managed service has one master), every other grantee keeps its name. The writing privileges of
    `expect_writes_closed_for` are left out of the comparison, and must not be there on the target.
    """
    owner = _database_owner(target)
    closed = expect_writes_closed_for
    ours = census(source, exclude_schemas, _Roles({**roles}, owner, everybody=True), closed)
    theirs = census(target, exclude_schemas, _Roles({}, owner, everybody=False), closed and roles.get(closed, closed))
    found = list(differences(ours, theirs))
    if closed:
        found += _open_tables(target, exclude_schemas, roles.get(closed, closed))
    counts = {kind: sum(1 for key in ours if key[0] == kind) for kind in KINDS}
    return Objects(counts, tuple(sorted(found, key=lambda difference: (difference.kind, difference.name))))


def census(side: Side, exclude_schemas: Sequence[str], roles: _Roles, closed: str | None) -> Census:
    """Every object of the side as (kind, name) and its definition, roles by their names on the target."""
    found: Census = {}
    for kind in KINDS:
        for name, definition in side.ask(query("own") + query(f"objects/{kind}"), {"excluded": [*exclude_schemas]}):
            if kind not in GRANTS:
                found[kind, name] = roles.renamed(definition)
            elif granted := _granted(name, definition, roles, closed):
                grantee, privileges = granted
                key = kind, f"{name} to {grantee}"
                # two roles of the source may be one on the target: together they have what either had
                held = {*found.get(key, {}).get("privileges", ()), *privileges}
                found[key] = {"privileges": sorted(held)}
    return found


def differences(ours: Census, theirs: Census) -> Iterator[ObjectDifference]:
    """What the target lacks, has beside, or has otherwise."""
    for kind, name in ours.keys() | theirs.keys():
        before, after = ours.get((kind, name)), theirs.get((kind, name))
        if before is None or after is None:
            problem: Problem = "missing" if after is None else "extra"
            yield ObjectDifference(kind, name, problem, (), before or {}, after or {})
        elif before != after:
            attributes = tuple(sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key)))
            yield ObjectDifference(kind, name, "different", attributes, before, after)


@dataclass(frozen=True)
class _Roles:
    """Role names as they are on the target. `everybody`: an owner without a name of its own there is the master."""

    names: Mapping[str, str]
    owner: str
    everybody: bool

    def of_owner(self, role: str) -> str:
        if role == "pg_database_owner":
            return self.owner
        return self.names.get(role, self.owner if self.everybody else role)

    def of_grantee(self, role: str) -> str:
        return self.names.get(role, role)

    def renamed(self, definition: Definition) -> Definition:
        changed = dict(definition)
        if "owner" in changed:
            changed["owner"] = self.of_owner(changed["owner"])
        if changed.get("roles"):
            changed["roles"] = sorted(self.of_grantee(role) for role in changed["roles"])
        return changed


def _granted(name: str, definition: Definition, roles: _Roles, closed: str | None) -> tuple[str, list[str]] | None:
    """Who holds what, as compared; None where that is the owner, or nothing is left."""
    privileges = definition["privileges"]
    if closed and definition["grantee"] in (closed, "PUBLIC"):
        given_up = WRITES.get(name.split(" ")[0], ())
        privileges = [held for held in privileges if held.split(" ")[0] not in given_up]
    grantee = roles.of_grantee(definition["grantee"])
    return (grantee, privileges) if privileges and grantee != roles.owner else None


def _database_owner(side: Side) -> str:
    return str(side.ask("SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = current_database()")[0][0])


def _open_tables(side: Side, exclude_schemas: Sequence[str], role: str) -> list[ObjectDifference]:
    """Tables that the service role could write to already, by whatever grant or membership."""
    rows = side.ask(
        query("own")
        + """SELECT format('%%s.%%s', schema, c.relname) FROM pg_class c JOIN own ON schema_oid = c.relnamespace
              JOIN pg_roles r ON r.rolname = %(role)s
             WHERE c.relkind IN ('r', 'p', 'f', 'v') AND has_table_privilege(r.oid, c.oid, %(writes)s)""",
        {"excluded": [*exclude_schemas], "role": role, "writes": ", ".join(TABLE_WRITES)},
    )
    return [ObjectDifference("grants", f"{name} to {role}", "open") for (name,) in rows]
