"""One DAG per manifest: the journey of a pilot, stage by stage, a gate between stages."""

from __future__ import annotations

from airflow.sdk import TaskGroup, XComArg, chain

from onboarding.stages import account, cutover, intake, live, migration, validation
from onboarding_airflow.assets import PILOT_LIVE
from onboarding_airflow.gates import GateSensor
from onboarding_airflow.journey import Journey
from onboarding_airflow.pilots import to_build
from onboarding_airflow.weights import STOPPED, USUAL, weighing


def onboard(journey: Journey) -> None:
    """The table of contents: intake, account, migration, validation, cutover, soak, live."""
    do, gate = journey.do, journey.gate

    with TaskGroup("intake", group_display_name="รับโครงการ · intake"):
        chain(do(intake.receive), do(intake.assess), accepted := gate("intake"))

    with TaskGroup("account", group_display_name="บัญชี AWS · account"):
        chain(
            accepted,
            do(account.request_account),
            gate("account_made"),
            do(account.place_and_guard),
            gate("region_open"),
            do(account.apply_baseline),
            do(account.grant_access),
            account_ready := gate("account"),
        )

    with TaskGroup("migration", group_display_name="ย้ายข้อมูล · migration"):
        chain(account_ready, do(migration.request_targets), targets := gate("targets_made"))
        moved = [journey.upload(workload, after=targets) for workload in journey.manifest.files]
        copied = [journey.load(workload, "rehearsal", after=targets) for workload in journey.manifest.databases]
        chain(
            copied,
            do(migration.back_up),
            gate("backed_up"),
            do(migration.restore_backup),
            gate("restored"),
            drilled := do(migration.prove_restore),
        )
        chain([*moved, drilled], migrated := gate("migration"))

    with TaskGroup("validation", group_display_name="ตรวจสอบ · validation"):
        checks = [do(validation.reconcile), journey.expect(), do(validation.ask_golden_queries)]
        chain(migrated, checks, journey.rehearse(), validated := gate("validation"))

    with TaskGroup("cutover", group_display_name="สลับระบบ · cutover", default_args=weighing(STOPPED)):
        night = follow_night if journey.manifest.follows else copy_night
        switched = night(journey, validated)

    with TaskGroup("soak", group_display_name="เฝ้าระวัง · soak"):
        chain(switched, soaked := gate("soak"))

    with TaskGroup("live", group_display_name="ให้บริการจริง · live"):
        chain(soaked, do(live.revoke_access), do(live.declare, outlets=[PILOT_LIVE]))


def copy_night(journey: Journey, validated: GateSensor) -> GateSensor:
    """Frozen, loaded once more, proven, led over."""
    do, gate = journey.do, journey.gate
    chain(validated, gate("window"), journey.approval(1), journey.approval(2), frozen := do(cutover.freeze))
    loaded_again = [journey.load(workload, "final", after=frozen) for workload in journey.manifest.databases]
    chain(
        [frozen, *loaded_again],
        do(cutover.prove),
        *turned_over(journey),
        released := do(cutover.release),
        switched := gate("cutover"),
    )
    chain([frozen, *loaded_again, released], do(cutover.stand_down, trigger_rule="one_failed"))
    return switched


def turned_over(journey: Journey) -> list[XComArg | GateSensor]:
    """The name, led to the target: by us, or by people who are asked and waited for."""
    if journey.manifest.cutover.traffic.mode == "manual":
        return [journey.do(cutover.ask_for_name), journey.gate("named")]
    return [journey.do(cutover.shift_traffic)]


def follow_night(journey: Journey, validated: GateSensor) -> GateSensor:
    """Followed until it is near, read there, and only then frozen: for what was written last, and for the proof."""
    do, gate = journey.do, journey.gate
    reads = [do(cutover.ramp_reads)] if journey.manifest.cutover.traffic.reads else []
    chain(
        validated,
        do(cutover.begin_following),
        opened := gate("window"),
        journey.approval(1),
        journey.approval(2),
        gate("near"),
        *reads,
        *(over := switched_over(journey)),
        switched := gate("cutover"),
    )
    chain(opened, gate("deciding"))
    chain(over, do(cutover.stand_down, trigger_rule="one_failed"))
    return switched


def switched_over(journey: Journey) -> list[XComArg | GateSensor]:
    """In one task; where people turn the name, it is two, with the wait for them in between."""
    if journey.manifest.cutover.traffic.mode == "manual":
        return [journey.do(cutover.make_ready), journey.gate("named"), journey.do(cutover.release)]
    return [journey.do(cutover.switch_over)]


for manifest in to_build(lambda manifest: manifest.dag_id):
    journey = Journey(manifest)
    with journey.dag(
        manifest.dag_id,
        manifest.name.th,
        manifest.name.en,
        tag="onboarding",
        doc=__doc__,
        weight=weighing(USUAL),
    ):
        onboard(journey)
