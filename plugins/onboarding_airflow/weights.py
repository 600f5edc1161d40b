"""Whose task gets the next worker when there are more tasks than workers: who keeps others waiting longest.

Airflow's own rule weighs a task by how much comes after it. So a pilot's first steps would go before another's under
a freeze; and a snapshot's holder, which nothing comes after, would go last of all, while those who wait for it fill
every worker. These weights stand as they are, whatever comes after.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

USUAL = 1

STOPPED = 10
"""A service of citizens stands still meanwhile: the cutover, and the way back."""

HOLDER = 100
"""It needs a worker for a second; then a whole load goes on that would wait in one."""


def weighing(weight: int) -> Mapping[str, Any]:
    """Default arguments for the tasks of a DAG or group."""
    return {"priority_weight": weight, "weight_rule": "absolute"}
