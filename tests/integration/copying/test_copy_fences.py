"""A worker thought dead does no harm: the target refuses a lower token, another snapshot and a second copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import pytest

from onboarding.addresses import Database
from onboarding.databases.fence import claim
from onboarding.databases.finish import finish
from onboarding.databases.plan import Shard, plan
from onboarding.databases.rows import move_unit
from onboarding.databases.schema import copy_schema
from onboarding.databases.sequences import set_sequences
from onboarding.databases.snapshot import open_snapshot, sees
from onboarding.databases.status import status
from onboarding.databases.target import drop_database, ensure_empty_database
from onboarding.errors import Stop, TryAgain

from .conftest import Source
from .loads import Load, begun
from .plain import digest, sequences

SCRIPT = """
CREATE TABLE doc (id int PRIMARY KEY, title text);
INSERT INTO doc SELECT n, 'ก' || n FROM generate_series(1, 1000) n;
CREATE TABLE other (a int);
INSERT INTO other VALUES (1);
CREATE SEQUENCE down INCREMENT -1;
SELECT nextval('down');
"""


@pytest.fixture
def load(make_source: Callable[[str], Source], instance: Database, fences: Iterator[int]) -> Iterator[Load]:
    with begun(make_source(SCRIPT).owner, instance, fences, 2) as planned:
        yield planned


def count(database: Database, table: str = "doc") -> int:
    with database.connect() as connection:
        row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    assert row is not None
    return int(str(row[0]))


def holding(load: Load, table: str) -> Shard:
    return next(shard for shard in load.shards if any(part.table == table for part in shard.parts))


def checkpoint(connection: psycopg.Connection[tuple[object, ...]], load: Load, shard: Shard, fence: int) -> None:
    """What an attempt writes last; by hand, so that the refusal is seen to be the target's, not our code's."""
    connection.execute(
        "INSERT INTO namrong.checkpoints (part, load, unit, snapshot, rows, bytes, fence)"
        " VALUES (%s, %s, %s, %s, 0, 0, %s)",
        [shard.parts[0].id, load.name, shard.unit, sees(load.snapshot.id), fence],
    )


def test_an_orphan_can_no_longer_commit(load: Load, fences: Iterator[int]) -> None:
    shard, old, new = holding(load, "doc"), next(fences), next(fences)
    claim(load.target, shard.unit, load=load.name, fence=old)
    with load.target.connect() as orphan:  # its session has another name, so that it is not simply ended
        orphan.execute("INSERT INTO doc VALUES (-1, 'by the orphan')")
        assert load.move(shard, new) >= 1
        with pytest.raises(psycopg.DatabaseError) as refused:
            checkpoint(orphan, load, shard, old)
        assert refused.value.sqlstate == "NR001"
    assert count(load.target) == 1000


def test_an_orphan_in_the_middle_of_copy_is_ended(load: Load, fences: Iterator[int]) -> None:
    shard, old, new = holding(load, "doc"), next(fences), next(fences)
    with load.target.connect() as orphan:
        orphan.execute(f"SET application_name = 'namrong:{shard.unit}:{old}'")
        orphan.execute("INSERT INTO doc VALUES (-1, 'by the orphan')")
        claim(load.target, shard.unit, load=load.name, fence=new)
        with pytest.raises(psycopg.OperationalError):
            orphan.execute("SELECT 1")
    assert count(load.target) == 0


def test_a_newer_attempt_at_one_unit_leaves_the_others_alone(load: Load, fences: Iterator[int]) -> None:
    first, second = load.shards
    early, late = next(fences), next(fences)
    assert load.move(first, late) >= 1
    assert load.move(second, early) >= 1
    with pytest.raises(Stop, match="newer attempt"):
        load.move(first, early)


def test_two_attempts_with_one_token_copy_once(load: Load, fences: Iterator[int]) -> None:
    shard, fence = holding(load, "doc"), next(fences)
    assert load.move(shard, fence) == len(shard.parts)
    assert load.move(shard, fence) == 0
    assert load.move(shard, next(fences)) == 0
    with load.target.connect() as twin, pytest.raises(psycopg.errors.UniqueViolation):
        checkpoint(twin, load, shard, next(fences))
    assert count(load.target) == 1000


def test_a_second_snapshot_is_refused_and_a_new_load_starts_clean(load: Load, fences: Iterator[int]) -> None:
    first, second = load.shards
    load.move(first, next(fences))
    with load.source.connect() as writer:
        writer.execute("INSERT INTO doc VALUES (2000, 'later')")
    later = open_snapshot(load.source)
    with pytest.raises(Stop, match="two moments"):
        load.move(second, next(fences), snapshot_id=later.id)
    with load.target.connect() as straight, pytest.raises(psycopg.DatabaseError) as refused:
        fence = next(fences)
        straight.execute("UPDATE namrong.units SET token = %s WHERE unit = %s", [fence, second.unit])
        checkpoint(straight, replace(load, snapshot=later), second, fence)
    assert refused.value.sqlstate == "NR002"

    again = ensure_empty_database(load.admin, load.source.name, load="load-2", fence=next(fences), source=load.source)
    copy_schema(load.source, again, load="load-2", fence=next(fences), snapshot_id=later.id)
    shards = plan(load.source, again, 2, load="load-2", fence=next(fences), snapshot_id=later.id)
    for shard in shards:
        load.move(shard, next(fences), load="load-2", snapshot_id=later.id)
    later.close()
    assert count(again) == 1001
    with pytest.raises(Stop, match="another load"):
        load.move(first, next(fences))  # the old load, even with a fresh token


def test_a_snapshot_that_is_gone_stops_the_unit(load: Load, fences: Iterator[int]) -> None:
    assert load.snapshot.alive()
    load.snapshot.close()
    assert not load.snapshot.alive()
    with pytest.raises(Stop, match="snapshot"):
        load.move(load.shards[0], next(fences))


def test_a_new_holder_of_the_same_moment_goes_on(load: Load, fences: Iterator[int]) -> None:
    first, second = load.shards
    load.move(first, next(fences))
    load.snapshot.close()
    same = open_snapshot(load.source)
    if sees(same.id) == sees(load.snapshot.id):  # nothing else took a transaction number on this shared server
        load.move(second, next(fences), snapshot_id=same.id)
        assert digest(load.target) == digest(load.source)
    else:
        with pytest.raises(Stop, match="two moments"):
            load.move(second, next(fences), snapshot_id=same.id)
    same.close()


def test_a_snapshot_of_the_same_name_that_sees_else_is_refused(load: Load, fences: Iterator[int]) -> None:
    name = load.snapshot.id.partition("/")[0]
    with pytest.raises(Stop, match="snapshot"):
        load.move(load.shards[0], next(fences), snapshot_id=f"{name}/1:1:")


def test_the_snapshot_is_of_one_moment_and_keeps_tables_as_they_are(load: Load, fences: Iterator[int]) -> None:
    with load.source.connect(autocommit=True) as writer:
        writer.execute("SET lock_timeout = '200ms'")
        writer.execute("UPDATE doc SET title = 'changed'; DELETE FROM doc WHERE id > 500")
        writer.execute("VACUUM doc")
        for forbidden in ("TRUNCATE doc", "ALTER TABLE doc ADD more int", "DROP TABLE doc", "VACUUM FULL doc"):
            with pytest.raises(psycopg.errors.LockNotAvailable):
                writer.execute(forbidden)
    for shard in load.shards:
        load.move(shard, next(fences))
    assert count(load.target) == 1000
    assert count(load.target, "doc WHERE title = 'changed'") == 0


def test_the_same_load_keeps_its_rows_and_only_a_newer_attempt_gets_the_database(
    load: Load, fences: Iterator[int]
) -> None:
    old = next(fences)
    load.move(load.shards[0], next(fences))
    before = status(load.target, load.name)
    assert 0 < before.parts < before.planned_parts
    newest = next(fences)
    same = ensure_empty_database(load.admin, load.source.name, load=load.name, fence=newest, source=load.source)
    assert same == load.target and status(load.target, load.name) == before
    for late in (
        lambda: ensure_empty_database(load.admin, load.source.name, load="load-2", fence=old, source=load.source),
        lambda: drop_database(load.admin, load.source.name, fence=old),
        lambda: copy_schema(load.source, load.target, load=load.name, fence=old, snapshot_id=load.snapshot.id),
        lambda: load.move(load.shards[1], old),
        lambda: finish(load.source, load.target, load=load.name, fence=old),
    ):
        with pytest.raises(Stop, match="newer attempt"):
            late()
    drop_database(load.admin, load.source.name, fence=next(fences))
    drop_database(load.admin, load.source.name, fence=next(fences))
    with pytest.raises(Stop, match="newer attempt"):  # the token outlives the database
        ensure_empty_database(load.admin, load.source.name, load=load.name, fence=newest, source=load.source)


def test_a_plan_once_made_stays(load: Load, fences: Iterator[int]) -> None:
    again = plan(load.source, load.target, 16, load=load.name, fence=next(fences), snapshot_id=load.snapshot.id)
    assert again == load.shards
    assert [Shard.from_json(shard.as_json()) for shard in again] == again


def test_no_index_is_made_before_every_row_is_there(load: Load, fences: Iterator[int]) -> None:
    load.move(load.shards[0], next(fences))
    with pytest.raises(Stop, match="planned parts"):
        finish(load.source, load.target, load=load.name, fence=next(fences))
    load.move(load.shards[1], next(fences))
    made = finish(load.source, load.target, load=load.name, fence=next(fences))
    assert (made.made, made.found) == (1, 0)
    made = finish(load.source, load.target, load=load.name, fence=next(fences))
    assert (made.made, made.found) == (0, 1)
    assert status(load.target, load.name).finished
    assert digest(load.target) == digest(load.source)


def test_what_finish_could_not_make_is_named(load: Load, fences: Iterator[int]) -> None:
    for shard in load.shards:
        load.move(shard, next(fences))
    with load.source.connect() as late:
        late.execute("CREATE VIEW came_later AS SELECT 1 AS one")
    with pytest.raises(Stop, match="came_later"):
        finish(load.source, load.target, load=load.name, fence=next(fences))


def test_sequences_are_set_as_often_as_asked(load: Load) -> None:
    for _ in range(2):
        assert set_sequences(load.source, load.target) == 1
        assert sequences(load.target) == sequences(load.source) == {"public.down": (-1, True)}
    with load.source.connect() as writer:
        writer.execute("SELECT nextval('down')")
    set_sequences(load.source, load.target)
    with load.target.connect() as reader:
        assert reader.execute("SELECT nextval('down')").fetchone() == (-3,)


def test_a_server_that_is_away_is_tried_again(load: Load, fences: Iterator[int]) -> None:
    nowhere = replace(load.target, port=1)
    with pytest.raises(TryAgain):
        move_unit(
            load.source, nowhere, load.shards[0], snapshot_id=load.snapshot.id, load=load.name, fence=next(fences)
        )
