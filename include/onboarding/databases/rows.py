"""Rows, passed through by COPY from one snapshot: no row is parsed, memory stays constant, each part is atomic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.fence import claim, label
from onboarding.databases.large_objects import copy_large_objects
from onboarding.databases.plan import Part, Shard
from onboarding.databases.sessions import Connection, session, statement
from onboarding.databases.snapshot import import_snapshot, sees
from onboarding.errors import Stop

CHUNK_BYTES = 256 * 1024
LOCK_PATIENCE_MS = 60_000
"""A copy that waits longer for somebody's lock on the source fails and is tried again: it never hangs unseen."""


@dataclass(frozen=True)
class ShardResult:
    """What this call moved: rows, large objects, bytes of both, parts; and parts that were there already."""

    rows: int
    large_objects: int
    bytes: int
    parts: int
    skipped: int


def move_unit(
    source: Database, target: Database, shard: Shard, *, snapshot_id: str, load: str, fence: int
) -> ShardResult:
    """Every part of the shard is on the target; parts with a checkpoint of this snapshot are not moved again.

    Raises Stop when a newer attempt took over, the snapshot is gone, or parts of another snapshot are there (the
    load has to start clean: `ensure_empty_database` under a new load); TryAgain when a server went away.
    """
    claim(target, shard.unit, load=load, fence=fence)
    moved: list[tuple[Part, int, int]] = []
    name = label(shard.unit, fence)
    with session(source, label=name) as reading, session(target, autocommit=True, label=name) as writing:
        arrived = _arrived(writing, shard, snapshot_id)
        todo = [part for part in shard.parts if part.id not in arrived]
        if todo:
            import_snapshot(reading, snapshot_id)
            reading.execute(f"SET LOCAL lock_timeout = {LOCK_PATIENCE_MS}")
        for part in todo:
            done = _move(reading, writing, part, Attempt(load, shard.unit, snapshot_id, fence))
            if done is not None:
                moved.append((part, *done))
    return ShardResult(
        sum(count for part, count, _ in moved if part.kind == "rows"),
        sum(count for part, count, _ in moved if part.kind == "large_objects"),
        sum(size for _, _, size in moved),
        len(moved),
        len(shard.parts) - len(moved),
    )


@dataclass(frozen=True)
class Attempt:
    """Who moves, for what, from when: what a checkpoint says beside its figures."""

    load: str
    unit: str
    snapshot_id: str
    fence: int


def _arrived(writing: Connection, shard: Shard, snapshot_id: str) -> set[str]:
    """The parts that are there. Raises Stop when anything on the target came from another snapshot."""
    seen = sees(snapshot_id)
    other = writing.execute("SELECT 1 FROM namrong.checkpoints WHERE snapshot <> %s LIMIT 1", [seen]).fetchone()
    if other is not None:
        raise Stop("databases.mixed_snapshot", where=writing.info.dbname)
    rows = writing.execute("SELECT part FROM namrong.checkpoints WHERE unit = %s", [shard.unit])
    return {part for (part,) in rows}


def _move(reading: Connection, writing: Connection, part: Part, attempt: Attempt) -> tuple[int, int] | None:
    """Rows and bytes of one part, moved and checkpointed in one transaction; None when somebody else just did."""
    try:
        with writing.transaction():
            check_shared(writing, attempt)
            copier: Callable[..., tuple[int, int]] = copy_rows if part.kind == "rows" else copy_large_objects
            rows, size = copier(reading, writing, part)
            writing.execute(
                "INSERT INTO namrong.checkpoints (part, load, unit, snapshot, rows, bytes, fence)"
                " VALUES (%s, %s, %s, %s, %s, %s, %s)",
                [part.id, attempt.load, attempt.unit, sees(attempt.snapshot_id), rows, size, attempt.fence],
            )
    except psycopg.errors.UniqueViolation as twice:
        if twice.diag.schema_name == "namrong" and twice.diag.table_name == "checkpoints":
            return None
        raise
    return rows, size


def check_shared(writing: Connection, attempt: Attempt) -> None:
    """A look before the work, without a lock that lasts; the refusal that counts is the checkpoint's."""
    held = writing.execute("SELECT load, token FROM namrong.load").fetchone()
    if held is None or held[0] != attempt.load or held[1] > attempt.fence:
        raise Stop("databases.fenced", where=writing.info.dbname)


def copy_rows(reading: Connection, writing: Connection, part: Part) -> tuple[int, int]:
    """Rows and bytes copied, from blocks of one table into the same columns there."""
    columns, binary = _columns(reading, part)
    how = sql.SQL("(FORMAT {})").format(sql.SQL("binary" if binary else "text"))
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    out = sql.SQL("COPY (SELECT {} FROM ONLY {}{}) TO STDOUT {}").format(
        names, sql.Identifier(part.schema, part.table), _between(part), how
    )
    listed = sql.SQL("({})").format(names) if columns else sql.SQL("")  # a table may have no column of its own
    into = sql.SQL("COPY {} {} FROM STDIN {}").format(sql.Identifier(*part.into), listed, how)
    size = 0
    with reading.cursor() as giving, writing.cursor() as taking:
        with giving.copy(out) as chunks, taking.copy(into) as sink:
            waiting = bytearray()
            for chunk in chunks:
                waiting += chunk
                if len(waiting) >= CHUNK_BYTES:
                    size += len(waiting)
                    sink.write(bytes(waiting))
                    waiting.clear()
            size += len(waiting)
            sink.write(bytes(waiting))
        if giving.rowcount != taking.rowcount:
            raise Stop("databases.rows_lost", where=part.id, read=giving.rowcount, written=taking.rowcount)
        return taking.rowcount, size


def _columns(reading: Connection, part: Part) -> tuple[list[str], bool]:
    row = reading.execute(statement("columns"), {"schema": part.schema, "table": part.table}).fetchone()
    if row is None:
        raise Stop("databases.refused", where=part.id, reason="pg_attribute", sqlstate="")
    return list(row[0] or []), bool(row[1])


def _between(part: Part) -> sql.Composable:
    """Blocks of the table as a condition on ctid, which PostgreSQL 14 and newer scans as a range."""
    edges = []
    if part.first:
        edges.append(sql.SQL("ctid >= {}").format(sql.Literal(f"({part.first},0)")))
    if part.end is not None:
        edges.append(sql.SQL("ctid < {}").format(sql.Literal(f"({part.end},0)")))
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(edges) if edges else sql.SQL("")
