"""What changed since the full proof: every kind of change is told of by its key, and every difference is found."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import following_journey as journey
import psycopg
import pytest
from following_servers import Pair, run

from onboarding.addresses import Database
from onboarding.databases.follow import lag
from onboarding.databases.follow.subscription import disable
from onboarding.reconcile import compare_databases
from onboarding.reconcile.changes import draining, pending
from onboarding.reconcile.changes.proving import Began, compare_changed, prove_round, stand
from onboarding.reconcile.changes.sessions import WatchLost, session
from onboarding.reconcile.changes.vouching import vouched
from onboarding.reconcile.changes.watches import Watch, Watches, close_watch, forget_pending, open_watch, retained
from onboarding.reconcile.report import Comparison

SERVICE = """
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE citizen (id bigint PRIMARY KEY, name text NOT NULL, was state DEFAULT 'new', doc text);
CREATE TABLE visit (day date, citizen bigint, note text, PRIMARY KEY (day, citizen)) PARTITION BY RANGE (day);
CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE kind (is_of state, n int, PRIMARY KEY (is_of, n)) PARTITION BY HASH (is_of);
CREATE TABLE kind_0 PARTITION OF kind FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE kind_1 PARTITION OF kind FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE "ตาราง %s" ("คีย์ ""ก" text PRIMARY KEY, "ค่า" jsonb);
CREATE TABLE long (id text PRIMARY KEY, body text, n int DEFAULT 0);
ALTER TABLE long ALTER id SET STORAGE EXTERNAL, ALTER body SET STORAGE EXTERNAL;
CREATE TABLE log (at int, said text);
ALTER TABLE log REPLICA IDENTITY FULL;
CREATE TABLE quiet (at int);
ALTER TABLE quiet REPLICA IDENTITY FULL;
CREATE TABLE spooled (id int PRIMARY KEY, body text);
CREATE TABLE price (at timestamptz, for_ numeric(6, 2), code char(4), PRIMARY KEY (at, for_, code), baht numeric);
INSERT INTO citizen SELECT n, 'นาย ' || n FROM generate_series(1, 2000) n;
INSERT INTO visit SELECT date '2025-06-01' + n, n, 'x' FROM generate_series(1, 400) n;
INSERT INTO kind SELECT (ARRAY['new', 'paid'])[1 + n % 2]::state, n FROM generate_series(1, 50) n;
INSERT INTO "ตาราง %s" SELECT 'ก\\{,"' || n, jsonb_build_object('n', n) FROM generate_series(1, 50) n;
INSERT INTO long SELECT repeat('ก', 600) || n, repeat('b', 9000) FROM generate_series(1, 5) n;
INSERT INTO log SELECT n, 'x' FROM generate_series(1, 20) n;
INSERT INTO quiet SELECT n FROM generate_series(1, 20) n;
INSERT INTO spooled SELECT n, 'x' FROM generate_series(1, 20) n;
INSERT INTO price SELECT timestamptz '2026-01-01 00:00+07' + n * interval '1 h', n, 'a' || n, n / 3.0
    FROM generate_series(1, 30) n;
