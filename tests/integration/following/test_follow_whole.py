"""Copy, follow, freeze, switch, write there, and back: nothing is lost in either direction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import following_journey as journey
import pytest
from following_servers import Pair, run
from integration.copying.plain import PIN, sequences

from onboarding.addresses import Database
from onboarding.databases.follow import closing, drain, lag, slots, subscription, turn
from onboarding.databases.follow.drift import drift, fingerprint
from onboarding.databases.follow.readiness import ensure_identity
from onboarding.databases.sessions import session
from onboarding.errors import Stop

SERVICE = """
CREATE TYPE state AS ENUM ('new', 'paid');
CREATE TABLE citizen (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL, was state DEFAULT 'new',
    upper text GENERATED ALWAYS AS (upper(name)) STORED);
CREATE TABLE fee (id serial PRIMARY KEY, citizen bigint REFERENCES citizen, baht numeric);
CREATE TABLE visit (day date, citizen bigint, note text, PRIMARY KEY (day, citizen)) PARTITION BY RANGE (day);
CREATE TABLE visit_old PARTITION OF visit FOR VALUES FROM (MINVALUE) TO ('2026-01-01');
CREATE TABLE visit_new PARTITION OF visit FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE TABLE kind (is_of state, n int, PRIMARY KEY (is_of, n)) PARTITION BY HASH (is_of);
CREATE TABLE kind_0 PARTITION OF kind FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE kind_1 PARTITION OF kind FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE TABLE "ตาราง" ("คีย์" text PRIMARY KEY, doc jsonb);
CREATE TABLE log (at int, said text, more int) PARTITION BY RANGE (at);
CREATE TABLE log_1 PARTITION OF log (PRIMARY KEY (at, said)) FOR VALUES FROM (MINVALUE) TO (100);
CREATE TABLE log_2 PARTITION OF log FOR VALUES FROM (100) TO (MAXVALUE);
INSERT INTO log SELECT n, 'ก' || n, n FROM generate_series(1, 200) n;
INSERT INTO citizen (name) SELECT 'นาย ' || n FROM generate_series(1, 2000) n;
INSERT INTO fee (citizen, baht) SELECT n, n / 3.0 FROM generate_series(1, 2000) n;
INSERT INTO visit SELECT date '2025-06-01' + n, n, 'x' FROM generate_series(1, 400) n;
INSERT INTO kind SELECT (ARRAY['new', 'paid'])[1 + n % 2]::state, n FROM generate_series(1, 50) n;
INSERT INTO "ตาราง" SELECT 'ก' || n, jsonb_build_object('n', n) FROM generate_series(1, 50) n;
"""
CHANGES = """
INSERT INTO citizen (name) SELECT 'ใหม่ ' || n FROM generate_series(1, 300) n;
UPDATE citizen SET was = 'paid' WHERE id % 7 = 0;
DELETE FROM fee WHERE id % 11 = 0;
INSERT INTO fee (citizen, baht) SELECT id, 5 FROM citizen WHERE was = 'paid' AND id < 90;
UPDATE visit SET day = day + 300, note = 'moved' WHERE citizen % 5 = 0;
UPDATE kind SET is_of = 'paid' WHERE n % 4 = 0 AND is_of = 'new';
UPDATE log SET at = at + 1, more = more + 1 WHERE at % 3 = 0;
UPDATE log SET more = 0 WHERE at % 5 = 0;
DELETE FROM log WHERE at % 17 = 0;
UPDATE "ตาราง" SET doc = doc || '{"ก": null}';
"""


def ready(make: Callable[[str], Pair]) -> Pair:
    pair = make(SERVICE)
    ensure_identity(pair.source)
    return pair


def changed(address: Database) -> None:
    with address.connect(autocommit=True) as connection:
        connection.execute(CHANGES)


def rows(address: Database) -> dict[str, object]:
    """Each table's rows as one digest, a partitioned one's through its root: an enum hashes otherwise elsewhere."""
    with address.connect(autocommit=True) as connection:
        connection.execute(PIN)
        names = connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition"
            " AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        return {
            str(name): connection.execute(
                f"SELECT count(*), md5(string_agg(t::text, '|' ORDER BY t::text COLLATE \"C\")) FROM {name} t".encode()
            ).fetchone()
            for (name,) in names
        }


def demand_equal(pair: Pair) -> None:
    there, here = rows(pair.source), rows(pair.target)
    assert there == here and len(there) == 6
    assert sequences(pair.source) == sequences(pair.target)


def feeds(pair: Pair) -> list[object]:
    """What is left of slots, publications and subscriptions, on both sides."""
    left: list[object] = []
    for side in (pair.source, pair.target):
        left += run(side, "SELECT slot_name FROM pg_replication_slots WHERE database = current_database()")
        left += run(side, "SELECT pubname FROM pg_publication")
        left += run(side, "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
                         " WHERE d.datname = current_database()")  # fmt: skip
    return left


def test_there_and_back(make: Callable[[str], Pair]) -> None:
    pair = make(SERVICE)
    with pytest.raises(Stop, match=r"log, public\.log_1, public\.log_2"):
        slots.open_slot(pair.forward)
    changed(pair.service)  # nothing was published, so nothing of the agency's is refused
    assert ensure_identity(pair.source) == ["public.log", "public.log_1", "public.log_2"]
    journey.copy(pair, 1)
    changed(pair.service)  # seen by no snapshot: the slot has it
    journey.follow(pair, 2)
    changed(pair.service)
    samples = journey.catch_up(pair)
    assert all(sample.bytes >= 0 for sample in samples)
    assert drift(pair.forward) == [] and fingerprint(pair.source) == fingerprint(pair.target)

    frozen_at = journey.freeze_source(pair)
    journey.drain_and_arm(pair, frozen_at, 3)
    demand_equal(pair)
    assert not subscription.is_enabled(pair.forward) and subscription.is_enabled(pair.back)
    journey.open_target(pair)
    with pair.service.at(pair.target.host).connect(autocommit=True) as connection:
        connection.execute(CHANGES)
        connection.execute(CHANGES)

    frozen_there = journey.freeze_target(pair)
    journey.return_home(pair, frozen_there, 4)
    demand_equal(pair)
    journey.open_source(pair)
    changed(pair.service)

    for feed in (pair.forward, pair.back):
        closing.close(feed, fence=5)
        closing.close(feed, fence=5)
    assert feeds(pair) == []


def test_the_steps_of_the_night_are_safe_to_repeat_and_can_be_called_off(make: Callable[[str], Pair]) -> None:
    pair = ready(make)
    journey.copy(pair, 1)
    for _ in range(2):
        journey.follow(pair, 2)
    for night in (3, 5):
        changed(pair.service)
        frozen_at = journey.freeze_source(pair)
        for _ in range(2):
            journey.drain_and_arm(pair, frozen_at, night)
        demand_equal(pair)
        with pytest.raises(Stop, match="way back is armed"):
            subscription.enable(pair.forward, fence=night, again=True)
        for _ in range(2):
            turn.disarm(pair.forward, pair.back, fence=night + 1)
        journey.open_source(pair)
        assert subscription.is_enabled(pair.forward)
        turn.prepare(pair.back, fence=night + 1)
    changed(pair.service)
    journey.catch_up(pair)
    drained = drain.drain(pair.forward, frozen_at=journey.freeze_source(pair), fence=7)
    assert rows(pair.source) == rows(pair.target)
    assert drain.drain(pair.forward, frozen_at=drained.marked_at - timedelta(seconds=1), fence=7) == drained


def test_an_older_attempt_starts_and_stops_nothing(make: Callable[[str], Pair]) -> None:
    pair = ready(make)
    journey.copy(pair, 1)
    journey.follow(pair, 5)
    for act in (subscription.enable, subscription.disable, turn.prepare, closing.close):
        with pytest.raises(Stop, match="newer attempt"):
            act(pair.back if act is turn.prepare else pair.forward, fence=4)
    assert subscription.is_enabled(pair.forward)
    journey.catch_up(pair)  # by a slot that is still there


def test_a_slot_that_is_not_the_copys_own_is_refused(make: Callable[[str], Pair]) -> None:
    pair = ready(make)
    journey.copy(pair, 1)
    changed(pair.service)
    with slots.one_at_a_time(pair.source, pair.forward.name) as connection:
        connection.execute("SELECT pg_replication_slot_advance(%s, pg_current_wal_lsn())", [pair.forward.name])
    with pytest.raises(Stop, match="changes may be missing"):
        subscription.ensure_subscription(pair.forward, fence=2)
    slots.open_slot(pair.forward).close()  # begins anew, with what the copy did not see already written
    with pytest.raises(Stop, match="another snapshot"):
        subscription.ensure_subscription(pair.forward, fence=2)
    journey.copy(pair, 3)
    journey.follow(pair, 4)
    journey.catch_up(pair)
    for side in (pair.source, pair.target):
        run(side, "CREATE TABLE late (id int PRIMARY KEY)")
    with pytest.raises(Stop, match="depends on this slot"):
        slots.open_slot(pair.forward)
    assert drift(pair.forward) == ["table public.late (not published)"]  # what runs is not changed by who asks again


def test_what_changes_in_the_schema_is_named(make: Callable[[str], Pair]) -> None:
    pair = ready(make)
    journey.copy(pair, 1)
    journey.follow(pair, 2)
    run(pair.source, "CREATE TABLE late (id int PRIMARY KEY); ALTER TABLE fee ADD COLUMN vat numeric DEFAULT 7")
    run(pair.target, "CREATE VIEW extra AS SELECT 1 AS one")
    found = drift(pair.forward)
    assert "table public.late (not published)" in found
    assert "table public.late (publisher only)" in found
    assert "table column public.fee.vat (publisher only)" in found
    assert "view public.extra (subscriber only)" in found
    assert fingerprint(pair.source) != fingerprint(pair.target)
    pair.service.connect(autocommit=True).execute("INSERT INTO fee (citizen, baht) VALUES (1, 1)").connection.close()
    stuck = lag.sample(pair.forward, patience=timedelta(seconds=1))  # the worker stops at the column it does not know
    assert stuck.seconds is None and not lag.caught_up([stuck], lag.Limit(), consecutive=1)


def test_room_and_loss_of_the_slot_are_told(make: Callable[[str], Pair]) -> None:
    pair = ready(make)
    journey.copy(pair, 1)
    changed(pair.service)
    kept = lag.demand_room(pair.forward, limit_bytes=1 << 40)
    assert kept.retained > 0 and not kept.active
    with pytest.raises(Exception, match="the limit is 1 bytes"):
        lag.demand_room(pair.forward, limit_bytes=1)
    closing.close_publisher(pair.forward.publisher, pair.forward.name)
    with pytest.raises(Stop, match="changes may be missing"):
        lag.demand_room(pair.forward, limit_bytes=1 << 40)


def test_enough_samples_in_a_row_are_wanted() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC)
    good, late, lost = lag.Lag(10, 0.1, at), lag.Lag(10, 9.0, at), lag.Lag(10, None, at)
    limit = lag.Limit(bytes=100, seconds=1.0)
    assert lag.caught_up([late, good, good], limit, consecutive=2)
    assert not lag.caught_up([good, good], limit, consecutive=3)
    for bad in (late, lost, lag.Lag(101, 0.1, at)):
        assert not lag.caught_up([good, bad, good], limit, consecutive=2)


def test_a_slot_waits_for_writers_only_so_long(make: Callable[[str], Pair]) -> None:
    pair = ready(make)
    with session(pair.service) as writing:
        writing.execute("INSERT INTO public.fee (citizen, baht) VALUES (1, 1)")
        with pytest.raises(Exception, match="have the agency end them") as told:
            slots.open_slot(pair.forward, patience=timedelta(seconds=1))
        assert pair.service.user in str(told.value)
    assert run(pair.source, "SELECT 1 FROM pg_replication_slots WHERE database = current_database()") == []
