"""A whole database moved to a second server: ours, and what an engineer would pick by hand; then every row proven.

`PYTHONPATH=include:plugins .namrong/venv/bin/python benchmarks/move_database.py [--size 1] [--rounds 5]`, nothing else
running. Two servers of our own, configured alike; port and data directory of each are verified before anything is
timed. The tools take turns; medians and ratios are printed. `--size 1` is some 3.1 million rows. Peers: `pg_dump -Fd`
with `pg_restore`, `pg_dump` into `psql`, and `pgcopydb` where it is installed (Debian: `apt-get install pgcopydb`). The
floor is what the servers alone need, step by step: rows out, rows in, then indexes and keys, two at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from psycopg.conninfo import make_conninfo

from sandbox.postgres import Cluster, bin_dir

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = {"shared_buffers": "512MB", "max_wal_size": "4GB", "checkpoint_timeout": "30min", "wal_compression": "off",
            "maintenance_work_mem": "256MB", "autovacuum": "off"}  # fmt: skip
PORT = 55432
NAME = "registry"
TABLES = """
CREATE TABLE account (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, owner int NOT NULL, balance numeric(14,2),
    opened timestamptz NOT NULL, note text);
CREATE TABLE citizen (id uuid PRIMARY KEY, name text NOT NULL, born date, doc jsonb, tags text[]);
CREATE TABLE request (id bigint PRIMARY KEY, citizen uuid NOT NULL, body text, scan bytea, at timestamptz NOT NULL);
INSERT INTO account (owner, balance, opened, note) SELECT n % 90001, (n::bigint * 7919 % 10000000) / 100.0,
    timestamptz '2020-01-01' + n * interval '37 seconds', 'บัญชี ' || md5(n::text) FROM generate_series(1, {accounts}) n;
INSERT INTO citizen SELECT md5('c' || n)::uuid, 'นาย สมมติ ' || md5(n::text), date '1950-01-01' + n % 20000,
    jsonb_build_object('ที่อยู่', md5('a' || n), 'n', n), ARRAY[md5('t' || n), 'ก'] FROM generate_series(1, {citizens}) n;
INSERT INTO request SELECT n, md5('c' || (1 + n % {citizens}))::uuid, repeat(md5('b' || n), 6),
    decode(repeat(md5('s' || n), 8), 'hex'), timestamptz '2024-01-01' + n * interval '11 seconds'
    FROM generate_series(1, {requests}) n;
CREATE INDEX ON account (owner);
CREATE INDEX ON account (opened);
CREATE INDEX ON citizen (name);
CREATE INDEX ON request (at);
ALTER TABLE request ADD FOREIGN KEY (citizen) REFERENCES citizen;
VACUUM ANALYZE;
"""
FLOOR = ("rows out", "rows in", "indexes")
CORES = os.cpu_count() or 1
ROWS = {"accounts": 2_500_000, "citizens": 200_000, "requests": 400_000}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--size", type=float, default=1.0, metavar="X")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    asked = parser.parse_args()
    with two_servers() as (source, target, folder):
        size = filled(source, asked.size)
        print(f"source: {size / 1e6:,.0f} MB; {source.host}:{PORT} and {target.host}:{PORT} verified")
        return measured(source, target, folder, asked.rounds)


@contextmanager
def two_servers() -> Iterator[tuple[Cluster, Cluster, Path]]:
    """Source, target and a folder, all gone afterwards; PostgreSQL's programs are those of the wheel."""
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"
    with tempfile.TemporaryDirectory(prefix="namrong-bench-") as folder, ExitStack() as running:
        Path(folder).chmod(0o755)  # the servers run as another user
        source, target = (made(Path(folder) / side, host) for side, host in (("a", "127.0.0.1"), ("b", "127.0.0.2")))
        running.callback(target.stop)
        running.callback(source.stop)
        yield source, target, Path(folder)


def made(folder: Path, host: str) -> Cluster:
    cluster = Cluster(folder, host, PORT, "mover", secrets.token_urlsafe(), dict(SETTINGS))
    cluster.create()
    cluster.start()
    assert cluster.running()  # process, port and data directory agree
    return cluster


