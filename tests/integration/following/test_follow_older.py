"""From Debian's PostgreSQL 15, which cannot tell replicated changes from its own, to the newest on offer, and back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import debian_postgres
import following_journey as journey
import pytest
from following_servers import Pair, Servers, run
from integration.copying.plain import digest, sequences

from onboarding.addresses import Database
from onboarding.databases.follow import closing
from onboarding.databases.follow.readiness import assess_server, assess_tables, assess_way
from onboarding.reconcile.changes.proving import compare_changed
from onboarding.reconcile.changes.standing import stand
from onboarding.reconcile.changes.watches import close_watch, open_watch

from .test_changes import watches_of

pytestmark = debian_postgres.needed

SERVICE = """
CREATE TABLE letter (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, said text, much numeric);
CREATE TABLE day_of (day date, n int, PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
CREATE TABLE day_old PARTITION OF day_of FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE day_new PARTITION OF day_of FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
INSERT INTO letter (said, much) SELECT 'ก' || n, n / 7.0 FROM generate_series(1, 3000) n;
INSERT INTO day_of SELECT date '2025-10-01' + n, n FROM generate_series(1, 200) n;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO app;
"""
CHANGES = """
INSERT INTO letter (said) SELECT 'ใหม่' FROM generate_series(1, 100); UPDATE letter SET much = id WHERE id % 9 = 0;
DELETE FROM letter WHERE id % 31 = 0; UPDATE day_of SET day = day + 60 WHERE n % 4 = 0;
"""


@pytest.fixture
def older(tmp_path: Path) -> Iterator[Database]:
    """PostgreSQL 15 with logical replication on: its superuser, because only that may subscribe there."""
    with debian_postgres.running(tmp_path, wal_level="logical") as server:
        run(server, "CREATE ROLE app LOGIN PASSWORD 'for the test'")
        run(server, "CREATE DATABASE letters")
        yield replace(server, name="letters")


def test_an_older_server_is_followed_and_follows(older: Database, servers: Servers) -> None:
    run(older, SERVICE)
    pair = Pair(older, replace(servers.admin, name="letters"), older.as_user("app", "for the test"), servers.admin)
    assert [(found.id, found.severity) for found in assess_server(older)] == [("follow_no_origins", "warning")]
    assert assess_tables(older) == []
    watches = watches_of(pair)
    open_watch(watches.source)
    journey.copy(pair, 1)
    proven = stand(watches)
    run(pair.service, CHANGES)
    assert assess_way(pair.forward) == assess_way(pair.back) == []
    journey.follow(pair, 1)
    journey.catch_up(pair)
    found = compare_changed(watches, proven, record=1, sequences="at_least")
    assert found.unaccounted_rows == 0 and not found.unknown
    assert {table.compared for table in found.tables} == {"changed"} and found.source_rows > 400
    for watch in watches:
        close_watch(watch)
    for night in (2, 3):
        run(pair.service, CHANGES)
        journey.drain_and_arm(pair, journey.freeze_source(pair), night)
        if night == 2:
            journey.call_off(pair, night)
    assert digest(pair.source) == digest(pair.target)
    journey.open_target(pair)
    run(replace(pair.service, host=pair.target.host, port=pair.target.port), CHANGES)
    journey.return_home(pair, journey.freeze_target(pair), 4)
    journey.open_source(pair)
    assert digest(pair.source) == digest(pair.target) and sequences(pair.source) == sequences(pair.target)
    for feed in (pair.forward, pair.back):
        closing.close(feed, fence=5)
    run(pair.admin, "DROP DATABASE letters")
