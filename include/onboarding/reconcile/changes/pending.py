"""Keys of rows that changed, kept on the target until the rows are seen equal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import sql

from onboarding.addresses import Database
from onboarding.reconcile.changes.sessions import Connection, session, statement
from onboarding.reconcile.changes.watches import Watch, Watches
from onboarding.reconcile.relations import Name

Key = tuple[str, ...]

KEYS_PER_BATCH = 500


@dataclass(frozen=True)
class Pending:
    """A key of one table, with the number of the transaction that changed it last on either side (32 bits)."""

    table: Name
    key: Key = field(repr=False)
    source_xid: int | None
    target_xid: int | None
    source_at: str | None
    target_at: str | None

    @property
    def stamp(self) -> tuple[int | None, int | None, str | None, str | None]:
        """Another one once the row changed again."""
        return self.source_xid, self.target_xid, self.source_at, self.target_at


def ensure_pending(watch: Watch) -> None:
    """The tables of `changes/pending.sql` are there, and where the watch was read to. Safe to call again."""
    with session(watch.kept) as connection, connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(3)")  # CREATE … IF NOT EXISTS alone may collide
        connection.execute(statement("pending"))


def read_to(connection: Connection, watch: Watch) -> str | None:
    """Up to where the watch's changes are kept; None before the first."""
    if connection.execute("SELECT to_regclass('namrong.watch_read')").fetchone() == (None,):
        return None
    row = connection.execute(
        "SELECT read_to::text FROM namrong.watch_read WHERE watch = %s AND side = %s", [watch.name, watch.side]
    ).fetchone()
    return None if row is None else str(row[0])


def set_read_to(connection: Connection, watch: Watch, position: str) -> None:
    connection.execute(
        "INSERT INTO namrong.watch_read AS r VALUES (%s, %s, %s) ON CONFLICT (watch, side)"
        " DO UPDATE SET read_to = greatest(r.read_to, excluded.read_to)",
        [watch.name, watch.side, position],
    )


def keep(connection: Connection, watch: Watch, changed: Mapping[tuple[Name, Key], tuple[int, str]]) -> None:
    """These keys changed on the watch's side: by which transaction, committed where."""
    if not changed:
        return
    columns = zip(
        *(
            (*table, digest(key), json.dumps(key, ensure_ascii=False), *latest)
            for (table, key), latest in changed.items()
        ),
        strict=True,
    )
    xid, at = (sql.Identifier(f"{watch.side}_{what}") for what in ("xid", "at"))
    connection.execute(
        sql.SQL(
            "INSERT INTO namrong.pending AS p (watch, schema, name, digest, key, {xid}, {at})"
            " SELECT %s, * FROM unnest(%s::text[], %s::text[], %s::bytea[], %s::text[], %s::bigint[], %s::pg_lsn[])"
            " ON CONFLICT (watch, schema, name, digest)"
            " DO UPDATE SET {xid} = excluded.{xid}, {at} = excluded.{at}, looks = 0"
        ).format(xid=xid, at=at),
        [watch.name, *map(list, columns)],
    )


def doubt(connection: Connection, watch: Watch, tables: Mapping[Name, str]) -> None:
    """These tables are to be compared wholly, for that reason; the first stays."""
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO namrong.doubtful VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
            [[watch.name, *table, reason] for table, reason in tables.items()],
        )


def doubtful(kept: Database, watches: Watches) -> dict[Name, str]:
    """Tables to be compared wholly, and why."""
    with session(kept) as connection:
        rows = connection.execute(
            "SELECT schema, name, reason FROM namrong.doubtful WHERE watch = %s", [watches.source.name]
        ).fetchall()
    return {(schema, name): reason for schema, name, reason in rows}


def how_many(watches: Watches) -> int:
    """Keys that are pending."""
    with session(watches.target.kept) as connection:
        row = connection.execute(
            "SELECT count(*) FROM namrong.pending WHERE watch = %s", [watches.source.name]
        ).fetchone()
    return int(row[0]) if row else 0


def some(connection: Connection, watches: Watches, table: Name, after: bytes, most: int) -> list[Pending]:
    """Up to so many pending keys of one table, in the order of their digests, after that one."""
    rows = connection.execute(
        "SELECT key, source_xid, target_xid, source_at::text, target_at::text FROM namrong.pending"
        " WHERE watch = %s AND schema = %s AND name = %s AND digest > %s ORDER BY digest LIMIT %s",
        [watches.source.name, *table, after, most],
    ).fetchall()
    return [Pending(table, tuple(json.loads(key)), *stamp) for key, *stamp in rows]


def batches(connection: Connection, watches: Watches, table: Name) -> Iterator[list[Pending]]:
    """All pending keys of one table, a few hundred at a time."""
    after = b""
    while batch := some(connection, watches, table, after, KEYS_PER_BATCH):
        yield batch
        after = digest(batch[-1].key)


def keys(batch: Sequence[Pending]) -> list[Key]:
    return [one.key for one in batch]


def tables(connection: Connection, watches: Watches) -> list[Name]:
    """Tables of which keys are pending."""
    rows = connection.execute(
        "SELECT DISTINCT schema, name FROM namrong.pending WHERE watch = %s ORDER BY 1, 2", [watches.source.name]
    ).fetchall()
    return [(schema, name) for schema, name in rows]


STAMPED = (
    " WHERE watch = %s AND schema = %s AND name = %s AND digest = %s AND source_xid IS NOT DISTINCT FROM %s"
    " AND target_xid IS NOT DISTINCT FROM %s AND source_at IS NOT DISTINCT FROM %s::pg_lsn"
    " AND target_at IS NOT DISTINCT FROM %s::pg_lsn"
)


def clear(connection: Connection, watches: Watches, seen: Iterable[Pending]) -> None:
    """These rows are equal; one that changed again since it was read stays."""
    with connection.cursor() as cursor:
        cursor.executemany("DELETE FROM namrong.pending" + STAMPED, [_stamped(watches, one) for one in seen])


def unchanged(connection: Connection, watches: Watches, seen: Iterable[Pending]) -> list[Pending]:
    """Those of them that did not change again."""
    return [
        one
        for one in seen
        if connection.execute("SELECT 1 FROM namrong.pending" + STAMPED, _stamped(watches, one)).fetchone()
    ]


def _stamped(watches: Watches, one: Pending) -> list[object]:
    return [watches.source.name, *one.table, digest(one.key), *one.stamp]


def digest(key: Key) -> bytes:
    """SHA-256 over the key, each part with its length."""
    return hashlib.sha256(b"".join(b"%d:%s" % (len(part.encode()), part.encode()) for part in key)).digest()
