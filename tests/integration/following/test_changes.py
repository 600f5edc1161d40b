"""What changed since the full proof: every kind of change is told of by its key, and every difference is found."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import following_journey as journey
import psycopg
import pytest
from following_servers import Pair, Servers, make_pair, run, take_away

from onboarding.databases.follow import lag
from onboarding.databases.follow.subscription import disable
from onboarding.reconcile.changes import draining, pending
from onboarding.reconcile.changes.proving import compare_changed
from onboarding.reconcile.changes.rounds import Horizon, prove_round
from onboarding.reconcile.changes.sessions import WatchLost, session
from onboarding.reconcile.changes.standing import Began, stand
from onboarding.reconcile.changes.vouching import vouched
from onboarding.reconcile.changes.watches import Watch, Watches, close_watch, forget_pending, open_watch, retained
from onboarding.reconcile.databases import compare_databases
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
            "BEGIN; INSERT INTO citizen VALUES (9004, 'kept'); SAVEPOINT s;"
            " INSERT INTO citizen VALUES (9005, 'undone'); ROLLBACK TO s; INSERT INTO citizen VALUES (9006, 'kept');"
            " COMMIT",
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


@pytest.fixture(scope="module")
def followed(servers: Servers) -> Iterator[tuple[Pair, Watches, Began]]:
    """Copied, proven while both watches stood, and followed."""
    pair = make_pair(servers, SERVICE.replace("CREATE TABLE late", ""))
    watches = watches_of(pair)
    open_watch(watches.source)
    journey.copy(pair, 1)
    proven = stand(watches)
    assert compared(pair).unaccounted_rows == 0
    journey.follow(pair, 2)
    yield pair, watches, proven
    for watch in watches:
        close_watch(watch)
    take_away(servers, pair)


def compared(pair: Pair) -> Comparison:
    return compare_databases(pair.source, pair.target, expect_writes_closed_for=pair.service.user)


def frozen(pair: Pair, watches: Watches, proven: Began) -> Comparison:
    """As under the freeze: nobody writes, everything has arrived."""
    assert applied(pair)
    return compare_changed(watches, proven, record=42, expect_writes_closed_for=pair.service.user, sequences="at_least")


def applied(pair: Pair) -> bool:
    return lag.sample(pair.forward).seconds is not None


def differing(found: Comparison) -> dict[str, tuple[int, int, int, tuple[str, ...]]]:
    """By table: missing, extra, changed, in which columns."""
    return {
        table.table.removeprefix("public."): (
            table.differences.missing, table.differences.extra, table.differences.changed,
            tuple(column for column, _ in table.differences.columns),
        )
        for table in found.tables if not table.equal
    }  # fmt: skip


def test_a_quiet_proof_compares_nothing_and_says_by_what_it_is_proven(
    followed: tuple[Pair, Watches, Began],
) -> None:
    pair, *_ = followed
    found = frozen(*followed)
    assert found.unaccounted_rows == 0 and not found.unknown and found.source_rows == 0
    assert {table.compared for table in found.tables} == {"changed"} and len(found.tables) == len(compared(pair).tables)
    assert found.as_json()["proven_by"] == 42 and not found.objects.differences


def test_rows_altered_by_hand_on_the_target_are_named(followed: tuple[Pair, Watches, Began]) -> None:
    pair, watches, proven = followed
    run(pair.service, "UPDATE citizen SET was = 'paid' WHERE id BETWEEN 100 AND 119")
    hand = (
        ("UPDATE citizen SET name = 'by hand' WHERE id = 500", "UPDATE citizen SET name = 'นาย 500' WHERE id = 500"),
        ("DELETE FROM visit WHERE citizen = 5", "INSERT INTO visit VALUES ('2025-06-06', 5, 'x')"),
        ("INSERT INTO kind VALUES ('new', 900)", "DELETE FROM kind WHERE n = 900"),
        ("INSERT INTO quiet VALUES (1)", "DELETE FROM quiet WHERE ctid = (SELECT max(ctid) FROM quiet)"),
    )
    for statement, _ in hand:
        run(pair.target, statement)
    found = frozen(pair, watches, proven)
    assert differing(found) == {
        "citizen": (0, 0, 1, ("name",)), "visit_old": (1, 0, 0, ()), "kind": (0, 1, 0, ()), "quiet": (0, 0, 0, ()),
    }  # fmt: skip
    by_name = {table.table: table for table in found.tables}
    assert by_name["public.quiet"].differences.duplicated == 1
    assert by_name["public.citizen"].source_rows == 21  # the rows that changed, and no others
    assert (by_name["public.quiet"].compared, by_name["public.quiet"].note) == ("whole", "keyless")
    assert [row.key for row in by_name["public.citizen"].differences.named] == [("500",)]
    at_once = prove_round(watches, proven, lambda: applied(pair))
    assert set(at_once.differing) == {("public", "citizen"), ("public", "visit_old"), ("public", "kind")}
    assert at_once.cleared == 20 and at_once.pending == 3
    for _, undone in hand:
        run(pair.target, undone)
    assert frozen(pair, watches, proven).unaccounted_rows == compared(pair).unaccounted_rows == 0
    assert prove_round(watches, proven, lambda: applied(pair)).pending == 0


def test_no_alarm_while_the_service_writes(followed: tuple[Pair, Watches, Began]) -> None:
    pair, watches, proven = followed
    rounds = []
    with writing(pair):
        for _ in range(10):
            rounds.append(prove_round(watches, proven, lambda: applied(pair)))
    assert [one.differing for one in rounds if one.differing or one.behind] == []
    assert sum(one.cleared for one in rounds) > 50 and max(one.pending for one in rounds) < 2_000
    found = frozen(pair, watches, proven)
    assert found.unaccounted_rows == compared(pair).unaccounted_rows == 0


@contextmanager
def writing(pair: Pair) -> Iterator[None]:
    """Three sessions that change the same few rows over and over, some transactions undone."""
    over = threading.Event()

    def write(seed: int) -> None:
        with pair.service.connect(autocommit=True) as connection:
            turn = 0
            while not over.wait(0.002):
                turn += 1
                try:
                    with connection.transaction(force_rollback=turn % 7 == 0):
                        row = (seed * 31 + turn) % 60 + 1
                        connection.execute("UPDATE citizen SET doc = %s WHERE id = %s", [str(turn), row])
                        connection.execute("DELETE FROM kind WHERE n = %s", [1000 + row])
                        connection.execute("INSERT INTO kind VALUES ('new', %s)", [1000 + row])
                except (psycopg.errors.UniqueViolation, psycopg.errors.DeadlockDetected):
                    continue

    threads = [threading.Thread(target=write, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(30)


def test_killed_between_keeping_and_moving_on_nothing_is_missed(
    followed: tuple[Pair, Watches, Began],
) -> None:
    pair, watches, proven = followed
    run(pair.service, "UPDATE citizen SET doc = 'again' WHERE id = 1234")
    with session(pair.source) as there, session(pair.target) as here, here.transaction():
        # everything up to moving the slot on, and then nothing more
        known = draining.number(proven.source)
        tables = draining.tables_then(there, watches.source.name)
        half = draining.Taken(watches.source, here, tables, known)
        to = draining.mark(watches.source)
        for data in draining._peek(watches.source, there, to, 1_000_000):
            half.take(data)
        half.flush()
    assert ("1234",) in told(watches.source)["public.citizen"]
    with session(pair.target) as here, here.transaction(force_rollback=True):
        run(pair.service, "UPDATE citizen SET doc = 'third' WHERE id = 1235")
        # killed before it was kept: the slot still has it
    assert ("1235",) in told(watches.source)["public.citizen"]
    assert frozen(pair, watches, proven).unaccounted_rows == 0


def test_a_change_that_never_arrives_is_found(followed: tuple[Pair, Watches, Began]) -> None:
    pair, watches, proven = followed
    assert applied(pair)
    disable(pair.forward, fence=3)
    run(pair.service, "UPDATE citizen SET doc = 'lost' WHERE id IN (77, 78); DELETE FROM spooled WHERE id = 3")
    late = prove_round(
        watches, proven, lambda: lag.sample(pair.forward, patience=timedelta(seconds=1)).seconds is not None
    )
    assert late.behind and not late.differing
    found = compare_changed(
        watches, proven, record=42, sequences="at_least", expect_writes_closed_for=pair.service.user
    )
    assert differing(found) == {"citizen": (0, 0, 2, ("doc",)), "spooled": (0, 1, 0, ())}


def test_a_watch_that_is_not_the_one_of_the_proof_proves_nothing(followed: tuple[Pair, Watches, Began]) -> None:
    pair, watches, proven = followed
    assert all(retained(watch) > 0 for watch in watches)
    with pytest.raises(WatchLost, match="another watch"):
        compare_changed(watches, Began(proven.source, "0/1"), record=42)
    run(pair.service, "UPDATE citizen SET doc = 'unseen' WHERE id = 90")
    run(pair.source, f"SELECT pg_replication_slot_advance('{watches.source.name}', '{draining.mark(watches.source)}')")
    with pytest.raises(WatchLost, match="moved on"):
        frozen_without_waiting(watches, proven)
    run(pair.source, f"ALTER PUBLICATION {watches.source.name} SET (publish = 'insert')")
    with pytest.raises(WatchLost, match="not what it was"):
        frozen_without_waiting(watches, proven)
    close_watch(watches.target)
    with pytest.raises(WatchLost):
        frozen_without_waiting(watches, proven)


def frozen_without_waiting(watches: Watches, proven: Began) -> Comparison:
    return compare_changed(watches, proven, record=42)


def test_a_snapshot_sees_transactions_that_came_before_it_and_do_not_run() -> None:
    now = Horizon(100, frozenset({97}))
    assert [xid for xid in (3, 96, 97, 98, 99, 100, 101) if now.sees(xid)] == [3, 96, 98, 99]
    turned = Horizon(2**32 + 5, frozenset({2**32 - 1}))  # numbers begin anew at 3 once they are used up
    assert [xid for xid in (2**32 - 2, 2**32 - 1, 3, 4, 5, 900) if turned.sees(xid)] == [2**32 - 2, 3, 4]
    assert turned.sees(None)
