"""From a server as agencies have them, Debian's PostgreSQL 15 with a libc locale, to the newest on offer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import debian_postgres
import pytest

from onboarding.addresses import Database
from onboarding.databases.assess import assess, offers
from onboarding.reconcile.databases import compare_databases

from .test_copy_whole import copy_all

pytestmark = debian_postgres.needed

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
    """The owner's login to a database with a service."""
    with debian_postgres.running(tmp_path, fsync="off") as server:
        with server.connect(autocommit=True) as connection:
            connection.execute("CREATE DATABASE registry")
            connection.execute("CREATE ROLE registry_app LOGIN PASSWORD 'x'")
        yield replace(server, name="registry")


def test_an_older_server_arrives_whole(older: Database, instance: Database, fences: Iterator[int]) -> None:
    with older.connect() as connection:
        connection.execute(SCHEMA)
    critical = [
        finding for finding in assess(older, "registry_app", target=offers(instance)) if finding.severity == "critical"
    ]
    assert critical == []
    target = copy_all(older, instance, fences)
    found = compare_databases(older, target, sequences="exactly")
    assert found.source_rows == 25_100
    assert (found.unaccounted_rows, found.unknown) == (0, ())
    assert found.sequences.differences == () and found.large_objects.differences == ()
    assert [f"{one.kind} {one.name}: {one.problem}" for one in found.objects.differences] == []
    with target.connect() as connection:
        assert connection.info.server_version // 10000 >= 18
