"""Once per pilot that goes live: the programme's figures of that moment into the ledger and out as metrics.

A run belongs to one event of `pilot/live`, its partition is the pilot. When the set of manifests has changed since the
last one, the other live pilots are told to Airflow again, because its own count (`reach_goal`) has begun anew.
"""

from __future__ import annotations

from airflow.sdk import DAG, IdentityMapper, PartitionedAssetTimetable

from onboarding_airflow import programme
from onboarding_airflow.assets import PILOT_LIVE

with DAG(
    dag_id="report_programme",
    dag_display_name="ทั้งโครงการ · รายงานความก้าวหน้า · report",
    description="The programme's figures whenever a pilot goes live",
    schedule=PartitionedAssetTimetable(assets=PILOT_LIVE, default_partition_mapper=IdentityMapper()),
    max_active_runs=1,
    default_args={"owner": "programme"},
    catchup=False,
    tags=["programme"],
    access_control=programme.ACCESS,
    doc_md=__doc__,
):
    programme.tell_again.expand(pilot_id=programme.count_live())
