"""Rows, passed through by COPY from one snapshot: no row is parsed, memory stays constant, each part is atomic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases import hints, streams
from onboarding.databases.fence import claimed, label
from onboarding.databases.large_objects import copy_large_objects
from onboarding.databases.plan import Part, Shard
from onboarding.databases.sessions import Connection, session, statement
from onboarding.databases.snapshot import sees
from onboarding.databases.streams import Stream, begin_on_snapshot, pass_through, stream
from onboarding.errors import Stop

Told = Callable[[int], None]


def unheard(_: int) -> None:
    """Nobody wants to know."""


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
    source: Database, target: Database, shard: Shard, *, snapshot_id: str, load: str, fence: int, told: Told = unheard
) -> ShardResult:
    """Every part of the shard is on the target; parts with a checkpoint of this snapshot are not moved again.

    `told` hears of each part as it arrives how many bytes it was planned with (first, of those that are there).

    Raises Stop when a newer attempt took over, the snapshot is gone, or parts of another snapshot are there (the
    load has to start clean: `ensure_empty_database` under a new load); TryAgain when a server went away.
    """
    with claimed(target, shard.unit, load=load, fence=fence) as connection:
        arrived = _arrived(connection, shard, snapshot_id)
    todo = [part for part in shard.parts if part.id not in arrived]
    told(shard.bytes - sum(part.bytes for part in todo))
    forms = _forms(source, todo)
    attempt = Attempt(load, shard.unit, snapshot_id, fence)
    moved = streams.run(lambda: _move_all(source, target, todo, forms, attempt, told), source, target) if todo else []
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
    """The parts that are there. Raises Stop when what is on the target came from another snapshot."""
    if writing.execute("SELECT snapshot FROM namrong.load").fetchone() != (sees(snapshot_id),):
        raise Stop("databases.mixed_snapshot", where=writing.info.dbname)
    rows = writing.execute("SELECT part FROM namrong.checkpoints WHERE unit = %s", [shard.unit])
    return {part for (part,) in rows}


@dataclass(frozen=True)
class _Form:
    """How a table travels: its columns, and whether the binary form means the same on both sides."""

    columns: list[str]
    binary: bool


def _forms(source: Database, parts: list[Part]) -> dict[tuple[str, str], _Form]:
    """By table. (Asked outside the snapshot: its holder keeps every table from being altered.)"""
    forms: dict[tuple[str, str], _Form] = {}
    with session(source) as reading:
        for schema, table in {(part.schema, part.table) for part in parts if part.kind == "rows"}:
            row = reading.execute(statement("columns"), {"schema": schema, "table": table}).fetchone()
            if row is None:
                raise Stop("databases.refused", where=f"{schema}.{table}", reason="pg_attribute", sqlstate="")
            forms[schema, table] = _Form(list(row[0] or []), bool(row[1]))
    return forms


async def _move_all(
    source: Database,
    target: Database,
    parts: list[Part],
    forms: dict[tuple[str, str], _Form],
    attempt: Attempt,
    told: Told,
) -> list[tuple[Part, int, int]]:
    """Rows and bytes of each part that this call moved."""
    moved: list[tuple[Part, int, int]] = []
    name = label(attempt.unit, attempt.fence)
    async with stream(source, name) as reading, stream(target, name) as writing:
        await begin_on_snapshot(reading, attempt.snapshot_id, LOCK_PATIENCE_MS)
        marking = await hints.pay(writing)
        for part in parts:
            done = await _move(reading, writing, part, forms.get((part.schema, part.table)), attempt, marking)
            if done is not None:
                moved.append((part, *done))
            told(part.bytes)
    return moved


async def _move(
    reading: Stream, writing: Stream, part: Part, form: _Form | None, attempt: Attempt, marking: bool
) -> tuple[int, int] | None:
    """Rows and bytes of one part, moved and checkpointed in one transaction; None when somebody else just did."""
    begun: hints.Begun | None = None
    try:
        async with writing.transaction():
            await _check(writing, attempt)
            if form is None:
                rows, size = await copy_large_objects(reading, writing, part)
            else:
                begun = await hints.before(writing, part.into) if marking else None
                rows, size = await copy_rows(reading, writing, part, form)
            await writing.execute(
                "INSERT INTO namrong.checkpoints (part, load, unit, snapshot, rows, bytes, fence)"
                " VALUES ($1, $2, $3, $4, $5, $6, $7)",
                part.id, attempt.load, attempt.unit, sees(attempt.snapshot_id), rows, size, attempt.fence,
            )  # fmt: skip
    except asyncpg.UniqueViolationError as twice:
        if twice.schema_name == "namrong" and twice.table_name == "checkpoints":
            return None
        raise
    if begun is not None:
        await hints.mark(writing, begun)
    return rows, size


async def _check(writing: Stream, attempt: Attempt) -> None:
    """A look before the work, without a lock that lasts; the refusal that counts is the checkpoint's."""
    held = await writing.fetchrow("SELECT load, token FROM namrong.load")
    if held is None or held[0] != attempt.load or held[1] > attempt.fence:
        raise Stop("databases.fenced", where=writing.where)


async def copy_rows(reading: Stream, writing: Stream, part: Part, form: _Form) -> tuple[int, int]:
    """Rows and bytes copied, from blocks of one table into the same columns there."""
    names = sql.SQL(", ").join(map(sql.Identifier, form.columns))
    query = sql.SQL("SELECT {} FROM ONLY {}{}").format(names, sql.Identifier(part.schema, part.table), _between(part))
    schema, table = part.into
    read, written, size = await pass_through(
        reading, query.as_string(), writing, schema=schema, table=table, columns=form.columns,
        form="binary" if form.binary else "text",
    )  # fmt: skip
    if read != written:
        raise Stop("databases.rows_lost", where=part.id, read=read, written=written)
    return written, size


def _between(part: Part) -> sql.Composable:
    """Blocks of the table as a condition on ctid, which PostgreSQL 14 and newer scans as a range."""
    edges = []
    if part.first:
        edges.append(sql.SQL("ctid >= {}").format(sql.Literal(f"({part.first},0)")))
    if part.end is not None:
        edges.append(sql.SQL("ctid < {}").format(sql.Literal(f"({part.end},0)")))
    return sql.SQL(" WHERE ") + sql.SQL(" AND ").join(edges) if edges else sql.SQL("")
