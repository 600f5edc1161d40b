"""The schema, before any row: pg_dump's pre-data section, in one fenced transaction of the target."""

from __future__ import annotations

import secrets
from pathlib import Path

from onboarding.addresses import Database
from onboarding.databases import programs
from onboarding.databases.fence import check, label
from onboarding.databases.sessions import session

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
    whatever becomes of the source. pg_dump must be of the source's major version or newer.
    """
    with session(target, label=label("schema", fence)) as connection:
        check(connection, load=load, fence=fence)
        done = connection.execute("SELECT schema_at IS NOT NULL FROM namrong.load").fetchone()
    if done is not None and done[0]:
        return False
    with programs.private_directory() as folder:
        archive = dump(source, folder, snapshot_id)
        script = pre_data(archive)
        body = archive.read_bytes()
    with session(target, label=label("schema", fence)) as connection:
        check(connection, load=load, fence=fence)
        locked = connection.execute("SELECT schema_at IS NOT NULL FROM namrong.load FOR UPDATE").fetchone()
        if locked is not None and locked[0]:
            return False
        connection.execute(script)
        connection.execute("UPDATE namrong.load SET schema_at = clock_timestamp(), archive = %s", [body])
    return True


def dump(source: Database, folder: Path, snapshot_id: str) -> Path:
    """pg_dump's archive of the schema, rows left out, as the snapshot sees it."""
    archive = folder / "schema.dump"
    exported = snapshot_id.partition("/")[0]
    programs.run("pg_dump", [*WHAT, f"--snapshot={exported}", f"--file={archive}"], source)
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
