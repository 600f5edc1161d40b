"""A server as agencies have them: Debian's PostgreSQL 15, a fresh one of our own on loopback."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import free_port

from onboarding.addresses import Database
from onboarding.errors import TryAgain
from sandbox import privileges, server_files

DEBIAN = Path("/usr/lib/postgresql/15/bin")
needed = pytest.mark.skipif(not (DEBIAN / "postgres").exists(), reason="Debian servers: no PostgreSQL 15 here")
STARTS_WITHIN_S = 30


@contextmanager
def running(folder: Path, **settings: str) -> Iterator[Database]:
    """Its superuser's login to `postgres`; the server and its files are gone afterwards."""
    data, port, password = folder / "pg15", free_port(), secrets.token_urlsafe()
    data.mkdir()
    privileges.give_to_server(data)
    with server_files.secret(data, password + "\n") as password_file:
        privileges.run(
            [str(DEBIAN / "initdb"), "-D", str(data), "-U", "agency", f"--pwfile={password_file}",
             "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"],
            env=server_files.environment(),
        )  # fmt: skip
    chosen = {"port": str(port), "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''"} | settings
    with (data / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = {value}\n" for name, value in chosen.items())
    with (folder / "log").open("wb") as log:
        server = privileges.start(
            [str(DEBIAN / "postgres"), "-D", str(data)], stdout=log, env=server_files.environment(), cwd=folder
        )
    try:
        address = Database("127.0.0.1", port, "postgres", "agency", password, resolve=lambda host: host)
        _wait(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(STARTS_WITHIN_S)
        shutil.rmtree(data, ignore_errors=True)


def _wait(address: Database, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with address.connect() as connection:
                assert connection.info.server_version // 10000 == 15
                return
        except TryAgain:
            time.sleep(0.1)
    raise AssertionError("PostgreSQL 15 did not start")
