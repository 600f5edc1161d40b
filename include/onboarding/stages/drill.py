"""The restored backup: an instance of its own, proven, then rehearsed on, then given up. It outlives no rehearsal.

The ledger knows which were asked for (`drill_set`) and which are gone again (`drill_given_up`).
"""

from __future__ import annotations

from onboarding import backups, gates, targets
from onboarding.evidence_kinds import Rehearsal, Runbook
from onboarding.observations import Answer
from onboarding.records import Record
from onboarding.stages import feeds, sides
from onboarding.stages.loads import REHEARSAL, load_name
from onboarding.stages.pilot import Pilot


def snapshot_id(pilot: Pilot, workload: str) -> str:
    """One backup per rehearsal load; RDS names take no underscore."""
    return f"{targets.instance_id(pilot.manifest, workload)}-{load_name(pilot, workload, REHEARSAL)}"


def drill_id(pilot: Pilot, workload: str) -> str:
    """The instance that this backup is restored to; after one was given up, the next has another name."""
    first = f"{snapshot_id(pilot, workload)}-drill"
    gone = pilot.ledger.records(pilot=pilot.id, kind="drill_given_up", subject=workload)
    before = {str(record.body["instance"]) for record in gone if _is_of(str(record.body["instance"]), first)}
    return f"{first}{len(before) + 1}" if before else first


def is_wanted(pilot: Pilot) -> bool:
    """Whether backups have to be restored: for their own proof, or to rehearse on."""
    if sides.has_switched(pilot) or feeds.has_begun(pilot):
        return False
    return rehearsal_that_stands(pilot) is None or not all(
        _is_young(pilot, pilot.ledger.latest(pilot.id, "restore_drill", workload.name))
        for workload in pilot.manifest.databases
    )


def rehearsal_that_stands(pilot: Pilot) -> Rehearsal | None:
    """The last rehearsal, if it was of these backups, is young enough and fits."""
    told, runbook = (pilot.ledger.latest(pilot.id, kind, "cutover") for kind in (Rehearsal.KIND, Runbook.KIND))
    if told is None or runbook is None or not _is_young(pilot, told) or not told.body["fits"]:
        return None
    failed = pilot.ledger.latest(pilot.id, "rehearsal_failed", "cutover")
    if failed is not None and failed.seq > told.seq:
        return None
    return Rehearsal.of(told) if dict(runbook.body["backups"]) == of_backups(pilot) else None


def of_backups(pilot: Pilot) -> dict[str, str]:
    """The backup of each database that a rehearsal would be made on."""
    return {workload.name: snapshot_id(pilot, workload.name) for workload in pilot.manifest.databases}


def is_proven(pilot: Pilot, workload: str) -> bool:
    """Whether this very instance was found equal to what was loaded. Rehearsed on, it would be so no more."""
    done = pilot.ledger.latest(pilot.id, "restore_drill", workload)
    return done is not None and done.body.get("instance") == drill_id(pilot, workload)


def is_set(pilot: Pilot) -> bool:
    """Whether an instance, restored and proven, stands for every database."""
    return all(
        drill_id(pilot, workload.name) in standing(pilot, workload.name) and is_proven(pilot, workload.name)
        for workload in pilot.manifest.databases
    )


def standing(pilot: Pilot, workload: str) -> list[str]:
    """Instances that were asked for and not given up since."""
    asked: dict[str, None] = {}
    for record in pilot.ledger.records(pilot=pilot.id, kind=("drill_set", "drill_given_up"), subject=workload):
        instance = str(record.body["instance"])
        asked.pop(instance, None)
        if record.kind == "drill_set":
            asked[instance] = None
    return list(asked)


def set_up(pilot: Pilot, workload: str) -> str:
    """The instance to restore to now; one of an earlier load, or proven too long ago, is given up first."""
    name = drill_id(pilot, workload)
    old = is_proven(pilot, workload) and not _is_young(pilot, pilot.ledger.latest(pilot.id, "restore_drill", workload))
    give_up(pilot, workload, keep="" if old else name)
    name = drill_id(pilot, workload)
    if name not in standing(pilot, workload):
        pilot.record("drill_set", workload, {"instance": name})
    return name


def give_up(pilot: Pilot, workload: str, *, keep: str = "") -> None:
    """No instance of this database's backups is left but `keep`: going or gone. Safe to call again."""
    for instance in standing(pilot, workload):
        if instance != keep:
            backups.remove_restored(pilot.cloud.client("rds"), instance)
            pilot.record("drill_given_up", workload, {"instance": instance})


def give_up_all(pilot: Pilot) -> None:
    """The same for every database of the pilot."""
    for workload in pilot.manifest.databases:
        give_up(pilot, workload.name)


def _is_of(instance: str, first: str) -> bool:
    return instance.startswith(first) and not instance.removeprefix(first).strip("0123456789")


def _is_young(pilot: Pilot, record: Record | None) -> bool:
    return gates.fresh(record, pilot.manifest.evidence_fresh_for, pilot.clock()).answer is Answer.PASS
