"""PostgreSQL's own pg_dump and pg_restore, run without a secret on their command line or in their environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from onboarding.addresses import Database
from onboarding.errors import AskPerson, Stop, TryAgain

# libpq's and PostgreSQL's words for a server that is away, starting or out of connections.
PASSING_WORDS = ("connection to server", "server closed the connection", "terminating connection", "too many clients",
                 "could not receive data", "lock timeout", "deadlock detected")  # fmt: skip
SHOWN_LINES = 5


@contextmanager
def private_directory() -> Iterator[Path]:
    """A directory that only we can read (0700), gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="namrong-") as folder:
        yield Path(folder)


def run(program: str, arguments: Sequence[str], database: Database | None, folder: Path, *, label: str = "") -> bytes:
    """What the program printed. `folder` is private; the password goes through a file in it.

    Raises AskPerson when the program is not installed, TryAgain when the server went away, Stop otherwise.
    """
    found = shutil.which(program)
    if found is None:
        raise AskPerson("databases.program_missing", program=program)
    done = subprocess.run(
        [found, *arguments], env=_environment(database, folder, label), capture_output=True, check=False
    )
    if done.returncode != 0:
        reason = _without_values(done.stderr.decode("utf-8", "replace"))
        kind = TryAgain if any(word in reason for word in PASSING_WORDS) else Stop
        raise kind("databases.program_failed", where=str(database or ""), program=program, reason=reason)
    return done.stdout


def connection_string(database: Database) -> str:
    """A conninfo that names the database only: whatever the name holds, it cannot smuggle in another option."""
    escaped = database.name.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"


def _environment(database: Database | None, folder: Path, label: str) -> dict[str, str]:
    """Nobody else's PG* variables; the locale fixed, so that messages can be read."""
    base = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}
    if database is None:
        return base
    return base | {
        "PGHOST": database.host,
        "PGHOSTADDR": database.resolve(database.host),
        "PGPORT": str(database.port),
        "PGDATABASE": database.name,
        "PGUSER": database.user,
        "PGSSLMODE": database.sslmode,
        "PGSSLROOTCERT": database.sslrootcert,
        "PGCONNECT_TIMEOUT": "10",
        "PGCLIENTENCODING": "UTF8",
        "PGAPPNAME": label or "namrong",
        **_password(database, folder),
    }


def _password(database: Database, folder: Path) -> dict[str, str]:
    """Where libpq finds the password: a file of ours; where we were given none, the caller's own password file."""
    if not database.password:
        return {name: os.environ[name] for name in ("PGPASSFILE", "HOME") if name in os.environ}
    secret = folder / "pgpass"
    with os.fdopen(os.open(secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write("*:*:*:*:" + database.password.replace("\\", "\\\\").replace(":", "\\:") + "\n")
    return {"PGPASSFILE": str(secret)}


def _without_values(text: str) -> str:
    """The errors' first lines; DETAIL, CONTEXT and COPY lines may quote rows and are left out."""
    lines = [line.strip() for line in text.splitlines() if "error:" in line or "FATAL" in line]
    kept = [line.partition("DETAIL:")[0].strip() for line in lines if "Key (" not in line]
    return "; ".join(kept[:SHOWN_LINES])