"""


def watches_of(pair: Pair) -> Watches:
    name = f"namrong_{pair.source.name}_seen"
    return Watches(
        Watch(name, "source", pair.source, pair.target), Watch(name, "target", pair.target, pair.target)
    )  # fmt: skip


def told(watch: Watch, **how: int) -> dict[str, set[tuple[str, ...]]]:
    """Drained to now: every key pending, by table."""
    draining.drain(watch, draining.mark(watch), **how)
    found: dict[str, set[tuple[str, ...]]] = {}
    for schema, name, key in run(watch.kept, "SELECT schema, name, key FROM namrong.pending"):
        found.setdefault(f"{schema}.{name}", set()).add(tuple(json.loads(str(key))))
    return found


def forget(watches: Watches) -> None:
    run(watches.target.kept, "DELETE FROM namrong.pending; DELETE FROM namrong.doubtful")


@pytest.fixture
def alone(make: Callable[[str], Pair]) -> Iterator[Watches]:
    """A service that is watched, with itself as its target: what is told, and nothing else."""
    pair = make(SERVICE)
    one = Watch("namrong_alone_seen", "source", pair.source, pair.source)
    watches = Watches(one, Watch("namrong_alone_there", "target", pair.source, pair.source))
    pending.ensure_pending(one)
    open_watch(one)
    yield watches
    for _ in range(2):
        close_watch(one)
        forget_pending(one)
    assert run(pair.source, "SELECT 1 FROM pg_replication_slots WHERE database = current_database()") == []
    assert run(pair.source, "SELECT 1 FROM pg_publication") == []
    assert run(pair.source, "SELECT 1 FROM namrong.pending UNION ALL SELECT 1 FROM namrong.watched") == []


def test_every_kind_of_change_is_told_by_its_key(alone: Watches) -> None:
    source = alone.source
    with source.database.connect(autocommit=True) as connection:
        for statement in (
            "INSERT INTO citizen VALUES (9001, 'ใหม่')",
            "UPDATE citizen SET was = 'paid' WHERE id = 7",
            "DELETE FROM citizen WHERE id = 8",
            "UPDATE citizen SET id = 9002 WHERE id = 9",
            "UPDATE visit SET day = '2026-02-01' WHERE citizen = 3",  # from one partition to the other
            "UPDATE kind SET is_of = 'paid' WHERE n = 2",
            "DELETE FROM kind WHERE n = 1",
            """UPDATE "ตาราง %s" SET "ค่า" = '{}' WHERE "คีย์ ""ก" LIKE '%7'""",
            "UPDATE long SET n = 1 WHERE id LIKE '%2'",
            "UPDATE price SET baht = 0 WHERE for_ = 4",
            "BEGIN; INSERT INTO citizen VALUES (9003, 'undone'); ROLLBACK",
            "BEGIN; INSERT INTO citizen VALUES (9004, 'kept'); SAVEPOINT s; INSERT INTO citizen VALUES (9005, 'undone');"
            " ROLLBACK TO s; INSERT INTO citizen VALUES (9006, 'kept'); COMMIT",
        ):
            for one in [statement] if "BEGIN" not in statement else statement.split("; "):
                connection.execute(one.encode())
    found = told(source)
    assert found.pop("public.citizen") == {("9001",), ("7",), ("8",), ("9",), ("9002",), ("9004",), ("9006",)}
    assert found.pop("public.visit_old") == {("3", "2025-06-04")}
    assert found.pop("public.visit_new") == {("3", "2026-02-01")}
    assert found.pop("public.kind") == {("new", "2"), ("paid", "2"), ("paid", "1")}
    assert {key[0][-1] for key in found.pop("public.ตาราง %s")} == {"7"}
    assert found.pop("public.long") == {("ก" * 600 + "2",)}  # its body stays where it was, and so does the key
    assert found.pop("public.price") == {("2025-12-31 21:00:00+00", "a4  ", "4.00")}
    assert found == {}


def test_interleaved_and_large_transactions_are_told_whole(alone: Watches) -> None:
    source = alone.source
    with source.database.connect() as one, source.database.connect() as other:
        one.execute("UPDATE citizen SET name = 'a' WHERE id = 1")
        other.execute("UPDATE citizen SET name = 'b' WHERE id = 2")
        other.commit()
        assert told(source) == {"public.citizen": {("2",)}}  # the first is not over
        one.execute("INSERT INTO citizen SELECT n, repeat('x', 500), 'new' FROM generate_series(10001, 30000) n")
        one.commit()
    found = told(source, per_batch=100)["public.citizen"]
    assert found == {("1",), ("2",)} | {(str(n),) for n in range(10001, 30001)}


def test_what_nobody_can_vouch_for_is_named(alone: Watches) -> None:
    source = alone.source
    both = Watches(source, source)
    assert set(vouched(both).reasons) == set()
    run(source.database, "TRUNCATE visit, spooled")
    run(source.database, "INSERT INTO log VALUES (1, 'y')")
    run(source.database, "ALTER TABLE price ALTER baht TYPE numeric(20, 9)")  # written anew: no log tells of it
    run(source.database, "ALTER TABLE citizen ADD age int DEFAULT 7")  # not even written
    run(source.database, "CREATE TABLE late (id int PRIMARY KEY); INSERT INTO late VALUES (1)")
    told(source)
    assert {name: reason for (_, name), reason in vouched(both).reasons.items()} == {
        "visit_old": "truncated", "visit_new": "truncated", "spooled": "truncated", "log": "keyless",
        "price": "rewritten", "citizen": "rewritten", "late": "not_watched",
    }  # fmt: skip
    assert vouched(both).reason(("public", "quiet")) == ""
    assert vouched(both).reason(("public", "elsewhere")) == "not_watched"
