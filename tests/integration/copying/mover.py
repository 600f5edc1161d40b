"""One whole load in a process of its own, to be killed at any instant: `python mover.py`, its task as JSON on stdin."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor

from onboarding.addresses import Database
from onboarding.databases.finish import finish
from onboarding.databases.indexes import build_complete
from onboarding.databases.plan import Shard, plan
from onboarding.databases.rows import ShardResult, move_unit
from onboarding.databases.schema import copy_schema
from onboarding.databases.target import ensure_empty_database


def main() -> None:
    task = json.load(sys.stdin)
    source, admin = (Database(**task[side], resolve=lambda host: host) for side in ("source", "admin"))
    load, fence, snapshot_id = task["load"], task["fence"], task["snapshot_id"]
    target = ensure_empty_database(admin, source.name, load=load, fence=fence, source=source)
    copy_schema(source, target, load=load, fence=fence, snapshot_id=snapshot_id)
    shards = plan(source, target, 4, load=load, fence=fence, snapshot_id=snapshot_id)

    def move(shard: Shard) -> ShardResult:
        moved = move_unit(source, target, shard, snapshot_id=snapshot_id, load=load, fence=fence)
        build_complete(source, target, shard.unit, load=load, fence=fence, jobs=2)
        return moved

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(move, shards))
    finish(source, target, load=load, fence=fence)
    print(json.dumps({"parts": sum(r.parts for r in results), "skipped": sum(r.skipped for r in results)}))


if __name__ == "__main__":
    main()
