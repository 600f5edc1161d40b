"""A database with everything that makes copying hard arrives whole; repeating any step changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from onboarding.addresses import Database
from onboarding.databases.finish import finish
from onboarding.databases.indexes import build_complete
from onboarding.databases.inventory import inventory
from onboarding.databases.plan import Shard, plan
from onboarding.databases.rows import move_unit
from onboarding.databases.schema import copy_schema
from onboarding.databases.sequences import set_sequences
from onboarding.databases.snapshot import open_snapshot
from onboarding.databases.target import ensure_empty_database

from .conftest import Source
from .plain import digest, large_objects, sequences


def copy_all(
    source: Database, instance: Database, fences: Iterator[int], load: str = "load-1", shards: int = 3
) -> Database:
    snapshot = open_snapshot(source)
    try:
        target = ensure_empty_database(instance, source.name, load=load, fence=next(fences), source=source)
        copy_schema(source, target, load=load, fence=next(fences), snapshot_id=snapshot.id)
        planned = plan(source, target, shards, load=load, fence=next(fences), snapshot_id=snapshot.id)
        for shard in planned:
            again = Shard.from_json(shard.as_json())
            move_unit(source, target, again, snapshot_id=snapshot.id, load=load, fence=next(fences))
            build_complete(source, target, again.unit, load=load, fence=next(fences), jobs=2)
    finally:
        snapshot.close()
    finish(source, target, load=load, fence=next(fences))
    set_sequences(source, target)
    return target


def test_everything_arrives(nasty: Source, instance: Database, fences: Iterator[int]) -> None:
    nasty.run(f"CREATE POLICY theirs ON guarded TO {nasty.service.user} USING (true)")  # names a role: see finish
    before = digest(nasty.owner)
    target = copy_all(nasty.owner, instance, fences)

    there, here = digest(target), digest(nasty.owner)
    assert here == before  # the source is left as it was
    hashed = {"public.by_mood_0", "public.by_mood_1"}  # an enum's hash depends on its object id: together they agree
    assert {k: v for k, v in there.items() if k not in hashed} == {k: v for k, v in here.items() if k not in hashed}
    assert sum(there[k][0] for k in hashed) == sum(here[k][0] for k in hashed) == 400
    assert sum(rows for rows, _ in there.values()) > 15_000
    assert there["public.audit"][0] == 2_200  # no trigger fired while rows were loaded
    assert large_objects(target) == large_objects(nasty.owner)
    assert len(large_objects(target)) == 4
    assert sequences(target) == sequences(nasty.owner)
    assert inventory(target) == inventory(nasty.owner)
    with target.connect() as connection:
        assert connection.execute("SELECT total FROM summary_twice").fetchone() == (2000,)
        assert connection.execute("SELECT reltuples FROM pg_class WHERE relname = 'kinds'").fetchone() == (3000,)
        assert connection.execute("SELECT count(*) FROM by_mood WHERE mood = 'ร่าง'").fetchone() == (100,)
        with pytest.raises(Exception, match="lays"):
            connection.execute("INSERT INTO chicken VALUES (900, 901); SET CONSTRAINTS ALL IMMEDIATE")
