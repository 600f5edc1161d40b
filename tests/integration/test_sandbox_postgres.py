"""The sandbox's PostgreSQL servers: who runs them, who they answer, how they end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from onboarding.addresses import Database
from sandbox import postgres
from sandbox.postgres import Cluster, ServerFailed

MakeDatabase = Callable[..., Database]
PASSWORD = "pass: word'\\ with everything"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(tmp_path / "data", "127.0.0.1", free_port(), "postgres", PASSWORD)
    made.create()
    yield made
    made.stop()


def test_it_answers_with_a_password_only_and_on_its_own_address_only(cluster: Cluster) -> None:
    cluster.start()

    def connect(password: str, host: str = cluster.host) -> None:
        psycopg.connect(host=host, port=cluster.port, dbname="postgres", user="postgres", password=password).close()

    connect(PASSWORD)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        connect("wrong")
    with pytest.raises(psycopg.OperationalError, match="refused"):
        connect(PASSWORD, host="127.0.0.9")
    assert not list(cluster.data_dir.glob(".s.PGSQL*")), "no unix socket"
    assert PASSWORD not in cluster.log.read_text()
    assert all(PASSWORD not in " ".join(p.cmdline()) for p in psutil.Process().children(recursive=True))


def test_it_does_not_run_as_root_and_can_write_nothing_but_its_own(cluster: Cluster) -> None:
    cluster.start()
    process = psutil.Process(cluster.pid())
    assert 0 not in process.uids()
    status = Path(f"/proc/{process.pid}/status").read_text()
    held = int(next(line.split()[1] for line in status.splitlines() if line.startswith("CapEff")), 16)
    assert held in (0, 1 << 2), "at most CAP_DAC_READ_SEARCH"


def test_it_speaks_thai_and_utc(cluster: Cluster) -> None:
    cluster.start()
    with cluster.connect() as connection:
        row = connection.execute(
            "SELECT 'ทดสอบ' ~ '^[[:alpha:]]', length('กำ'), upper('é'), current_setting('timezone'),"
            " current_setting('server_encoding')"
        ).fetchone()
    assert row == (True, 2, "É", "UTC", "UTF8")


def test_settings_take_effect_at_once_or_at_restart(cluster: Cluster) -> None:
    def shown(name: str) -> object:
        with cluster.connect() as connection:
            row = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        return row and row[0]

    cluster.start()
    cluster.configure(wal_level="logical", work_mem="7MB")
    until = time.monotonic() + 5
    while shown("work_mem") != "7MB" and time.monotonic() < until:
        time.sleep(0.05)
    assert (shown("work_mem"), shown("wal_level")) == ("7MB", "replica")
    cluster.restart()
    assert shown("wal_level") == "logical"


def test_a_copy_of_a_server_under_load_is_consistent_and_apart(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start()
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE pair (a bigint, b bigint)")
        connection.execute("INSERT INTO pair SELECT n, -n FROM generate_series(1, 1000) n")
    stop = threading.Event()

    def write() -> None:
        with cluster.connect() as writer:
            while not stop.is_set():
                writer.execute("INSERT INTO pair VALUES (1, 0), (0, -1)")

    thread = threading.Thread(target=write)
    thread.start()
    try:
        cluster.back_up(tmp_path / "backup")
    finally:
        stop.set()
        thread.join()
    copy = Cluster(tmp_path / "copy", "127.0.0.1", free_port(), "postgres", PASSWORD)
    copy.create_from(tmp_path / "backup")
    copy.start()
    try:
        with cluster.connect() as first, copy.connect() as second:
            first.execute("TRUNCATE pair")
            row = second.execute("SELECT count(*) >= 1000, sum(a + b) FROM pair").fetchone()
        assert row == (True, 0), "all of a transaction or nothing"
    finally:
        copy.stop()


def test_it_never_takes_another_server_for_its_own(cluster: Cluster, tmp_path: Path) -> None:
    cluster.start()
    other = Cluster(tmp_path / "other", cluster.host, cluster.port, "postgres", PASSWORD)
    other.create()
    assert not other.running()
    with pytest.raises(ServerFailed, match="postgres ended"):
        other.start()
    # a lock file that points at a living process which is not this server
    (other.data_dir / "postmaster.pid").write_text(f"{cluster.pid()}\n{other.data_dir}\n0\n{cluster.port}\n")
    assert other.pid() is None
    other.stop()
    assert cluster.running(), "stopping one server leaves the other alone"


def test_a_killed_server_starts_again_with_what_was_committed(cluster: Cluster) -> None:
    cluster.start()
    with cluster.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
    pid = cluster.pid()
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 10
    while cluster.pid() is not None and time.monotonic() < until:
        time.sleep(0.02)
    assert not cluster.running()
    (cluster.data_dir / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster.data_dir}\n0\n{cluster.port}\n")
    cluster.start()
    with cluster.connect() as connection:
        assert connection.execute("SELECT n FROM kept").fetchone() == (1,)


def test_a_thread_that_ends_does_not_take_the_server_along(cluster: Cluster) -> None:
    starter = threading.Thread(target=cluster.start)
    starter.start()
    starter.join()
    time.sleep(0.3)
    assert cluster.running()


PARENT = """
import sys, time
from pathlib import Path
from sandbox.postgres import Cluster
cluster = Cluster(Path(sys.argv[1]), "127.0.0.1", int(sys.argv[2]), "postgres", "secret")
cluster.create()
cluster.start()
print(cluster.pid(), flush=True)
time.sleep(60)
"""


def _parent(data_dir: Path, port: int, **options: object) -> tuple[subprocess.Popen[bytes], int]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(data_dir), str(port)], stdout=subprocess.PIPE, **options  # type: ignore[call-overload]
    )  # fmt: skip
    return process, int(process.stdout.readline())


def _gone(pid: int, seconds: float = 15) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def test_a_killed_parent_leaves_no_server(tmp_path: Path) -> None:
    port = free_port()
    parent, pid = _parent(tmp_path / "data", port)
    parent.kill()
    parent.wait()
    assert _gone(pid), "the server outlived its parent"
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", port), timeout=1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can hide a directory from the server's user")
def test_below_a_directory_that_only_root_may_enter(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    made = Cluster(private / "state" / "data", "127.0.0.1", free_port(), "postgres", PASSWORD)
    made.create()
    made.start()
    try:
        assert made.running()
        assert private.stat().st_mode & 0o777 == 0o700
    finally:
        made.stop()


def test_make_database_hands_out_an_owner_that_is_no_superuser(make_database: MakeDatabase) -> None:
    first, second = make_database("p02"), make_database("p02")
    assert first.name != second.name
    with first.connect() as connection:
        row = connection.execute("SELECT rolsuper, rolcreaterole FROM pg_roles WHERE rolname = current_user").fetchone()
        connection.execute("CREATE TABLE mine (n int)")
    assert row == (False, True)
    with make_database("admin", superuser=True).connect() as connection:
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (True,)


def test_the_programs_of_the_wheel_are_there() -> None:
    for name in ("pg_dump", "pg_restore", "psql", "initdb", "pg_basebackup"):
        assert os.access(postgres.bin_dir() / name, os.X_OK)
