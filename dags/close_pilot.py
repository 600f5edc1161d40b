"""One DAG per manifest: the point of no return, after which nobody leads the service back without loss."""

from __future__ import annotations

from airflow.sdk import DAG, chain

from onboarding.manifest import Manifest
from onboarding.stages import decision, no_return
from onboarding_airflow.journey import Journey
from onboarding_airflow.pilots import to_build
from onboarding_airflow.weights import USUAL, weighing


def closing_id(manifest: Manifest) -> str:
    return f"close_{manifest.id}"


for manifest in to_build(closing_id):
    with DAG(
        dag_id=closing_id(manifest),
        dag_display_name=f"{manifest.id} · จุดที่ย้อนกลับไม่ได้ · point of no return",
        description=f"{manifest.name.en}: the way back is given up",
        schedule=None,
        max_active_runs=1,
        default_args={"owner": manifest.agency.id, **weighing(USUAL)},
        catchup=False,
        tags=["point of no return", manifest.id, *(["สมมติ"] if manifest.fictional else [])],
        access_control=Journey.access(manifest),
        doc_md=__doc__,
    ):
        journey = Journey(manifest)
        chain(
            journey.do(no_return.describe),
            journey.approval(1, decision.NO_RETURN),
            journey.approval(2, decision.NO_RETURN),
            journey.do(no_return.give_up_way_back),
        )
