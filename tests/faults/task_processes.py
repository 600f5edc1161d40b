"""The processes and the state of tasks in a running checkout, seen from outside: /proc and Airflow's own tables."""

from __future__ import annotations

import json
import os
import re
import signal
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

from launcher.checkout import Checkout

# A worker names the task instance that it supervises in its title, and so does its child.
TITLE = re.compile(r"airflow worker -- (?:LocalExecutor: )?([0-9a-f]{8}-[0-9a-f-]{27})")

TASK = """
SELECT dag_id, task_id, map_index, try_number, max_tries, state, start_date IS NOT NULL
FROM task_instance WHERE id = %s
"""
STANDING = """
SELECT try_number, state FROM task_instance WHERE dag_id = %s AND task_id = %s AND map_index = %s
"""


@dataclass(frozen=True)
class Task:
    """One attempt of a task instance, as Airflow knows it."""

    dag: str
    name: str
    map_index: int
    attempt: int
    retries: int
    state: str

    @property
    def leaf(self) -> str:
        """The name without its groups."""
        return self.name.rpartition(".")[2]

    @property
    def instance(self) -> tuple[str, str, int]:
        return self.dag, self.name, self.map_index

    def __str__(self) -> str:
        unit = f" [{self.map_index}]" if self.map_index >= 0 else ""
        return f"{self.dag.removeprefix('onboard_')} {self.name}{unit}"


@dataclass(frozen=True)
class Pair:
    """A supervisor and the child in which the task's own code runs (None when it is not there yet, or gone)."""

    supervisor: psutil.Process
    child: psutil.Process | None

    def kill(self, mode: str) -> bool:
        """SIGKILL to the one that `mode` names, if it still is what it was; with `stalled` the child is stopped first.

        psutil sends no signal to another process that took over the number.
        """
        victim = self.child if mode == "child" else self.supervisor
        if victim is None or not victim.is_running() or not TITLE.search(_title(victim)):
            return False
        if mode == "stalled":
            if self.child is None or not self.child.is_running():
                return False
            self.child.suspend()
        victim.send_signal(signal.SIGKILL)
        return True


def at_work(checkout: Checkout) -> dict[str, Pair]:
    """Task instance id -> its processes, right now."""
    scheduler = checkout.holder().get("components", {}).get("scheduler")
    found: dict[str, Pair] = {}
    if not scheduler:
        return found
    try:
        workers = _children(psutil.Process(scheduler))
    except psutil.NoSuchProcess:
        return found  # being started again, or over
    for worker in workers:
        if named := TITLE.search(_title(worker)):
            children = [child for child in _children(worker) if TITLE.search(_title(child))]
            found[named.group(1)] = Pair(worker, children[0] if children else None)
    return found


class Tables:
    """Airflow's metadata database, read only."""

    def __init__(self, checkout: Checkout) -> None:
        port = json.loads((checkout.run / "home_database.json").read_text())["port"]
        password = checkout.secrets()["airflow_database"]
        self._connection: psycopg.Connection[Any] = psycopg.connect(
            host="127.0.0.1", port=port, dbname="airflow", user="airflow", password=password, autocommit=True
        )

    def task(self, identity: str) -> Task | None:
        row = self._connection.execute(TASK, [identity]).fetchone()
        return Task(*row[:5], state=row[5] or "") if row else None

    def standing(self, task: Task) -> tuple[int, str]:
        """The attempt that the task is at now, and its state."""
        row = self._connection.execute(STANDING, task.instance).fetchone()
        return (row[0], row[1] or "") if row else (0, "gone")

    def close(self) -> None:
        self._connection.close()


def _children(process: psutil.Process) -> list[psutil.Process]:
    """From the kernel's own list where it has one: looking through all processes many times a second costs a core."""
    try:
        pids = [
            int(pid)
            for thread in os.listdir(f"/proc/{process.pid}/task")  # noqa: PTH208
            for pid in open(f"/proc/{process.pid}/task/{thread}/children").read().split()  # noqa: PTH123, SIM115
        ]
        return [psutil.Process(pid) for pid in pids]
    except FileNotFoundError:
        return list(process.children()) if process.is_running() else []
    except (OSError, psutil.NoSuchProcess):
        return []


def _title(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
