"""Where the files of one checkout lie, its secrets, and the lock that lets one run at a time."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet

ROOT = Path(__file__).resolve().parents[2]
LOGINS = ("platform", "operator", "approver1", "approver2", "stakeholder")


class AlreadyRunning(Exception):
    """Another launcher holds this checkout; `holder` is what it wrote about itself."""

    def __init__(self, holder: Mapping[str, Any]) -> None:
        super().__init__(f"already running (process {holder.get('pid', 'unknown')})")
        self.holder = holder


@dataclass(frozen=True)
class Checkout:
    """One work tree. Everything that a run leaves is under `run`, and `run` is thrown away at the next start."""

    root: Path = ROOT

    @property
    def state(self) -> Path:
        return self.root / ".namrong"

    @property
    def run(self) -> Path:
        return self.state / "run"

    @property
    def logs(self) -> Path:
        return self.run / "logs"

    @property
    def airflow_home(self) -> Path:
        return self.run / "airflow"

    @property
    def python(self) -> Path:
        return self.state / "venv" / "bin" / "python"

    def pilots(self) -> Path:
        return self.root / "include" / "pilots"

    def start_clean(self) -> None:
        """Throws away what the last run left; must hold the lock."""
        shutil.rmtree(self.run, ignore_errors=True)
        if self.run.exists():
            # A folder that a killed server still wrote into: out of the way under another name, then gone.
            shutil.rmtree(self.run.rename(self.state / f"old-{secrets.token_hex(4)}"), ignore_errors=True)
        for folder in (self.run, self.logs, self.airflow_home, self.run / "tmp", self.run / "home"):
            folder.mkdir(mode=0o700)

    def secrets(self, agency_logins: tuple[str, ...] = ()) -> dict[str, str]:
        """Passwords and keys of this checkout, made once; the file is readable by its owner alone."""
        path = self.state / "secrets.json"
        known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
        made = dict(known)
        for login in (*LOGINS, *agency_logins):
            made.setdefault(f"login:{login}", secrets.token_urlsafe(12))
        for name in ("home_superuser", "airflow_database", "ledger_owner", "ledger_writer"):
            made.setdefault(name, secrets.token_urlsafe(24))
        made.setdefault("fernet_key", Fernet.generate_key().decode())
        made.setdefault("jwt_secret", secrets.token_urlsafe(96))
        made.setdefault("api_secret_key", secrets.token_urlsafe(48))
        made.setdefault("external_id_key", secrets.token_urlsafe(48))
        if made != known:
            write_private(path, json.dumps(made, indent=1))
        return made

    @contextmanager
    def lock(self, patience_s: float = 40.0) -> Iterator[int]:
        """The checkout to ourselves; yields the descriptor, which a supervisor may inherit to hold on longer.

        A run whose terminal is gone is on its way out: that one is waited for. Raises AlreadyRunning.
        The lock is the kernel's (flock), so no kill can leave it behind.
        """
        descriptor = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            deadline = time.monotonic() + patience_s
            while not _locked(descriptor):
                holder = self.holder()
                if is_alive(holder.get("front")) or holder.get("detached") or time.monotonic() > deadline:
                    raise AlreadyRunning(holder)
                time.sleep(0.2)
            yield descriptor
        finally:
            os.close(descriptor)

    def is_locked(self) -> bool:
        """Whether a run holds this checkout now."""
        if not (self.state / "lock").exists():
            return False
        descriptor = os.open(self.state / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            return not _locked(descriptor)
        finally:
            os.close(descriptor)

    def holder(self) -> dict[str, Any]:
        """What the running supervisor wrote about itself: `pid`, `front`, `detached`, `url`; empty when none did."""
        try:
            found: dict[str, Any] = json.loads((self.run / "supervisor.json").read_text())
        except (OSError, ValueError):
            return {}
        return found


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_alive(pid: object) -> bool:
    return isinstance(pid, int) and Path(f"/proc/{pid}").exists()


def write_private(path: Path, text: str) -> None:
    """Writes a file that only its owner reads, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as target:
        target.write(text)
    fresh.replace(path)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
