"""Candidates to pilots: assessed, proposed with reasons, confirmed by people, recorded."""

from __future__ import annotations

from airflow.sdk import DAG, chain

from onboarding.selection import steps
from onboarding_airflow.approval import ListConfirmation
from onboarding_airflow.journey import APPROVAL_DEADLINE
from onboarding_airflow.steps import selection_step

with DAG(
    dag_id="select_pilots",
    dag_display_name="คัดเลือกโครงการนำร่อง · select pilots",
    description="Which services become pilots: scored by dated criteria, confirmed by people",
    schedule=None,
    max_active_runs=1,
    catchup=False,
    tags=["programme"],
    access_control={},
    doc_md=__doc__,
):
    chain(
        selection_step(steps.assess),
        selection_step(steps.propose_list),
        ListConfirmation(
            task_id="confirm_list",
            subject=steps.subject(),
            response_timeout=APPROVAL_DEADLINE,
            doc_md=ListConfirmation.__doc__,
        ),
        selection_step(steps.record),
    )
