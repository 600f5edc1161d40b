"""The gates of the copy: its places are made, it arrived whole, its backup came back, and it is proven alike."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from onboarding import backups, gates, targets
from onboarding.baseline import key
from onboarding.databases import assess, service
from onboarding.databases import status as engine_status
from onboarding.evidence_kinds import MovedFiles, MovedRows, Rehearsal
from onboarding.gates import Check
from onboarding.manifest import DatabaseWorkload
from onboarding.observations import Answer, Observation, judged
from onboarding.readiness import Finding, apply_waivers
from onboarding.stages import drill, following, sides, validation
from onboarding.stages.gates.questions import Checks, as_of_now, recorded, until_switched
from onboarding.stages.loads import REHEARSAL, load_name
from onboarding.stages.pilot import Pilot
from onboarding.stages.uploading import bucket
from onboarding.thai_calendar import BANGKOK


def targets_made(pilot: Pilot) -> Checks:
    """Are the database instances available, with their parameters in force, and the buckets closed?"""
    rds = pilot.cloud.client("rds")
    checks: dict[str, Check] = {}
    for workload in pilot.manifest.databases:
        name = targets.instance_id(pilot.manifest, workload.name)
        checks[f"rds.{workload.name}"] = partial(as_of_now, pilot, targets.observe_instance, rds, name)
    return checks | dict(_buckets(pilot))


@until_switched
def backed_up(pilot: Pilot) -> Checks:
    """Is the backup complete?"""
    rds = pilot.cloud.client("rds")
    return {
        f"backup.{w.name}": partial(as_of_now, pilot, backups.observe_snapshot, rds, drill.snapshot_id(pilot, w.name))
        for w in pilot.manifest.databases
    }


@until_switched
def restored(pilot: Pilot) -> Checks:
    """Is the instance that the backup was restored to available?"""
    rds = pilot.cloud.client("rds")
    checks: dict[str, Check] = {}
    for workload in pilot.manifest.databases:
        if not drill.is_wanted(pilot):
            checks[f"drill.{workload.name}"] = partial(_drilled, pilot, workload.name)
        else:
            name = drill.drill_id(pilot, workload.name)
            checks[f"drill.{workload.name}"] = partial(as_of_now, pilot, targets.observe_instance, rds, name)
    return checks


@until_switched
def migrated(pilot: Pilot) -> Checks:
    """Did everything that was planned arrive, and did the backup come back?"""
    checks: dict[str, Check] = dict(_buckets(pilot))
    for workload in pilot.manifest.databases:
        checks[f"loaded.{workload.name}"] = partial(_loaded, pilot, workload.name)
        checks[f"drill.{workload.name}"] = partial(_drilled, pilot, workload.name)
        checks[f"takes.{workload.name}"] = partial(_taken, pilot, workload)
        if pilot.manifest.follows:
            checks[f"ways.{workload.name}"] = partial(_ways_open, pilot, workload.name)
    return checks


@until_switched
def validated(pilot: Pilot) -> Checks:
    """Is the copy the same, are its data as good as before, and does the rehearsed night fit?"""
    checks: dict[str, Check] = {}
    names = [w.name for w in pilot.manifest.databases] + [w.name for w in pilot.manifest.files]
    for name in names:
        checks |= recorded(pilot, "reconciled", name, after=_moved(pilot, name), moment=validation.REHEARSED_AT)
    for workload in pilot.manifest.databases:
        checks |= recorded(pilot, "golden", workload.name, after=_moved(pilot, workload.name))
        if workload.expectations:
            checks |= recorded(pilot, "expectations", workload.name, after=_moved(pilot, workload.name))
        login = sides.target_service(pilot, workload.name)
        checks[f"closed.{workload.name}"] = partial(service.refuses_writes, login)
    checks["rehearsal"] = lambda: _rehearsed(pilot)
    return checks


def _buckets(pilot: Pilot) -> Iterator[tuple[str, Check]]:
    key_arn = str(key.key_of_alias(pilot.cloud.client("kms")))
    for files in pilot.manifest.files:
        about = (pilot.cloud.client("s3"), bucket(pilot, files.name), key_arn)
        yield f"bucket.{files.name}", partial(as_of_now, pilot, targets.observe_bucket, *about)


def _loaded(pilot: Pilot, workload: str) -> Observation:
    load = load_name(pilot, workload, REHEARSAL)
    seen = engine_status.status(sides.target(pilot, workload), load=load)
    finished = pilot.ledger.latest(pilot.id, "load_finished", f"{workload}/{load}") is not None
    return judged(
        f"loaded.{workload}",
        {"parts": seen.parts, "finished": finished},
        {"parts": seen.planned_parts, "finished": True},
        pilot.clock(),
        why="stages.not_loaded",
        done=seen.parts,
        total=seen.planned_parts,
    )


def _drilled(pilot: Pilot, workload: str) -> Observation:
    done = pilot.ledger.latest(pilot.id, "restore_drill", workload)
    return gates.fresh(done, pilot.manifest.evidence_fresh_for, pilot.clock(), f"drill.{workload}")


def _taken(pilot: Pilot, workload: DatabaseWorkload) -> Observation:
    """What the real instance offers, asked of itself: the table that intake went by may be old."""
    offered = assess.offers(sides.admin(pilot, workload.name))
    found = assess.assess(
        sides.source(pilot, workload.name), workload.service_role, target=offered, shards=workload.shards
    )
    return _none_critical(pilot, "takes", found)


def _ways_open(pilot: Pilot, workload: str) -> Observation:
    """Whether either server reaches the other and may follow it: really tried."""
    return _none_critical(pilot, "ways", following.assess_ways(pilot, workload))


def _none_critical(pilot: Pilot, check: str, found: list[Finding]) -> Observation:
    today = pilot.clock().astimezone(BANGKOK).date()
    critical = apply_waivers(found, pilot.manifest.waivers, today).critical
    named = [f"{one.id} {one.where}" for one in critical]
    return judged(check, named, [], pilot.clock(), why="stages.not_ready", count=len(named))


def _moved(pilot: Pilot, workload: str) -> int:
    """The record of the last unit of this workload that was moved."""
    units = (pilot.ledger.latest(pilot.id, shape.KIND, workload) for shape in (MovedRows, MovedFiles))
    return max((unit.seq for unit in units if unit is not None), default=0)


def _rehearsed(pilot: Pilot) -> Observation:
    found = pilot.ledger.latest(pilot.id, Rehearsal.KIND, "cutover")
    failed = pilot.ledger.latest(pilot.id, "rehearsal_failed", "cutover")
    if failed is not None and (found is None or failed.seq > found.seq):
        said = failed.body
        values = {**said["values"], "where": said["where"]}
        return Observation("rehearsal", Answer.FAIL, said["step"], None, pilot.clock(), said["why"], values)
    young = gates.fresh(found, pilot.manifest.evidence_fresh_for, pilot.clock(), "rehearsal")
    if found is None or young.answer is not Answer.PASS:
        return young
    rehearsal, budget = Rehearsal.of(found), pilot.manifest.cutover.freeze_budget
    values = {"took": rehearsal.cutover_s, "budget": str(budget)}
    return judged("rehearsal", rehearsal.fits, True, pilot.clock(), why="stages.too_long", **values)
