"""After the rows: indexes, constraints, triggers, policies, views, statistics; then a look that all is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases import programs
from onboarding.databases.fence import check, claim, label
from onboarding.databases.inventory import missing
from onboarding.databases.sessions import Connection, session
from onboarding.errors import Stop

UNIT = "finish"
JOBS = 2
SHOWN = 10

# A line of `pg_restore --list`: dump id; catalogue and object id on the source; the entry's kind and name.
ENTRY = re.compile(r"^(?P<dump>\d+); (?P<catalogue>\d+) (?P<object>\d+) (?P<name>.*)$", re.ASCII)
# What may be asked for twice without an error; anything else is left out once it exists.
REPEATABLE = ("COMMENT ", "ROW SECURITY ", "INDEX ATTACH ", "TABLE ATTACH ", "MATERIALIZED VIEW DATA ")
# Only a superuser makes them (CREATE EVENT TRIGGER), and the master is none; `assess` says so.
LEFT_OUT = ("EVENT TRIGGER ",)


@dataclass(frozen=True)
class Finished:
    """What this call made, and what was there from an earlier one."""

    made: int
    found: int


def finish(source: Database, target: Database, *, load: str, fence: int, jobs: int = JOBS) -> Finished:
    """Everything but rows as the source has it; safe to call again after a kill at any instant.

    Each index, constraint or trigger is made in one statement of its own, so that it is there or it is not; a
    repetition makes what is missing. Raises Stop when a planned part has not arrived, when rows break a constraint,
    or when something of the source's catalogue is not on the target in the end.
    """
    claim(target, UNIT, load=load, fence=fence)
    with session(target, label=label(UNIT, fence)) as connection:
        check(connection, load=load, fence=fence)
        _all_arrived(connection)
        archive = _archive(connection)
    _ensure_named_roles(source, target)
    with programs.private_directory() as folder:
        path = folder / "schema.dump"
        path.write_bytes(archive)
        todo, found = _todo(source, target, path)
        for entries, streams in _phases(todo, jobs):
            _restore(target, path, folder, entries, streams, fence)
    lost = missing(source, target)
    if lost:
        raise Stop("databases.objects_missing", where=str(target), count=len(lost), first="; ".join(lost[:SHOWN]))
    _analyze(target, load, fence)
    return Finished(len(todo), found)


def _all_arrived(connection: Connection) -> None:
    row = connection.execute(
        "SELECT (SELECT planned_at IS NOT NULL FROM namrong.load), count(*), count(c.part)"
        " FROM namrong.parts p LEFT JOIN namrong.checkpoints c USING (part)"
    ).fetchone()
    if row is None or not row[0] or row[1] != row[2]:
        raise Stop(
            "databases.parts_missing", where=connection.info.dbname, planned=row and row[1], arrived=row and row[2]
        )


def _ensure_named_roles(source: Database, target: Database) -> None:
    """The roles that row-security policies speak of exist on the target, without a login until somebody gives one."""
    with session(source) as reading:
        wanted = reading.execute(
            "SELECT DISTINCT r.rolname FROM pg_policy p CROSS JOIN LATERAL unnest(p.polroles) AS named (oid)"
            " JOIN pg_roles r ON r.oid = named.oid ORDER BY 1"
        ).fetchall()
    with session(target, autocommit=True) as connection:
        for (role,) in wanted:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))


def _archive(connection: Connection) -> bytes:
    row = connection.execute("SELECT archive FROM namrong.load").fetchone()
    if row is None or row[0] is None:
        raise Stop("databases.schema_missing", where=connection.info.dbname)
    return bytes(row[0])


def _todo(source: Database, target: Database, archive: Path) -> tuple[list[str], int]:
    """The archive's entries that the target lacks, as lines for pg_restore, and how many it has."""
    listing = programs.run("pg_restore", ["--list", "--section=post-data", str(archive)], None).decode()
    entries = [match for match in map(ENTRY.match, listing.splitlines()) if match]
    wanted = [entry for entry in entries if not entry["name"].startswith(LEFT_OUT)]
    once = [entry for entry in wanted if not entry["name"].startswith(REPEATABLE)]
    there = _existing(source, target, [(int(entry["catalogue"]), int(entry["object"])) for entry in once])
    todo = [
        entry
        for entry in wanted
        if entry["name"].startswith(REPEATABLE) or (int(entry["catalogue"]), int(entry["object"])) not in there
    ]
    return [entry[0] for entry in todo], len(wanted) - len(todo)


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


def _phases(todo: list[str], jobs: int) -> Iterator[tuple[list[str], int]]:
    """Indexes and keys in parallel, then their attachments one by one, then the rest in parallel.

    Two attachments at once to one partitioned index each see the other's partition as missing, and nobody marks the
    index valid: PostgreSQL checks completeness at each ATTACH and sees only what is committed.
    """
    names = {line: match["name"] for line in todo if (match := ENTRY.match(line))}
    attached = [line for line in todo if names[line].startswith("INDEX ATTACH ")]
    made = [line for line in todo if line not in attached and names[line].startswith(("INDEX ", "CONSTRAINT "))]
    yield made, jobs
    yield attached, 1
    yield [line for line in todo if line not in {*made, *attached}], jobs


def _restore(target: Database, archive: Path, folder: Path, todo: list[str], jobs: int, fence: int) -> None:
    if not todo:
        return
    chosen = folder / "todo.list"
    chosen.write_text("\n".join(todo) + "\n", encoding="utf-8")
    programs.run(
        "pg_restore",
        [f"--dbname={programs.connection_string(target)}", f"--jobs={jobs}", "--section=post-data", "--exit-on-error",
         "--no-owner", "--no-privileges", f"--use-list={chosen}", str(archive)],
        target, label=label(UNIT, fence),
    )  # fmt: skip


def _analyze(target: Database, load: str, fence: int) -> None:
    """Statistics for the planner: without them the first queries after the release are slow ones."""
    with session(target, autocommit=True, label=label(UNIT, fence)) as connection:
        connection.execute(sql.SQL("ANALYZE"))
        connection.execute(
            "UPDATE namrong.load SET finished_at = clock_timestamp() WHERE load = %s AND token <= %s", [load, fence]
        )
