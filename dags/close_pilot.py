"""One DAG per manifest: the point of no return, after which nobody leads the service back without loss."""

from __future__ import annotations

from airflow.sdk import chain

from onboarding.manifest import Manifest
from onboarding.stages import decision, no_return
from onboarding_airflow.journey import Journey
from onboarding_airflow.pilots import to_build
from onboarding_airflow.weights import USUAL, weighing


def closing_id(manifest: Manifest) -> str:
    return f"close_{manifest.id}"


for manifest in to_build(closing_id):
    journey = Journey(manifest)
    with journey.dag(
        closing_id(manifest),
        "จุดที่ย้อนกลับไม่ได้ · point of no return",
        f"{manifest.name.en}: the way back is given up",
        tag="point of no return",
        doc=__doc__,
        weight=weighing(USUAL),
    ):
        chain(
            journey.do(no_return.describe),
            journey.approval(1, decision.NO_RETURN),
            journey.approval(2, decision.NO_RETURN),
            journey.do(no_return.give_up_way_back),
        )
