"""Which shard comes next when several streams copy, and what becomes of the others when one fails."""

from __future__ import annotations

import threading

import pytest

from onboarding.databases.copying import all_shards, next_shard
from onboarding.databases.plan import MOST_UNITS, Part, Shard, units_for
from onboarding.files.plan import batches_for


def shard(unit: str, *tables: str) -> Shard:
    return Shard(unit, tuple(Part("rows", "public", table, ("public", table), None, None, 1) for table in tables))


LARGE_1, LARGE_2, SMALL, OTHERS = shard("s0", "a"), shard("s1", "a"), shard("s2", "b"), shard("s3", "c", "d")


def test_a_table_that_nobody_writes_into_goes_first() -> None:
    assert next_shard([LARGE_2, SMALL, OTHERS], [LARGE_1]) is SMALL
    assert next_shard([LARGE_2, OTHERS], [LARGE_1, shard("s4", "d")]) is LARGE_2  # both are busy: the larger one
    assert next_shard([LARGE_1, LARGE_2], []) is LARGE_1


def test_all_are_copied_once_and_never_two_into_one_table_while_there_is_another() -> None:
    copied: list[Shard] = []
    meeting = threading.Barrier(2, timeout=10)
    together: list[set[str]] = []
    looks: list[int] = []

    def copy(one: Shard) -> None:
        copied.append(one)
        meeting.wait()
        together.append({part.table for part in one.parts})
        meeting.wait()

    all_shards([LARGE_1, LARGE_2, SMALL, OTHERS], 2, copy, lambda: looks.append(len(copied)))
    assert sorted(one.unit for one in copied) == ["s0", "s1", "s2", "s3"]
    assert not set.intersection(*together[:2]) and looks[-1] == 4


def test_a_failure_begins_nothing_new_and_is_raised_when_all_stand_still() -> None:
    begun: list[str] = []
    ended = threading.Event()

    def copy(one: Shard) -> None:
        begun.append(one.unit)
        if one is LARGE_1:
            raise LookupError("the disk is full")
        ended.wait(0.3)
        ended.set()

    with pytest.raises(LookupError, match="disk"):
        all_shards([LARGE_1, SMALL, LARGE_2, OTHERS], 2, copy, lambda: None)
    assert begun == ["s0", "s2"] and ended.is_set()


def test_what_is_large_comes_in_more_units_than_streams_so_that_each_is_minutes() -> None:
    assert units_for(10 << 30, 4) == 4
    assert units_for(100 << 30, 4) == 25
    assert units_for(1 << 50, 4) == MOST_UNITS
    assert batches_for(10, 100, 4) == 4
    assert batches_for(1_000_000, 100, 4) == 50
    assert batches_for(10, 100 << 30, 4) == 25
