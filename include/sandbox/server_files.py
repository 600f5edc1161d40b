"""What a PostgreSQL server finds in its data directory, and the secrets that its tools read from files."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

from sandbox import privileges

OWN_SETTINGS = "sandbox.conf"

# Small in memory and processes (many run on one machine), quick to load a few 100,000 rows; durable as installed.
SETTINGS: dict[str, str] = {
    "autovacuum_naptime": "15s",
    "checkpoint_timeout": "15min",
    "datestyle": "ISO, MDY",
    "effective_cache_size": "256MB",
    "io_method": "sync",
    "jit": "off",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "maintenance_work_mem": "64MB",
    "max_connections": "60",
    "max_wal_size": "1GB",
    "password_encryption": "scram-sha-256",
    "recovery_init_sync_method": "syncfs",
    "shared_buffers": "32MB",
    "ssl": "off",
    "timezone": "UTC",
    "unix_socket_directories": "",
    "wal_compression": "off",
}
HBA = """\
# clients on loopback, with a password; a copy of the whole server only for its superuser; nobody else
host all all 127.0.0.0/8 scram-sha-256
host replication {superuser} 127.0.0.0/8 scram-sha-256
"""


def literal(text: str) -> str:
    """`text` as a quoted value of postgresql.conf."""
    if "\n" in text:
        raise ValueError("a setting cannot hold a line break")
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def write(data_dir: Path, superuser: str, settings: Mapping[str, str]) -> None:
    """Our configuration, with `settings` over what every server here has."""
    values = SETTINGS | dict(settings)
    _replace(data_dir / OWN_SETTINGS, "".join(f"{name} = {literal(value)}\n" for name, value in sorted(values.items())))
    _replace(data_dir / "postgresql.conf", f"include = '{OWN_SETTINGS}'\n")
    _replace(data_dir / "pg_hba.conf", HBA.format(superuser=f'"{superuser}"'))


def says_ready(data_dir: Path) -> bool:
    """Whether the server of that directory accepts connections, as it says itself."""
    # line 8 of postmaster.pid is the state (PostgreSQL's miscadmin.h, LOCK_FILE_LINE_PM_STATUS)
    try:
        lines = (data_dir / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


@contextlib.contextmanager
def secret(beside: Path, text: str) -> Iterator[Path]:
    """A file of mode 0600 beside a path, readable by us and the servers' user, gone afterwards."""
    path = beside.with_name(f".{beside.name}.{secrets.token_hex(4)}")
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as target:
            target.write(text)
        privileges.give_to_server(path)
        yield path
    finally:
        path.unlink(missing_ok=True)


def pass_line(user: str, password: str) -> str:
    """A line of a libpq password file, for any host and database."""
    return ":".join(word.replace("\\", "\\\\").replace(":", "\\:") for word in ("*", "*", "*", user, password)) + "\n"


def environment() -> dict[str, str]:
    """What servers and tools run in: nobody's PG* variables, no locale of the user's."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


def _replace(path: Path, text: str) -> None:
    """Write so that a reload sees the old file or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.chmod(0o600)
    privileges.give_to_server(fresh)
    fresh.replace(path)
