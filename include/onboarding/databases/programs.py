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
    """A directory that only we can read (0700), gone afterwards; no secret is ever in it."""
    with tempfile.TemporaryDirectory(prefix="namrong-") as folder:
        yield Path(folder)


def run(program: str, arguments: Sequence[str], database: Database | None, *, label: str = "") -> bytes:
    """What the program printed.

    Raises AskPerson when the program is not installed, TryAgain when the server went away, Stop otherwise.
    """
    found = shutil.which(program)
    if found is None:
        raise AskPerson("databases.program_missing", program=program)
    with _password(database) as (named, files):
        done = subprocess.run(
            [found, *arguments], env=_environment(database, label) | named, pass_fds=files, capture_output=True,
            check=False,
        )  # fmt: skip
    if done.returncode != 0:
        reason = _without_values(done.stderr.decode("utf-8", "replace"))
        kind = TryAgain if any(word in reason for word in PASSING_WORDS) else Stop
        raise kind("databases.program_failed", where=str(database or ""), program=program, reason=reason)
    return done.stdout


def connection_string(database: Database) -> str:
    """A conninfo that names the database only: whatever the name holds, it cannot smuggle in another option."""
    escaped = database.name.replace("\\", "\\\\").replace("'", "\\'")
    return f"dbname='{escaped}'"


def _environment(database: Database | None, label: str) -> dict[str, str]:
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
    }


@contextmanager
def _password(database: Database | None) -> Iterator[tuple[dict[str, str], tuple[int, ...]]]:
    """Where libpq finds the password, as variables and the open files that the program inherits for it.

    Ours is a file in memory without a name: nothing is left of it when we are killed. Where we were given no
    password, the caller's own password file serves.
    """
    if database is None or not database.password:
        mine = ("PGPASSFILE", "HOME") if database is not None else ()
        yield {name: os.environ[name] for name in mine if name in os.environ}, ()
        return
    with os.fdopen(os.memfd_create("pgpass"), "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), 0o600)  # libpq reads no password file that others may read
        file.write("*:*:*:*:" + database.password.replace("\\", "\\\\").replace(":", "\\:") + "\n")
        file.flush()
        yield {"PGPASSFILE": f"/proc/self/fd/{file.fileno()}"}, (file.fileno(),)


def _without_values(text: str) -> str:
    """The errors' first lines; DETAIL, CONTEXT and COPY lines may quote rows and are left out."""
    lines = [line.strip() for line in text.splitlines() if "error:" in line or "FATAL" in line]
    kept = [line.partition("DETAIL:")[0].strip() for line in lines if "Key (" not in line]
    return "; ".join(kept[:SHOWN_LINES])
