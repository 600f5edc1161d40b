"""Large objects under their own ids, content and comment, chunk by chunk."""

from __future__ import annotations

from psycopg import sql

from onboarding.databases.plan import Part
from onboarding.databases.streams import Stream

CHUNK_BYTES = 1024 * 1024


async def copy_large_objects(reading: Stream, writing: Stream, part: Part) -> tuple[int, int]:
    """How many were copied and their bytes. Holes read as zeros and are written as such, as pg_dump does.

    Who may read or write them is brought with all other grants; the owner is the master.
    """
    found = await reading.fetch(
        "SELECT m.oid::bigint, obj_description(m.oid, 'pg_largeobject') FROM pg_largeobject_metadata m"
        " WHERE m.oid::bigint >= $1 AND m.oid::bigint < $2 ORDER BY m.oid",
        part.first, part.end,
    )  # fmt: skip
    size = 0
    for oid, comment in found:
        await writing.execute("SELECT lo_create($1::oid)", oid)
        size += await _copy_content(reading, writing, oid)
        if comment is not None:
            said = sql.SQL("COMMENT ON LARGE OBJECT {} IS {}").format(sql.Literal(oid), sql.Literal(comment))
            await writing.execute(said.as_string())
    return len(found), size


async def _copy_content(reading: Stream, writing: Stream, oid: int) -> int:
    at = 0
    while True:
        chunk = await reading.fetchval("SELECT lo_get($1::oid, $2, $3)", oid, at, CHUNK_BYTES) or b""
        if chunk:
            await writing.execute("SELECT lo_put($1::oid, $2, $3)", oid, at, chunk)
            at += len(chunk)
        if len(chunk) < CHUNK_BYTES:
            return at
