"""One DAG per manifest: the end of a pilot that is given up before its switch; nothing of it stays at the agency.

Say why when you start it. No other run of the pilot may be under way: mark it failed first. The service stays where it
is, and the journey may be started again at any time: it begins anew.
"""

from __future__ import annotations

from airflow.sdk import Param, chain

from onboarding.manifest import Manifest
from onboarding.stages import abandoning
from onboarding_airflow.journey import Journey
from onboarding_airflow.pilots import to_build
from onboarding_airflow.weights import STOPPED, weighing

WHY = Param(
    "",
    type="string",
    minLength=3,
    title="เหตุผล · Reason",
    description="บันทึกไว้ในบัญชีหลักฐาน ทุกคนเห็นได้ · kept in the ledger, seen by everybody",
)


def abandoning_id(manifest: Manifest) -> str:
    return f"abandon_{manifest.id}"


for manifest in to_build(abandoning_id):
    journey = Journey(manifest)
    others = (manifest.dag_id, f"roll_back_{manifest.id}")
    with journey.dag(
        abandoning_id(manifest),
        "ยุติโครงการ · abandon",
        f"{manifest.name.en}: given up before its switch",
        tag="abandon",
        doc=__doc__,
        weight=weighing(STOPPED),
        params={"reason": WHY},
    ):
        chain(
            journey.do(abandoning.abandon, given={"reason": "{{ params.reason }}"}, after_runs_of=others),
            journey.do(abandoning.free_agency, after_runs_of=others),
            journey.do(abandoning.take_back, after_runs_of=others),
        )
