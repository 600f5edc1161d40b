"""What is moved by whom: shards of about the same size, each a list of parts with a checkpoint of their own."""

from __future__ import annotations

import json
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from psycopg import sql

from onboarding.addresses import Database
from onboarding.databases.fence import check, label
from onboarding.databases.sessions import Connection, session, statement
from onboarding.databases.snapshot import import_snapshot

LEAST_PART_BYTES, MOST_PART_BYTES = 1 << 18, 256 << 20
PARTS_OF_ALL = 200
"""A killed attempt repeats what was under way, a part per stream: two streams on average one of so many parts."""
RANGES_FROM = 140_000  # PostgreSQL 14 is the first to read a range of blocks without reading the whole table
UNIT_BYTES, MOST_UNITS = 4 << 30, 1_000
"""A unit is minutes of work, so that what a failed one costs is minutes; Airflow maps a task over 1,024 at most."""
LARGE_OBJECTS_PER_PART = 1_000
LARGE_OBJECT_BYTES = 64 * 1024  # what one weighs in the plan; its size is not in any catalogue that an owner may read


@dataclass(frozen=True)
class Part:
    """Rows of one table between two blocks, or large objects between two ids; moved in one transaction.

    `first` is included, `end` is not; None is open. `into` is where rows go in: a root where partitions are hashed.
    """

    kind: Literal["rows", "large_objects"]
    schema: str
    table: str
    into: tuple[str, str]
    first: int | None
    end: int | None
    bytes: int

    @property
    def id(self) -> str:
        """Its name in the target's checkpoints."""
        name = json.dumps([self.schema, self.table], ensure_ascii=False) if self.kind == "rows" else self.kind
        return f"{name}[{self.first or 0},{'' if self.end is None else self.end})"


@dataclass(frozen=True)
class Shard:
    """One retryable unit: parts that one worker moves, one after another."""

    unit: str
    parts: tuple[Part, ...]

    @property
    def bytes(self) -> int:
        """About how much it weighs, TOAST included."""
        return sum(part.bytes for part in self.parts)

    def as_json(self) -> dict[str, Any]:
        """JSON types only, for a mapped task."""
        return {"unit": self.unit, "parts": [asdict(part) | {"into": list(part.into)} for part in self.parts]}

    @classmethod
    def from_json(cls, body: dict[str, Any]) -> Shard:
        """What `as_json` gave."""
        return cls(body["unit"], tuple(Part(**(part | {"into": tuple(part["into"])})) for part in body["parts"]))


def plan(source: Database, target: Database, shards: int, *, load: str, fence: int, snapshot_id: str) -> list[Shard]:
    """Units of about the same size that together hold every row and large object of the snapshot.

    At most `shards` of them, or as many more as it takes for none to weigh more than some 4 GiB. The plan is kept on
    the target; called again for the same load it gives the plan that is there, whatever was asked for, because parts
    that have arrived belong to it.
    """
    with session(source) as reading:
        import_snapshot(reading, snapshot_id)
        parts = list(_parts(reading))
    fresh = balance(parts, units_for(sum(part.bytes for part in parts), shards))
    with session(target, label=label("plan", fence)) as connection:
        check(connection, load=load, fence=fence)
        row = connection.execute("SELECT planned_at FROM namrong.load FOR UPDATE").fetchone()
        if row is not None and row[0] is None:
            _keep(connection, fresh)
        return _kept(connection)


