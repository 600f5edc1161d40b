"""A worker killed with a task in its hands: the executor says so, and another takes the next one."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator

import airflow_process  # noqa: F401  (sets Airflow's home before Airflow is imported)
import pytest
from airflow.models.taskinstancekey import TaskInstanceKey
from airflow.utils.state import TaskInstanceState

from launcher.executor import WatchfulExecutor

WITHIN_S = 20


class Endless:
    """A workload that its worker never gets done: asked for its running state, it keeps the worker."""

    display_name = "endless"
    success_state, failure_state = TaskInstanceState.SUCCESS, TaskInstanceState.FAILED

    def __init__(self, key: TaskInstanceKey) -> None:
        self.key = key

    @property
    def running_state(self) -> None:
        time.sleep(600)


def key(task: str) -> TaskInstanceKey:
    return TaskInstanceKey("onboard_p02", task, "run", 1, -1)


def give(executor: WatchfulExecutor, task: TaskInstanceKey) -> None:
    workload = Endless(task)
    executor.queued_tasks[task] = workload  # type: ignore[assignment]  # a stand-in for Airflow's
    executor._process_workloads([workload])  # type: ignore[no-untyped-call]


def until(holds: Callable[[], bool], executor: WatchfulExecutor) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not holds():
        assert time.monotonic() < deadline
        executor.sync()
        time.sleep(0.02)


@pytest.fixture
def executor(monkeypatch: pytest.MonkeyPatch) -> Iterator[WatchfulExecutor]:
    monkeypatch.setenv("AIRFLOW__API_AUTH__JWT_SECRET", "asked for, of no use here")
    made = WatchfulExecutor(parallelism=2)
    made.start()
    yield made
    for worker in made.workers.values():
        worker.kill()
        worker.join()


def holder(executor: WatchfulExecutor, task: TaskInstanceKey) -> int | None:
    return next((pid for pid, held in executor._held.items() if held == task), None)


def test_the_task_of_a_killed_worker_is_reported_and_the_next_one_gets_a_worker(executor: WatchfulExecutor) -> None:
    first, second, third = key("freeze"), key("prove"), key("release")
    for task in (first, second):
        give(executor, task)
    until(lambda: holder(executor, first) is not None and holder(executor, second) is not None, executor)
    killed = holder(executor, first)
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    until(lambda: first in executor.event_buffer, executor)
    assert executor.event_buffer == {first: (TaskInstanceState.FAILED, None)}
    give(executor, third)
    until(lambda: holder(executor, third) is not None, executor)
    assert executor.event_buffer.keys() == {first}