def filled(source: Cluster, size: float) -> int:
    """The source's database, made; its size on disk in bytes."""
    with source.connect() as connection:
        connection.execute(f"CREATE DATABASE {NAME}")
    script = TABLES.format(**{name: int(rows * size) for name, rows in ROWS.items()})
    with source.connect(NAME) as connection:
        for statement in script.split(";\n"):
            if statement.strip():
                connection.execute(statement.encode())
        row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    return int(str(row[0])) if row else 0


def measured(source: Cluster, target: Cluster, folder: Path, rounds: int) -> int:
    tools: dict[str, Callable[[Cluster, Cluster, Path], dict[str, float]]] = {
        "namrong move": ours, "pg_dump -Fd -j2 | pg_restore -j2": dump_and_restore, "pg_dump | psql": dump_into_psql,
    }  # fmt: skip
    if shutil.which("pgcopydb"):
        tools["pgcopydb"] = pgcopydb
    tools["floor"] = floor
    taken: dict[str, list[float]] = {}
    for number in range(rounds):
        for name, tool in tools.items():
            emptied(target)
            assert source.running() and target.running()
            for step, seconds in tool(source, target, folder).items():
                taken.setdefault(f"{name}{step}", []).append(seconds)
            print(f"round {number + 1}: {name}", {k: v[-1] for k, v in taken.items() if k.startswith(name)}, flush=True)
    medians = {name: statistics.median(seconds) for name, seconds in taken.items()}
    print()
    for name, seconds in taken.items():
        print(f"{name:<36} median {medians[name]:6.1f} s   {min(seconds):6.1f} … {max(seconds):6.1f}")
    moved, peer = medians["namrong move: moved"], medians["pg_dump -Fd -j2 | pg_restore -j2"]
    print(f"moved against pg_dump and pg_restore: {moved / peer:.2f}")
    if "pgcopydb" in medians:
        print(f"moved against pgcopydb: {moved / medians['pgcopydb']:.2f}")
    print(f"moved against the floor: {moved / sum(medians[f'floor: {step}'] for step in FLOOR):.2f}")
    print(f"our own programs' share of the processor time: {medians['namrong move: processor'] / moved / CORES:.0%}")
    print(f"moved and proven against the peer's move alone: {medians['namrong move: moved and proven'] / peer:.2f}")
    print(f"proven against moved: {medians['namrong move: proven'] / moved:.2f}")
    return 0


def emptied(target: Cluster) -> None:
    with target.connect() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {NAME} WITH (FORCE)")
        connection.execute("CHECKPOINT")


def ours(source: Cluster, target: Cluster, folder: Path) -> dict[str, float]:
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "include"),
        "PGPASSFILE": str(passwords(folder, source, target)),
    }
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "launcher", "move", "database", "--source", address(source), "--target",
         address(target), "--jobs", "2", "--json"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    whole = time.monotonic() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    events = [json.loads(line) for line in done.stdout.splitlines()]
    steps = next(event for event in events if event["event"] == "moved")["seconds"]
    print(f"  steps: {steps}; the rest of {whole:.1f} s is the start of the program")
    proven = steps["prove"]
    return {": moved": round(whole - proven, 2), ": proven": proven, ": moved and proven": round(whole, 2),
            ": processor": round(spent, 2)}  # fmt: skip


def dump_and_restore(source: Cluster, target: Cluster, folder: Path) -> dict[str, float]:
    archive = folder / "archive"
    shutil.rmtree(archive, ignore_errors=True)
    began = time.monotonic()
    program(source, "pg_dump", "-Fd", "-j2", f"--compress={compression()}", f"--file={archive}", NAME)
    program(target, "createdb", NAME)
    program(target, "pg_restore", "-j2", f"--dbname={NAME}", str(archive))
    program(target, "psql", "-qc", "ANALYZE", NAME)
    return {"": round(time.monotonic() - began, 2)}


