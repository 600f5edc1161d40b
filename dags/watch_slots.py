"""Every quarter of an hour: what do the slots of followed pilots make the agencies' servers keep?

A journey that goes on is looked after by its gates. One that failed and was left lying keeps its slots for whoever goes
on with it, and nobody looks at them but this: a red task says whose disk is filling, here and in the programme view.
"""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG

from onboarding.stages import keeping_up
from onboarding_airflow import programme
from onboarding_airflow.pilots import loaded
from onboarding_airflow.steps import step

with DAG(
    dag_id="watch_slots",
    dag_display_name="ทั้งโครงการ · เฝ้าดูดิสก์ของหน่วยงาน · watch slots",
    description="What replication slots make the agencies' servers keep, also while no journey runs",
    schedule="*/15 * * * *",
    start_date=datetime(2026, 1, 1, tzinfo=UTC),
    max_active_runs=1,
    default_args={"owner": "programme"},
    catchup=False,
    is_paused_upon_creation=False,
    tags=["programme"],
    access_control=programme.ACCESS,
    doc_md=__doc__,
):
    for manifest in loaded().manifests.values():
        if manifest.follows:
            step(keeping_up.demand_room, manifest.id, task_id=f"watch_{manifest.id}")
