"""Rows that were just copied are read once, while their pages are still in memory, so that they are written only once.

PostgreSQL marks a row as committed when somebody first reads it. That is an index being built, minutes later, and by
then the page lies on the disk: it is written again, and where pages have checksums (its default since 18, and RDS's)
the whole page goes through the log as well. On 5.4 GB that was 4 of 8.6 GB of log, and 7 of 44 s.
"""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg
from psycopg import sql

from onboarding.databases.streams import Stream

RANGES_FROM = 14  # older servers read the whole table to find a range of it
AHEAD = 64
"""So many blocks PostgreSQL adds to a table at a time (since 16); the next rows go into those that were left empty."""

LOCK_PATIENCE = "100ms"
"""Whoever builds this table's indexes already has the rows read."""

BLOCKS = "SELECT pg_relation_size($1::text::regclass) / current_setting('block_size')::int"
LARGE = "SELECT sum(bytes) > pg_size_bytes(current_setting('max_wal_size')) / 2 FROM namrong.parts"


@dataclass(frozen=True)
class Begun:
    """A table before rows were added: its name, quoted, and the first block that may take one."""

    table: str
    block: int


async def pay(writing: Stream) -> bool:
    """Whether marking pays: a load that is over before the next checkpoint comes is never written twice."""
    return writing.get_server_version().major >= RANGES_FROM and bool(await writing.fetchval(LARGE))


async def before(writing: Stream, table: tuple[str, str]) -> Begun:
    """Where what is added from now on begins."""
    name = sql.Identifier(*table).as_string()
    return Begun(name, max(int(await writing.fetchval(BLOCKS, name)) - AHEAD - 1, 0))


async def mark(writing: Stream, begun: Begun) -> None:
    """The rows that were added since, and are committed, are marked so. A help, never a need: it may do nothing."""
    added = f"SELECT count(*) FROM ONLY {begun.table} WHERE ctid >= '({begun.block},0)'"
    try:
        await writing.execute(f"SET LOCAL lock_timeout = '{LOCK_PATIENCE}'; {added}")  # both in one transaction
    except asyncpg.LockNotAvailableError:
        return
