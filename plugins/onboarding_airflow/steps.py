"""One step of the journey as a task: opens the pilot, makes one call into the domain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow.sdk import Asset, get_current_context, task
from airflow.sdk.definitions.xcom_arg import XComArg

from onboarding_airflow.outcomes import RETRIES, RETRY_DELAY, ByCause, opened

TASK_DEFAULTS: Mapping[str, Any] = {"retries": RETRIES, "retry_delay": RETRY_DELAY, "retry_policy": ByCause()}


def step(
    function: Callable[..., Any],
    pilot_id: str,
    *,
    over: XComArg | None = None,
    outlets: Sequence[Asset] = (),
    given: Mapping[str, Any] | None = None,
    **task_arguments: Any,
) -> XComArg:
    """A task named after the domain function; with `over`, one mapped task per unit that the given task named."""

    @task(
        task_id=task_arguments.pop("task_id", function.__name__),
        doc_md=inspect.getdoc(function),
        outlets=list(outlets),
        **{**TASK_DEFAULTS, **task_arguments},
    )
    def run(pilot_id: str, unit: Any = None, given: Mapping[str, Any] | None = None) -> Any:
        with opened(pilot_id, get_current_context()) as pilot:
            return function(pilot, *([] if unit is None else [unit]), **(given or {}))

    if over is None:
        return run(pilot_id=pilot_id, given=dict(given or {}))
    return run.partial(pilot_id=pilot_id, given=dict(given or {})).expand(unit=over)
