"""Two Celery workers share one pilot's units, one of them is killed with all it runs, and the pilot goes live."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest
from compose_processes import Processes, project
from faults.task_processes import TITLE, Tables, Task
from live_stack import DAG, FIRST, PILOT, Stack, choose_pilots, unlike, wait_for
from psycopg import sql

from launcher import result
from launcher.databases import OWNERS
from onboarding.databases import plan
from onboarding.manifests import load_folder
from onboarding.stages import sides

SCALE = 0.02
SLOTS, UNITS = 4, 6
"""More units than one worker has slots: however they are dealt, both get some."""
WORKERS = ("worker-1", "worker-2")
PREPARED = "migration.copy_registry.prepare_load"
COPY = "migration.copy_registry.copy_rows"
LONG_S = 900.0
HELD_UP = """
SELECT application_name FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'namrong:s%'
"""
STATE = "SELECT state FROM task_instance WHERE dag_id = %s AND run_id = %s AND task_id = %s"
COPIES = """
SELECT map_index, try_number, state, id::text FROM task_instance WHERE dag_id = %s AND run_id = %s AND task_id = %s
"""

Connection = psycopg.Connection[Any]


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Processes, Stack]]:
    with project(tmp_path_factory.mktemp("distributed"), SCALE) as (made, stack):
        manifest = made.checkout.pilots() / f"{PILOT}.yaml"
        text = manifest.read_text(encoding="utf-8")
        manifest.write_text(
            text.replace("    engine: copy\n", f"    engine: copy\n    shards: {UNITS}\n", 1), encoding="utf-8"
        )
        made.up("postgres", "redis", "init", "api-server", "scheduler", "dag-processor", "triggerer", *WORKERS)
        made.up("sandbox", "agencies", "sandbox-setup")
        yield made, stack


def metadata(made: Processes) -> Connection:
    return psycopg.connect(
        host="127.0.0.1", port=int(made.places["5432"]), dbname=OWNERS["airflow"], user="airflow",
        password=made.values["NAMRONG_AIRFLOW_DATABASE_PASSWORD"], autocommit=True,
    )  # fmt: skip


@contextmanager
def held_up(stack: Stack) -> Iterator[tuple[Connection, set[str]]]:
    """One table of each unit is locked at the target: its second, so that the unit has moved something by then.

    Gives the session that holds the locks, and the units that cannot end before it does.
    """
    target = sides.target(stack.pilot, "registry")
    held = {}
    for unit, shard in plan.kept(target).items():
        rows = [part for part in shard.parts if part.kind == "rows"]
        if rows:
            held[unit] = rows[min(1, len(rows) - 1)]
    tables = sql.SQL(", ").join(sql.Identifier(*part.into) for part in held.values())
    with target.connect() as holding:
        holding.execute(sql.SQL("LOCK TABLE {} IN SHARE MODE").format(tables))
        yield holding, set(held)


def titles(made: Processes, worker: str) -> Iterator[str]:
    for process in made.of(worker):
        with suppress(psutil.Error):  # it ended between the look at the tree and this one
            yield " ".join(process.cmdline())


def at_work(made: Processes, worker: str, tables: Tables) -> dict[str, Task]:
    """The task instances that a worker's processes say they run: id -> task."""
    named = {found.group(1) for title in titles(made, worker) if (found := TITLE.search(title))}
    return {identity: task for identity in named if (task := tables.task(identity)) is not None}


def units(made: Processes, worker: str, tables: Tables) -> dict[str, Task]:
    return {identity: task for identity, task in at_work(made, worker, tables).items() if task.name == COPY}


def copies(made: Processes, run: str) -> dict[int, tuple[int, str, str]]:
    """The mapped instances of copy_rows: index -> attempt, state, id of the last attempt."""
    with metadata(made) as airflow:
        rows = airflow.execute(COPIES, [DAG, run, COPY]).fetchall()
    return {index: (attempt, state, identity) for index, attempt, state, identity in rows}


