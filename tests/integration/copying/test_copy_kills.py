"""A mover killed at a random moment, then run again: equal, nothing twice, and only what was missing is moved."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from onboarding.addresses import Database
from onboarding.databases.inventory import inventory
from onboarding.databases.snapshot import Snapshot, open_snapshot

from .conftest import Source, named
from .plain import digest, large_objects

MOVER = Path(__file__).with_name("mover.py")
INCLUDE = Path(__file__).parents[3] / "include"


def start(source: Database, admin: Database, snapshot: Snapshot, fence: int) -> subprocess.Popen[str]:
    def address(database: Database) -> dict[str, object]:
        return {field: getattr(database, field) for field in ("host", "port", "name", "user", "password")}

    process = subprocess.Popen(
        [sys.executable, str(MOVER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={"PYTHONPATH": str(INCLUDE), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    task = {"source": address(source), "admin": address(admin), "load": "load-1", "fence": fence,
            "snapshot_id": snapshot.id}  # fmt: skip
    assert process.stdin is not None
    process.stdin.write(json.dumps(task))
    process.stdin.close()
    process.stdin = None
    return process


@pytest.fixture
def bulky(nasty: Source) -> Source:
    """Enough rows that a kill hits every step, some of them in the middle of a COPY."""
    nasty.run("CREATE TABLE bulk AS SELECT n AS id, repeat('ก' || n, 20) AS body FROM generate_series(1, 60000) n;"
              "ALTER TABLE bulk ADD PRIMARY KEY (id)")  # fmt: skip
    return nasty


@pytest.mark.slow
def test_killed_ten_times_and_equal(bulky: Source, instance: Database, fences: Iterator[int]) -> None:
    expected = digest(bulky.owner)
    began = time.monotonic()
    snapshot = open_snapshot(bulky.owner)
    whole = start(bulky.owner, instance, snapshot, next(fences))
    _, said = whole.communicate(timeout=60)
    assert whole.returncode == 0, said
    seconds = time.monotonic() - began
    snapshot.close()

    target = named(instance, bulky.owner.name)
    ways = []
    for seed in range(10):
        snapshot = open_snapshot(bulky.owner)
        # another load would start clean by itself; dropping makes every seed begin from nothing under the same name
        with instance.connect(autocommit=True) as admin:
            admin.execute(f"DROP DATABASE {target.name} WITH (FORCE)")
        killed = start(bulky.owner, instance, snapshot, next(fences))
        time.sleep(random.Random(seed).uniform(0.25, seconds))
        killed.kill()
        killed.communicate()
        again = start(bulky.owner, instance, snapshot, next(fences))
        answer, said = again.communicate(timeout=60)
        snapshot.close()
        assert again.returncode == 0, f"seed {seed}: {said}"
        ways.append(json.loads(answer)["skipped"])
        found = digest(target)
        assert {k: found[k] for k in found if "by_mood_" not in k} == {
            k: expected[k] for k in expected if "by_mood_" not in k
        }, f"seed {seed}"
        assert large_objects(target) == large_objects(bulky.owner)
        assert inventory(target) == inventory(bulky.owner)
    assert any(ways), "no kill came in the middle: this proves nothing"