def dump_into_psql(source: Cluster, target: Cluster, _folder: Path) -> dict[str, float]:
    began = time.monotonic()
    program(target, "createdb", NAME)
    with subprocess.Popen(["pg_dump", NAME], env=login(source), stdout=subprocess.PIPE) as giving:
        subprocess.run(["psql", "-qX", NAME], env=login(target), stdin=giving.stdout, check=True,
                       stdout=subprocess.DEVNULL)  # fmt: skip
    assert giving.returncode == 0
    program(target, "psql", "-qc", "ANALYZE", NAME)
    return {"": round(time.monotonic() - began, 2)}


def pgcopydb(source: Cluster, target: Cluster, folder: Path) -> dict[str, float]:
    work = folder / "pgcopydb"
    shutil.rmtree(work, ignore_errors=True)
    began = time.monotonic()
    program(target, "createdb", NAME)
    environment = {**os.environ, "PGPASSFILE": str(passwords(folder, source, target)), "LC_ALL": "C"}
    done = subprocess.run(
        ["pgcopydb", "clone", "--source", uri(source), "--target", uri(target), "--table-jobs", "2", "--index-jobs",
         "2", "--dir", str(work), "--no-owner", "--no-acl"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    program(target, "psql", "-qc", "ANALYZE", NAME)
    return {"": round(time.monotonic() - began, 2)}


def floor(source: Cluster, target: Cluster, folder: Path) -> dict[str, float]:
    """What the servers need without anything in between, rows lying in files of their own; two at a time."""
    rows = folder / "rows"
    shutil.rmtree(rows, ignore_errors=True)
    rows.mkdir()
    rows.chmod(0o777)  # the servers run as another user
    archive = folder / "schema"
    program(source, "pg_dump", "-Fc", "--schema-only", f"--file={archive}", NAME)
    program(target, "createdb", NAME)
    program(target, "pg_restore", "--section=pre-data", f"--dbname={NAME}", str(archive))

    def each(cluster: Cluster, statement: str) -> float:
        def one(table: str) -> None:
            with cluster.connect(NAME) as connection:
                connection.execute(statement.format(table=table, file=rows / table).encode())

        began = time.monotonic()
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(one, ("account", "citizen", "request")))
        return round(time.monotonic() - began, 2)

    out = each(source, "COPY {table} TO '/dev/null' (FORMAT binary)")
    each(source, "COPY {table} TO '{file}' (FORMAT binary)")
    into = each(target, "COPY {table} FROM '{file}' (FORMAT binary)")
    began = time.monotonic()
    program(target, "pg_restore", "-j2", "--section=post-data", f"--dbname={NAME}", str(archive))
    shutil.rmtree(rows)
    return {
        f": {step}": took for step, took in zip(FLOOR, (out, into, round(time.monotonic() - began, 2)), strict=True)
    }


def uri(cluster: Cluster) -> str:
    return f"postgresql://{cluster.superuser}@{cluster.host}:{cluster.port}/{NAME}"


def program(cluster: Cluster, *command: str) -> None:
    subprocess.run(command, env=login(cluster), check=True, stdout=subprocess.DEVNULL)


def compression() -> str:
    """lz4, as the peer is at its best, where this pg_dump was built with it; else none."""
    probe = subprocess.run(["pg_dump", "--compress=lz4", "--version"], capture_output=True, check=False)
    built = subprocess.run(["ldd", shutil.which("pg_dump") or ""], capture_output=True, text=True, check=False)
    return "lz4" if probe.returncode == 0 and "lz4" in built.stdout else "none"


def address(cluster: Cluster) -> str:
    return make_conninfo(host=cluster.host, port=cluster.port, dbname=NAME, user=cluster.superuser)


def passwords(folder: Path, *clusters: Cluster) -> Path:
    path = folder / "pgpass"
    path.write_text("".join(f"{one.host}:{one.port}:*:{one.superuser}:{one.password}\n" for one in clusters))
    path.chmod(0o600)
    return path


def login(cluster: Cluster) -> dict[str, str]:
    return {**os.environ, "PGHOST": cluster.host, "PGPORT": str(cluster.port), "PGUSER": cluster.superuser,
            "PGPASSWORD": cluster.password, "LC_ALL": "C"}  # fmt: skip


if __name__ == "__main__":
    sys.exit(main())
