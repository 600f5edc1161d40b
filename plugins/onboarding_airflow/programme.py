"""The tasks about the programme as a whole: count who is live, tell Airflow again, record the goal."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from airflow.sdk import get_current_context, task
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.observability import stats

from onboarding.aws_errors import action_for, explained
from onboarding.ledger import Ledger
from onboarding.programme import counting, metrics
from onboarding.programme.goal import load_goal
from onboarding_airflow.assets import PILOT_LIVE
from onboarding_airflow.emitting import emit, emit_lead_time
from onboarding_airflow.outcomes import BY_CAUSE
from onboarding_airflow.pilots import loaded, open_ledger

log = logging.getLogger(__name__)

ACCESS: Mapping[str, Mapping[str, set[str]]] = {"Stakeholder": {"DAGs": {"can_read"}, "DAG Runs": {"can_read"}}}
"""Whom the programme's DAGs let in besides those who read all: no agency owner, who sees its own pilot only."""


@task(task_id="count_live", **BY_CAUSE)
def count_live() -> list[str]:
    """Keep the figures of the moment when this run's pilot went live; returns the pilots to tell Airflow again."""
    context = get_current_context()
    pilot, run = str(context["dag_run"].partition_key or ""), str(context["dag_run"].run_id)
    with opened_ledger() as ledger:
        return report(ledger, pilot, run)


@task(
    outlets=[PILOT_LIVE],
    doc_md="Tell Airflow once more that a pilot is live: it has begun its count of them anew.",
    **BY_CAUSE,
)
def tell_again(pilot_id: str) -> None:
    """Mapped, so that none is told where none is to be told: a plain task with an outlet always tells something."""
    get_current_context()["outlet_events"][PILOT_LIVE].add_partitions(pilot_id)


@task(task_id="record_goal", **BY_CAUSE)
def record_goal() -> list[str]:
    """Record that the goal is reached, if as many are live by the ledger; returns the pilots that reached it."""
    run = str(get_current_context()["dag_run"].run_id)
    with opened_ledger() as ledger:
        return list(counting.reach_goal(ledger, loaded().manifests, load_goal().live, run=run).live)


def report(ledger: Ledger, pilot: str, run: str) -> list[str]:
    """Counts into the ledger, emits what holds now, and says which pilots Airflow has to be told again."""
    manifests, goal = loaded().manifests, load_goal().live
    counted = counting.count(ledger, manifests, goal, pilot, run=run)
    emit(metrics.measure(manifests.values(), metrics.read(ledger, manifests), goal), stats)
    if counting.is_counted_by(ledger, counted, run):
        emit_lead_time(counted, stats)
    return list(counting.to_count_again(ledger, counted))


@contextmanager
def opened_ledger() -> Iterator[Ledger]:
    """The ledger for one task body; a failure inside leaves its reason in the log (th, en)."""
    try:
        yield open_ledger()
    except Exception as failure:
        told = explained(failure)
        log.error("%s", told.render("th"))
        log.error("%s", told.render("en"))
        if action_for(failure) in ("retry", "adopt"):
            raise
        raise AirflowFailException(told.render("en")) from failure
