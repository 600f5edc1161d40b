"""Fires when as many pilots are live as the programme set out for, and says so only if the ledger does too.

Airflow shows on the way how many of the partitions of `pilot/live` it has received. It may be triggered by hand at any
time: what counts is the ledger. With fewer manifests than the goal it cannot fire, and that is right.
"""

from __future__ import annotations

from airflow.sdk import (
    DAG,
    FixedKeyMapper,
    MinimumCount,
    PartitionedAssetTimetable,
    RollupMapper,
    SegmentWindow,
)

from onboarding.programme.goal import load_goal
from onboarding_airflow import programme
from onboarding_airflow.assets import PILOT_LIVE
from onboarding_airflow.pilots import loaded

all_pilots = RollupMapper(
    upstream_mapper=FixedKeyMapper("programme"),
    window=SegmentWindow(loaded().manifests),
    wait_policy=MinimumCount(load_goal().live),
)

with DAG(
    dag_id="reach_goal",
    dag_display_name="ทั้งโครงการ · บรรลุเป้าหมาย · goal",
    description="As many pilots are live as the programme set out for",
    schedule=PartitionedAssetTimetable(assets=PILOT_LIVE, default_partition_mapper=all_pilots),
    max_active_runs=1,
    default_args={"owner": "programme"},
    catchup=False,
    tags=["programme"],
    access_control=programme.ACCESS,
    doc_md=__doc__,
):
    programme.record_goal()