def await_prepared(made: Processes, stack: Stack, run: str) -> None:
    """Returns within a moment of the plan's being made: the units' processes take longer to come up."""
    deadline = time.monotonic() + LONG_S
    with metadata(made) as airflow:
        while airflow.execute(STATE, [DAG, run, PREPARED]).fetchone() != ("success",):
            assert time.monotonic() < deadline, unlike(stack.states(DAG, run), "success", None)
            time.sleep(0.1)


def kill_one_in_mid_copy(made: Processes, stack: Stack, run: str) -> tuple[str, set[int]]:
    """SIGKILL to all of the worker that has fewer units, while every unit is at work. Gives it, and what it had."""
    tables = Tables(made.checkout)
    await_prepared(made, stack, run)
    with held_up(stack) as (holding, held):
        assert len(held) > SLOTS, held
        # A session of its own: what the lock's session sees of others is as old as its transaction.
        with sides.target(stack.pilot, "registry").connect(autocommit=True) as looking:
            wait_for(
                lambda: len(looking.execute(HELD_UP).fetchall()) == len(held),
                lambda: (looking.execute(HELD_UP).fetchall(), copies(made, run)),
            )
            assert looking.execute("SELECT FROM namrong.checkpoints").fetchall(), "nothing had been moved yet"
        shared = {worker: units(made, worker, tables) for worker in WORKERS}
        assert all(shared.values()), shared
        assert sum(map(len, shared.values())) == len(held)
        assert {task.attempt for running in shared.values() for task in running.values()} == {1}
        victim = min(WORKERS, key=lambda worker: len(shared[worker]))
        assert made.kill(victim) > len(shared[victim])
        holding.rollback()
    return victim, {task.map_index for task in shared[victim].values()}


@pytest.mark.slow
def test_a_pilot_goes_live_though_one_of_its_workers_is_killed_in_mid_copy(both: tuple[Processes, Stack]) -> None:
    made, stack = both
    choose_pilots(stack)
    run = stack.trigger(DAG)
    victim, lost = kill_one_in_mid_copy(made, stack, run)
    (survivor,) = set(WORKERS) - {victim}
    wait_for(
        lambda: stack.states(DAG, run).get(FIRST) == "awaiting_input",
        lambda: unlike(stack.states(DAG, run), "success", None),
        LONG_S,
    )
    after = copies(made, run)
    assert {index: attempt for index, (attempt, _, _) in after.items()} == {
        index: 2 if index in lost else 1 for index in range(UNITS)
    }
    assert {state for _, state, _ in after.values()} == {"success"}
    assert (made.started[victim].poll(), made.started[survivor].poll()) == (-9, None)
    said = made.log(survivor).read_text(errors="replace")
    assert all(after[index][2] in said for index in lost), "somebody else ran what the killed worker had"
    stack.approve_both(run)
    assert stack.ended(run) == "success", unlike(stack.states(DAG, run), "success")
    manifests = load_folder(made.checkout.pilots()).manifests
    told = result.figures(made.checkout, {PILOT: manifests[PILOT]})
    assert list(result.broken(told, {PILOT: "success"})) == []
    nothing = {"unaccounted_rows": 0, "unaccounted_files": 0, "duplicate_side_effects": 0}
    assert {name: told[name] for name in nothing} == nothing
    assert told["live"] == 1 and told["ledger"]["verified"]


def test_no_secret_is_on_a_command_line_or_in_a_log(both: tuple[Processes, Stack]) -> None:
    made, _ = both
    secrets = [value for name, value in made.values.items() if re.search("PASSWORD|KEY|SECRET|LOGIN", name)]
    alive = [name for name, process in made.started.items() if process.poll() is None]
    lines = [line for name in alive for line in titles(made, name)]
    assert len(alive) >= 8 and len(lines) > 15
    assert not [line for line in lines for secret in secrets if secret in line]
    logs = [path for path in Path(made.checkout.logs).rglob("*.log") if path.is_file()]
    assert len(logs) >= 10
    assert not [path for path in logs for secret in secrets if secret in path.read_text(errors="replace")]
