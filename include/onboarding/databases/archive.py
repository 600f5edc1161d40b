"""What pg_dump's archive holds beyond rows, which of it the target lacks, and pg_restore that makes it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from onboarding.addresses import Database
from onboarding.databases import programs
from onboarding.databases.sessions import session
from onboarding.errors import Stop

# A line of `pg_restore --list`: dump id; catalogue and object id on the source; the entry's kind and name.
LINE = re.compile(r"^(?P<dump>\d+); (?P<catalogue>\d+) (?P<object>\d+) (?P<name>.*)$", re.ASCII)
# What may be asked for twice without an error; anything else is left out once it exists.
REPEATABLE = ("COMMENT ", "ROW SECURITY ", "INDEX ATTACH ", "TABLE ATTACH ", "MATERIALIZED VIEW DATA ")
# Only a superuser makes them (CREATE EVENT TRIGGER), and the master is none; `assess` says so.
LEFT_OUT = ("EVENT TRIGGER ",)
ATTACHED = "INDEX ATTACH "
INDEXES = ("INDEX ", "CONSTRAINT ")


@dataclass(frozen=True)
class Entry:
    """One statement of the archive: its line for pg_restore, its kind and name, its object on the source."""

    line: str
    name: str
    catalogue: int
    object: int

    @property
    def identity(self) -> tuple[int, int]:
        return self.catalogue, self.object

    @property
    def attaches(self) -> bool:
        """Whether it makes an index of a partition a part of the whole table's."""
        return self.name.startswith(ATTACHED)

    @property
    def is_index(self) -> bool:
        """Whether it is an index, or a key or exclusion that is one."""
        return self.name.startswith(INDEXES) and not self.attaches


@dataclass(frozen=True)
class Todo:
    """The archive's entries that the target lacks, and how many it has."""

    entries: tuple[Entry, ...]
    found: int


@contextmanager
def opened(target: Database) -> Iterator[Path]:
    """The archive that the target keeps, as a file, in a private directory that is gone afterwards."""
    with session(target) as connection:
        row = connection.execute("SELECT archive FROM namrong.load").fetchone()
    if row is None or row[0] is None:
        raise Stop("databases.schema_missing", where=target.name)
    with programs.private_directory() as folder:
        path = folder / "schema.dump"
        path.write_bytes(bytes(row[0]))
        yield path


def todo(source: Database, target: Database, archive: Path) -> Todo:
    """What of the archive's post-data section is still to be made."""
    listing = programs.run("pg_restore", ["--list", "--section=post-data", str(archive)], None).decode()
    matches = [match for match in map(LINE.match, listing.splitlines()) if match]
    entries = [Entry(found[0], found["name"], int(found["catalogue"]), int(found["object"])) for found in matches]
    wanted = [entry for entry in entries if not entry.name.startswith(LEFT_OUT)]
    there = _existing(source, target, [entry.identity for entry in wanted if not _is_repeatable(entry)])
    lacking = tuple(entry for entry in wanted if _is_repeatable(entry) or entry.identity not in there)
    return Todo(lacking, len(wanted) - len(lacking))


def restore(target: Database, archive: Path, entries: Sequence[Entry], *, jobs: int, label: str) -> None:
    """Makes the entries, each in one statement of its own, `jobs` at a time."""
    if not entries:
        return
    chosen = archive.parent / "todo.list"
    chosen.write_text("\n".join(entry.line for entry in entries) + "\n", encoding="utf-8")
    programs.run(
        "pg_restore",
        [f"--dbname={programs.connection_string(target)}", f"--jobs={jobs}", "--section=post-data", "--exit-on-error",
         "--no-owner", "--no-privileges", f"--use-list={chosen}", str(archive)],
        target, label=label,
    )  # fmt: skip


def _is_repeatable(entry: Entry) -> bool:
    return entry.name.startswith(REPEATABLE)


def _existing(source: Database, target: Database, objects: list[tuple[int, int]]) -> set[tuple[int, int]]:
    """Those of the source's objects that the target has under the same identity.

    PostgreSQL names any object portably: `pg_identify_object_as_address` there, `pg_get_object_address` here
    (manual, 9.27.5); the latter raises for what is not there, so each is asked in a savepoint. A view's own rule
    never counts as there: pg_dump makes a dummy view before the rows when the real one needs a key, and replaces it.
    """
    with session(source) as reading:
        named = reading.execute(
            "SELECT o.catalogue::bigint, o.object::bigint, a.type, a.object_names, a.object_args"
            " FROM unnest(%s::oid[], %s::oid[]) AS o (catalogue, object)"
            " CROSS JOIN LATERAL pg_identify_object_as_address(o.catalogue, o.object, 0) AS a WHERE a.type IS NOT NULL"
            " AND NOT (a.type = 'rule' AND a.object_names[cardinality(a.object_names)] = '_RETURN')",
            [[catalogue for catalogue, _ in objects], [oid for _, oid in objects]],
        ).fetchall()
    with session(target) as connection:
        connection.execute(_EXISTS)
        return {
            (catalogue, oid)
            for catalogue, oid, kind, names, arguments in named
            if connection.execute("SELECT pg_temp.there(%s, %s, %s)", [kind, names, arguments]).fetchone() == (True,)
        }


_EXISTS = """
CREATE FUNCTION pg_temp.there(kind text, names text[], arguments text[]) RETURNS boolean LANGUAGE plpgsql AS $there$
BEGIN
    PERFORM pg_get_object_address(kind, names, arguments);
    RETURN true;
EXCEPTION WHEN undefined_object OR undefined_table OR undefined_column OR undefined_function OR invalid_schema_name THEN
    RETURN false;
END
$there$
"""
