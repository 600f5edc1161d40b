"""From a server as agencies have them, Debian's PostgreSQL 15 with a libc locale, to the newest on offer."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from conftest import free_port

from onboarding.addresses import Database
from onboarding.databases.assess import assess, offers
from onboarding.reconcile import compare_databases
from sandbox import privileges, server_files

from .test_copy_whole import copy_all

DEBIAN = Path("/usr/lib/postgresql/15/bin")
pytestmark = pytest.mark.skipif(not (DEBIAN / "postgres").exists(), reason="Debian servers: no PostgreSQL 15 here")

SCHEMA = """
CREATE TYPE "สถานะ" AS ENUM ('รับ', 'ส่ง');
CREATE TABLE "หนังสือ" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "เรื่อง" text NOT NULL, "สถานะ" "สถานะ", "เนื้อหา" jsonb,
    "แนบ" bytea, "จำนวน" numeric, "เมื่อ" timestamptz, "ป้าย" text[],
    "รวม" numeric GENERATED ALWAYS AS ("จำนวน" * 2) STORED
);
INSERT INTO "หนังสือ" ("เรื่อง", "สถานะ", "เนื้อหา", "แนบ", "จำนวน", "เมื่อ", "ป้าย")
SELECT 'เรื่องที่ ' || n, (ARRAY['รับ', 'ส่ง'])[1 + n % 2]::"สถานะ", jsonb_build_object('n', n),
       decode(md5(n::text), 'hex'), CASE WHEN n % 7 = 0 THEN 'NaN' ELSE n / 3.0 END,
       '2026-01-01'::timestamptz + n * interval '1 s', ARRAY['ก', NULL]
FROM generate_series(1, 20000) n;
CREATE TABLE parted (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2026-01-01') TO ('2026-07-01');
CREATE TABLE parted_2 PARTITION OF parted DEFAULT;
INSERT INTO parted SELECT n, '2026-01-01'::date + n % 365 FROM generate_series(1, 5000) n;
CREATE TABLE keyless (v text);
INSERT INTO keyless SELECT 'เหมือนกัน' FROM generate_series(1, 100);
CREATE SEQUENCE backwards INCREMENT -3 START -100;
SELECT nextval('backwards');
SELECT lo_from_bytea(0, convert_to('สวัสดี', 'UTF8'));
"""


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Database]:
    """A fresh PostgreSQL 15 of our own on loopback, its owner's login."""
    data, port, password = tmp_path / "pg15", free_port(), secrets.token_urlsafe()
    data.mkdir()
    privileges.give_to_server(data)
    with server_files.secret(data, password + "\n") as password_file:
        privileges.run(
            [str(DEBIAN / "initdb"), "-D", str(data), "-U", "agency", f"--pwfile={password_file}",
             "-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8"],
            env=server_files.environment(),
        )  # fmt: skip
    settings = {"port": port, "listen_addresses": "'127.0.0.1'", "unix_socket_directories": "''", "fsync": "off"}
    with (data / "postgresql.conf").open("a") as conf:
        conf.writelines(f"{name} = {value}\n" for name, value in settings.items())
    with (tmp_path / "log").open("wb") as log:
        server = privileges.start(
            [str(DEBIAN / "postgres"), "-D", str(data)], stdout=log, env=server_files.environment(), cwd=tmp_path
        )
    try:
        address = Database("127.0.0.1", port, "postgres", "agency", password, resolve=lambda host: host)
        _wait(address, server)
        with address.connect(autocommit=True) as connection:
            connection.execute("CREATE DATABASE registry")
            connection.execute("CREATE ROLE registry_app LOGIN PASSWORD 'x'")
        yield Database("127.0.0.1", port, "registry", "agency", password, resolve=lambda host: host)
    finally:
        server.terminate()
        server.wait(30)
        shutil.rmtree(data, ignore_errors=True)


def _wait(address: Database, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with psycopg.connect(
                host=address.host, port=address.port, dbname=address.name, user=address.user, password=address.password
            ) as connection:
                assert connection.info.server_version // 10000 == 15
                return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise AssertionError("PostgreSQL 15 did not start")


def test_an_older_server_arrives_whole(older: Database, instance: Database, fences: Iterator[int]) -> None:
    with older.connect() as connection:
        connection.execute(SCHEMA)
    critical = [
        finding for finding in assess(older, "registry_app", target=offers(instance)) if finding.severity == "critical"
    ]
    assert critical == []
    target = copy_all(older, instance, fences)
    found = compare_databases(older, target, frozen=True)
    assert found.source_rows == 25_100
    assert (found.unaccounted_rows, found.unknown) == (0, ())
    assert found.sequences.differences == () and found.large_objects.differences == ()
    assert [f"{one.kind} {one.name}: {one.problem}" for one in found.objects.differences] == []
    with target.connect() as connection:
        assert connection.info.server_version // 10000 >= 18
