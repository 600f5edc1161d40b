"""Large objects under their own ids, content and comment, chunk by chunk."""

from __future__ import annotations

from psycopg import sql

from onboarding.databases.plan import Part
from onboarding.databases.sessions import Connection

CHUNK_BYTES = 1024 * 1024


def copy_large_objects(reading: Connection, writing: Connection, part: Part) -> tuple[int, int]:
    """How many were copied and their bytes. Holes read as zeros and are written as such, as pg_dump does.

    Who may read or write them is brought with all other grants; the owner is the master.
    """
    found = reading.execute(
        "SELECT m.oid::bigint, obj_description(m.oid, 'pg_largeobject') FROM pg_largeobject_metadata m"
        " WHERE m.oid::bigint >= %s AND m.oid::bigint < %s ORDER BY m.oid",
        [part.first, part.end],
    ).fetchall()
    size = 0
    for oid, comment in found:
        writing.execute("SELECT lo_create(%s::oid)", [oid])
        size += _copy_content(reading, writing, oid)
        if comment is not None:
            writing.execute(sql.SQL("COMMENT ON LARGE OBJECT {} IS {}").format(sql.Literal(oid), sql.Literal(comment)))
    return len(found), size


def _copy_content(reading: Connection, writing: Connection, oid: int) -> int:
    at = 0
    while True:
        row = reading.execute("SELECT lo_get(%s::oid, %s, %s)", [oid, at, CHUNK_BYTES], binary=True).fetchone()
        chunk = bytes(row[0]) if row is not None else b""
        if chunk:
            writing.execute("SELECT lo_put(%s::oid, %s, %b)", [oid, at, chunk])
            at += len(chunk)
        if len(chunk) < CHUNK_BYTES:
            return at
