"""One step of the journey as a task: opens the pilot, makes one call into the domain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow.sdk import Asset, get_current_context, task
from airflow.sdk.definitions.xcom_arg import XComArg

from onboarding_airflow.outcomes import BY_CAUSE, opened, opened_selection


def step(
    function: Callable[..., Any],
    pilot_id: str,
    *,
    over: XComArg | None = None,
    outlets: Sequence[Asset] = (),
    given: Mapping[str, Any] | None = None,
    **task_arguments: Any,
) -> XComArg:
    """A task named after the domain function; with `over`, one mapped task per unit that the given task named.

    Each of `outlets` gets an event whose partition is the pilot, so that a programme counts pilots and not runs.
    """

    @task(
        task_id=task_arguments.pop("task_id", function.__name__),
        doc_md=inspect.getdoc(function),
        outlets=list(outlets),
        **{**BY_CAUSE, **task_arguments},
    )
    def run(pilot_id: str, unit: Any = None, given: Mapping[str, Any] | None = None) -> Any:
        context = get_current_context()
        with opened(pilot_id, context) as pilot:
            result = function(pilot, *([] if unit is None else [unit]), **(given or {}))
        for asset in outlets:
            context["outlet_events"][asset].add_partitions(pilot_id)
        return result

    if over is None:
        return run(pilot_id=pilot_id, given=dict(given or {}))
    return run.partial(pilot_id=pilot_id, given=dict(given or {})).expand(unit=over)


def selection_step(function: Callable[..., Any]) -> XComArg:
    """A task of `select_pilots`, named after the domain function."""

    @task(task_id=function.__name__, doc_md=inspect.getdoc(function), **BY_CAUSE)
    def run() -> Any:
        with opened_selection(get_current_context()) as selecting:
            return function(selecting)

    return run()
