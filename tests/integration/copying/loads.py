"""A load that is ready for rows: database, schema and plan are made, the snapshot is held."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from onboarding.addresses import Database
from onboarding.databases.plan import Shard, plan
from onboarding.databases.rows import move_unit
from onboarding.databases.schema import copy_schema
from onboarding.databases.snapshot import Snapshot, open_snapshot
from onboarding.databases.target import ensure_empty_database


@dataclass
class Load:
    """Both sides, the login that made the target, and what is to be moved."""

    source: Database
    admin: Database
    target: Database
    snapshot: Snapshot
    shards: list[Shard]
    name: str = "load-1"

    def move(self, shard: Shard, fence: int, **changed: str) -> int:
        asked = {"load": self.name, "snapshot_id": self.snapshot.id} | changed
        return move_unit(self.source, self.target, shard, fence=fence, **asked).parts


@contextmanager
def begun(source: Database, admin: Database, fences: Iterator[int], shards: int) -> Iterator[Load]:
    """The load `load-1` of the source in so many shards."""
    snapshot = open_snapshot(source)
    try:
        target = ensure_empty_database(admin, source.name, load="load-1", fence=next(fences), source=source)
        copy_schema(source, target, load="load-1", fence=next(fences), snapshot_id=snapshot.id)
        planned = plan(source, target, shards, load="load-1", fence=next(fences), snapshot_id=snapshot.id)
        yield Load(source, admin, target, snapshot, planned)
    finally:
        snapshot.close()
