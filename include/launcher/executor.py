"""Airflow's LocalExecutor, which also notices a killed worker and says which task that worker had.

Airflow 3.3's own forgets it: a task whose worker is killed before Airflow heard that it runs stays queued for ever
(`task_queued_timeout` needs `revoke_task`, which LocalExecutor has not), and one that runs is missed when its
heartbeats have been missing for `task_instance_heartbeat_timeout`.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from airflow.executors.local_executor import LocalExecutor, _run_worker

from launcher.warm import forget_if_changed, warm

Key = Any  # Airflow's keys of tasks, callbacks and connection tests


class ToldQueue:
    """The workers' queue as one worker sees it: what it takes, and that it is free again, goes to `told` first.

    Its tasks run the code that is there when they begin: see `launcher.warm`.
    """

    def __init__(self, queue: Any, told: Connection, code: Mapping[Path, int]) -> None:
        self._queue, self._told, self._code = queue, told, code

    def get(self) -> Any:
        self._told.send(None)
        workload = self._queue.get()
        if workload is not None:
            self._told.send(workload.key)
            if forget_if_changed(self._code):
                self._code = {}
        return workload


class WatchfulExecutor(LocalExecutor):
    """Fails the task of a dead worker at once, so that Airflow tries it again; its orphan is left to the fences."""

    def start(self) -> None:
        self._told: dict[int, Connection] = {}
        self._held: dict[int, Key] = {}
        self._code = warm()
        super().start()

    def _spawn_worker(self) -> None:
        # A pipe of its own: nobody else waits for a lock that a killed worker would never give back.
        hearing, telling = multiprocessing.Pipe(duplex=False)
        worker = multiprocessing.Process(
            target=_run_worker,
            kwargs={
                "logger_name": self.log.name,
                "input": ToldQueue(self.activity_queue, telling, self._code),
                "output": self.result_queue,
                "unread_messages": self._unread_messages,
                "team_conf": self.conf,
            },
        )
        worker.start()
        telling.close()
        if worker.pid is not None:
            self.workers[worker.pid], self._told[worker.pid] = worker, hearing

    def _check_workers(self) -> None:
        dead = [pid for pid, worker in self.workers.items() if not worker.is_alive()]
        self._hear()
        for pid in dead:
            self._told.pop(pid).close()
            if (key := self._held.pop(pid, None)) is not None:
                self.log.error("Worker %s died while it had %s", pid, key)
                self.fail(key)
        super()._check_workers()  # type: ignore[no-untyped-call]  # Airflow's own

    def _hear(self) -> None:
        for pid, told in self._told.items():
            try:
                while told.poll():
                    self._held[pid] = told.recv()
            except (EOFError, OSError):
                pass  # killed in the middle of a word: what it said before counts
