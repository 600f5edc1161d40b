"""The schema, before any row: pg_dump's pre-data section, in one fenced transaction of the target."""

from __future__ import annotations

import secrets
from pathlib import Path

from onboarding.addresses import Database
from onboarding.databases import programs
from onboarding.databases.fence import check, label
from onboarding.databases.sessions import Connection, session
from onboarding.databases.snapshot import exported, is_held, sees
from onboarding.errors import Stop

# No owners (all is the master's), no privileges (service.py brings them), nothing that publishes, subscribes or
# needs tablespaces that a managed server has not; our own schema stays where it is.
WHAT = [
    "--format=custom", "--section=pre-data", "--section=post-data", "--no-owner", "--no-privileges",
    "--no-publications", "--no-subscriptions", "--no-security-labels", "--no-tablespaces",
    "--exclude-schema=namrong", "--lock-wait-timeout=30s",
]  # fmt: skip


def copy_schema(source: Database, target: Database, *, load: str, fence: int, snapshot_id: str) -> bool:
    """Types, functions, tables and views as the snapshot sees them; False when this load has them already.

    The whole archive, indexes and constraints included, is kept on the target for `finish`: it stays the same
    whatever becomes of the source. pg_dump must be of the source's major version or newer. Raises Stop when the
    snapshot is gone, or the load's schema is of another one.
    """
    with session(target, label=label("schema", fence)) as connection:
        check(connection, load=load, fence=fence)
        if _is_done(connection, "", snapshot_id):
            return False
    with programs.private_directory() as folder:
        archive = dump(source, folder, snapshot_id)
        script = pre_data(archive)
        body = archive.read_bytes()
    with session(target, label=label("schema", fence)) as connection:
        check(connection, load=load, fence=fence)
        if _is_done(connection, "FOR UPDATE", snapshot_id):
            return False
        connection.execute(script)
        connection.execute(
            "UPDATE namrong.load SET schema_at = clock_timestamp(), archive = %s, snapshot = %s",
            [body, sees(snapshot_id)],
        )
    return True


def _is_done(connection: Connection, locking: str, snapshot_id: str) -> bool:
    done = connection.execute(f"SELECT schema_at IS NOT NULL, snapshot FROM namrong.load {locking}".encode()).fetchone()
    if done is None or not done[0]:
        return False
    if done[1] != sees(snapshot_id):
        raise Stop("databases.mixed_snapshot", where=connection.info.dbname)
    return True


def dump(source: Database, folder: Path, snapshot_id: str) -> Path:
    """pg_dump's archive of the schema, rows left out, as the snapshot sees it."""
    archive = folder / "schema.dump"
    try:
        programs.run("pg_dump", [*WHAT, f"--snapshot={exported(snapshot_id)}", f"--file={archive}"], source)
    except Stop as failed:
        if not is_held(source, snapshot_id):
            raise Stop("databases.snapshot_gone", where=str(source)) from failed
        raise
    return archive


def pre_data(archive: Path) -> bytes:
    """The SQL that makes types, functions, tables and views: plain statements for one transaction."""
    key = secrets.token_hex(16)
    text = programs.run(
        "pg_restore",
        ["--section=pre-data", "--no-owner", "--no-privileges", f"--restrict-key={key}", "--file=-", str(archive)],
        None,
    )
    # psql's own commands: our key, drawn just now, is on no line of the agency's
    return b"".join(line for line in text.splitlines(keepends=True) if not _restricts(line, key))


def _restricts(line: bytes, key: str) -> bool:
    return line.rstrip(b"\r\n") in (f"\\restrict {key}".encode(), f"\\unrestrict {key}".encode())
