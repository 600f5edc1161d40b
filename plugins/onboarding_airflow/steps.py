"""One step of the journey as a task: opens the pilot, makes one call into the domain."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from airflow.sdk import Asset, Context, DagRunState, get_current_context, task
from airflow.sdk.definitions.xcom_arg import XComArg

from onboarding.errors import Stop
from onboarding_airflow.outcomes import BY_CAUSE, opened, opened_selection


def step(
    function: Callable[..., Any],
    pilot_id: str,
    *,
    over: XComArg | None = None,
    outlets: Sequence[Asset] = (),
    given: Mapping[str, Any] | None = None,
    after_runs_of: Sequence[str] = (),
    **task_arguments: Any,
) -> XComArg:
    """A task named after the domain function; with `over`, one mapped task per unit that the given task named.

    Each of `outlets` gets an event whose partition is the pilot, so that a programme counts pilots and not runs.
    While a run of a DAG in `after_runs_of` is under way, the task fails and says so.
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
            _demand_ended(context, after_runs_of)
            result = function(pilot, *([] if unit is None else [unit]), **(given or {}))
        for asset in outlets:
            context["outlet_events"][asset].add_partitions(pilot_id)
        return result

    if over is None:
        return run(pilot_id=pilot_id, given=dict(given or {}))
    return run.partial(pilot_id=pilot_id, given=dict(given or {})).expand(unit=over)


def _demand_ended(context: Context, dag_ids: Sequence[str]) -> None:
    for dag_id in dag_ids:
        if context["ti"].get_dr_count(dag_id=dag_id, states=[DagRunState.QUEUED, DagRunState.RUNNING]):
            raise Stop("abandoning.under_way", where=dag_id)


def selection_step(function: Callable[..., Any]) -> XComArg:
    """A task of `select_pilots`, named after the domain function."""

    @task(task_id=function.__name__, doc_md=inspect.getdoc(function), **BY_CAUSE)
    def run() -> Any:
        with opened_selection(get_current_context()) as selecting:
            return function(selecting)

    return run()