def units_for(size: int, shards: int) -> int:
    """How many units so many bytes are divided into."""
    return max(shards, min(-(-size // UNIT_BYTES), MOST_UNITS))


def kept(target: Database) -> dict[str, Shard]:
    """The plan of the load that holds this database, by unit; empty before it was planned."""
    with session(target) as connection:
        return {shard.unit: shard for shard in _kept(connection)}


def balance(parts: Iterable[Part], shards: int) -> list[Shard]:
    """The parts in at most so many units of about one size, the largest tables first, each table's parts together.

    So tables are complete one after another, and their indexes can be made while the rows of others still come.
    """
    waiting = deque(_by_table(parts))
    left = sum(map(_weight, waiting))
    held: list[tuple[Part, ...]] = []
    while waiting:
        fair = left / (shards - len(held))
        chosen = [waiting.popleft()]
        size = _weight(chosen[0])
        # half of a part may stick out: as often as not it does not
        while waiting and (len(held) == shards - 1 or size + _weight(waiting[0]) / 2 <= fair):
            chosen.append(waiting.popleft())
            size += _weight(chosen[-1])
        held.append(tuple(chosen))
        left -= size
    return [Shard(f"s{number:03}", chosen) for number, chosen in enumerate(held)]


def _by_table(parts: Iterable[Part]) -> list[Part]:
    """Sorted by what goes into one table in all, largest first; within it as the blocks lie."""
    every = list(parts)
    whole: Counter[tuple[str, str, str]] = Counter()
    for part in every:
        whole[part.kind, *part.into] += _weight(part)
    return sorted(every, key=lambda p: (-whole[p.kind, *p.into], p.kind, p.into, p.schema, p.table, p.first or 0))


def _weight(part: Part) -> int:
    return max(part.bytes, 1)


def cut(table: Part, blocks: int, most_bytes: int) -> Iterator[Part]:
    """One table's parts of about `most_bytes`, by block. The last one is open: a table may grow after it was sized."""
    pieces = max(1, min(blocks, -(-table.bytes // most_bytes)))
    edges: Sequence[int] = [blocks * number // pieces for number in range(pieces)]
    for number, first in enumerate(edges):
        end = edges[number + 1] if number + 1 < pieces else None
        yield Part("rows", table.schema, table.table, table.into, first, end, table.bytes // pieces)


def _parts(reading: Connection) -> Iterator[Part]:
    tables = reading.execute(statement("sizes")).fetchall()
    whole = sum(size for _, _, _, size, *_ in tables)
    most = min(max(LEAST_PART_BYTES, -(-whole // PARTS_OF_ALL)), MOST_PART_BYTES)
    if reading.info.server_version < RANGES_FROM:
        most = max(whole, 1)
    for schema, name, blocks, size, _rows, into_schema, into_name in tables:
        yield from cut(Part("rows", schema, name, (into_schema, into_name), None, None, size), blocks, most)
    yield from _large_objects(reading)


def _large_objects(reading: Connection) -> Iterator[Part]:
    groups = reading.execute(
        sql.SQL(
            "SELECT min(oid)::bigint, max(oid)::bigint + 1, count(*) FROM ("
            " SELECT oid, (row_number() OVER (ORDER BY oid) - 1) / {} AS part FROM pg_largeobject_metadata) AS numbered"
            " GROUP BY part ORDER BY 1"
        ).format(sql.Literal(LARGE_OBJECTS_PER_PART))
    ).fetchall()
    for first, end, count in groups:
        yield Part("large_objects", "", "", ("", ""), first, end, count * LARGE_OBJECT_BYTES)


def _keep(connection: Connection, shards: Sequence[Shard]) -> None:
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO namrong.parts (part, unit, bytes, piece, place) VALUES (%s, %s, %s, %s, %s)",
            [
                (part.id, shard.unit, part.bytes, json.dumps(asdict(part)), place)
                for shard in shards
                for place, part in enumerate(shard.parts)
            ],
        )
    connection.execute("UPDATE namrong.load SET planned_at = clock_timestamp()")


def _kept(connection: Connection) -> list[Shard]:
    rows = connection.execute("SELECT unit, jsonb_agg(piece ORDER BY place) FROM namrong.parts GROUP BY unit"
                              " ORDER BY unit").fetchall()  # fmt: skip
    return [Shard.from_json({"unit": unit, "parts": parts}) for unit, parts in rows]
