"""One DAG per manifest: the way back to the agency's own machines, after saying what it would cost."""

from __future__ import annotations

from airflow.sdk import DAG, chain

from onboarding.manifest import Manifest
from onboarding.stages import decision, way_back
from onboarding_airflow.journey import Journey
from onboarding_airflow.pilots import to_build
from onboarding_airflow.weights import STOPPED, weighing


def way_back_id(manifest: Manifest) -> str:
    return f"roll_back_{manifest.id}"


for manifest in to_build(way_back_id):
    with DAG(
        dag_id=way_back_id(manifest),
        dag_display_name=f"{manifest.id} · ย้อนกลับ · way back",
        description=f"{manifest.name.en}: back to the agency's own machines",
        schedule=None,
        max_active_runs=1,
        default_args={"owner": manifest.agency.id, **weighing(STOPPED)},
        catchup=False,
        tags=["way back", manifest.id, *(["สมมติ"] if manifest.fictional else [])],
        access_control=Journey.access(manifest),
        doc_md=__doc__,
    ):
        journey = Journey(manifest)
        chain(
            closed := journey.do(way_back.close_target),
            journey.do(way_back.measure_loss),
            journey.approval(1, decision.WAY_BACK),
            journey.approval(2, decision.WAY_BACK),
            turned := journey.do(way_back.turn_back),
            journey.gate("turned_back"),
        )
        chain([closed, turned], journey.do(way_back.stay, trigger_rule="one_failed"))
