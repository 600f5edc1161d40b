"""A table's indexes and statistics are there with its last row; whoever is in doubt leaves them to `finish`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
import pytest

from onboarding.addresses import Database
from onboarding.databases.finish import Finished, finish
from onboarding.databases.indexes import build_complete
from onboarding.databases.inventory import missing
from onboarding.databases.plan import Shard

from .conftest import Source
from .loads import Load, begun

SCRIPT = """
CREATE TABLE large (id int PRIMARY KEY, body text, at date);
INSERT INTO large SELECT n, repeat(md5(n::text), 60), date '2020-01-01' + n % 900 FROM generate_series(1, 12000) n;
CREATE INDEX ON large (at);
CREATE INDEX ON large (lower(body));
CREATE TABLE small (id int PRIMARY KEY, large int REFERENCES large, UNIQUE (large));
INSERT INTO small SELECT n, n FROM generate_series(1, 500) n;
CREATE TYPE mood AS ENUM ('ดี', 'ร้าย');
CREATE TABLE by_mood (mood mood, n int, PRIMARY KEY (mood, n)) PARTITION BY HASH (mood);
CREATE TABLE by_mood_0 PARTITION OF by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_mood_1 PARTITION OF by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_mood SELECT (ARRAY['ดี', 'ร้าย'])[1 + n % 2]::mood, n FROM generate_series(1, 100) n;
"""


@dataclass
class Loading:
    """A load whose units are moved first, and then what they complete is built."""

    planned: Load
    fences: Iterator[int]

    @property
    def source(self) -> Database:
        return self.planned.source

    @property
    def target(self) -> Database:
        return self.planned.target

    @property
    def shards(self) -> list[Shard]:
        return self.planned.shards

    def move(self, shard: Shard) -> None:
        self.planned.move(shard, next(self.fences))

    def build(self, shard: Shard) -> int:
        fence = next(self.fences)
        return build_complete(self.source, self.target, shard.unit, load=self.planned.name, fence=fence, jobs=2)

    def finish(self) -> Finished:
        return finish(self.source, self.target, load=self.planned.name, fence=next(self.fences))

    def indexes(self) -> dict[str, int]:
        """How many each table of the target has."""
        with self.target.connect() as connection:
            rows = connection.execute(
                "SELECT tablename, count(*) FROM pg_indexes WHERE schemaname = 'public' GROUP BY 1"
            )
            return dict(rows.fetchall())

    def analyzed(self) -> set[str]:
        with self.target.connect() as connection:
            rows = connection.execute("SELECT DISTINCT tablename FROM pg_stats WHERE schemaname = 'public'")
            return {name for (name,) in rows}

    def tables(self, shard: Shard) -> set[str]:
        return {part.table for part in shard.parts}


@pytest.fixture
def load(make_source: Callable[[str], Source], instance: Database, fences: Iterator[int]) -> Iterator[Loading]:
    with begun(make_source(SCRIPT).owner, instance, fences, 4) as planned:
        yield Loading(planned, fences)


def test_with_the_last_row_and_not_before(load: Loading) -> None:
    *before, last = [shard for shard in load.shards if "large" in load.tables(shard)]
    assert before, "one unit has it all: this proves nothing"
    for shard in before:
        load.move(shard)
        assert load.build(shard) == 0 and "large" not in load.indexes()
    load.move(last)
    made = load.build(last)
    assert load.indexes()["large"] == 3 and "large" in load.analyzed()
    assert made == sum(load.indexes().values())
    assert load.build(last) == 0  # and only once
    with load.target.connect() as connection:  # what an index on an expression is for
        named = connection.execute("SELECT count(*) FROM pg_stats WHERE tablename = 'large_lower_idx'").fetchone()
    assert named == (1,)
    rest = [shard for shard in load.shards if shard not in [*before, last]]
    for shard in rest:
        load.move(shard)
        load.build(shard)
    assert load.indexes() == {"large": 3, "small": 2, "by_mood_0": 1, "by_mood_1": 1}  # the root's own is for `finish`
    finished = load.finish()
    assert finished.found >= 7 and missing(load.source, load.target) == []
    assert {"large", "small", "by_mood"} <= load.analyzed()


def test_of_those_who_end_together_one_builds(load: Loading) -> None:
    for shard in load.shards:
        load.move(shard)
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(load.build, load.shards * 2))
    assert sum(made) == sum(load.indexes().values()) == 7
    load.finish()
    assert missing(load.source, load.target) == []


def as_if(load: Loading, name: str) -> psycopg.Connection[tuple[object, ...]]:
    """A session under that name, in the middle of an index that it never finishes."""
    left = load.target.connect(autocommit=False)
    left.execute(f"SET application_name = '{name}'")
    left.execute("CREATE INDEX large_at_idx ON public.large (at)")
    return left


def test_what_a_killed_builder_left_at_work_is_ended_first(load: Loading) -> None:
    for shard in load.shards:
        load.move(shard)
    left = as_if(load, "namrong:index999999:1")
    assert sum(load.build(shard) for shard in load.shards) == 7
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")


def test_finish_ends_an_older_builder_and_whoever_holds_its_lock(load: Loading) -> None:
    for shard in load.shards:
        load.move(shard)
    with load.target.connect() as holder:
        holder.execute("SET application_name = 'namrong:indexes:1'")
        row = holder.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        left = as_if(load, f"namrong:index{row[0]}:1")
        assert load.finish().found == 0
        for ended in (left, holder):
            with pytest.raises(psycopg.OperationalError):
                ended.execute("SELECT 1")
    assert missing(load.source, load.target) == []


@pytest.mark.parametrize("large", [True, False])
def test_rows_of_a_large_load_are_written_once_and_not_again_by_their_first_reader(load: Loading, large: bool) -> None:
    """A page that is dirtied by reading is written a second time, and with checksums into the log as well."""
    if large:
        with load.target.connect() as connection:
            connection.execute("UPDATE namrong.parts SET bytes = bytes * 1000")
    for shard in load.shards:
        load.move(shard)
    with load.planned.admin.connect(autocommit=True) as connection:
        connection.execute("CHECKPOINT")
    with load.target.connect() as connection:
        row = connection.execute("EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT count(*) FROM large").fetchone()
    assert row is not None
    plan = row[0][0]["Plan"]
    assert plan["Shared Hit Blocks"] + plan["Shared Read Blocks"] > 2_000
    assert (plan["Shared Dirtied Blocks"] == 0) is large
