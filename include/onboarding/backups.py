"""A backup that was restored once: what nobody can restore is no backup."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.effects import Effects
from onboarding.observations import Answer, Observation
from onboarding.targets import Placement, instance

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBSnapshotTypeDef


@explaining("rds")
def request_snapshot(rds: RDSClient, effects: Effects, name: str, *, of: str) -> str:
    """The id of a snapshot of the instance `of`, asked for once; it is not complete yet."""
    effects.make(
        "rds",
        "CreateDBSnapshot",
        name,
        {"of": of},
        find=lambda: {"snapshot": name} if _snapshot(rds, name) else None,
        perform=lambda: {
            "snapshot": rds.create_db_snapshot(DBSnapshotIdentifier=name, DBInstanceIdentifier=of)["DBSnapshot"][
                "DBSnapshotIdentifier"
            ]
        },
    )
    return name


@explaining("rds")
def observe_snapshot(rds: RDSClient, name: str, now: datetime) -> Observation:
    """Pass when the snapshot is complete; unknown while it is being made."""
    found = _snapshot(rds, name)
    status = found["Status"] if found else "absent"
    if status == "available":
        return Observation(f"backup.{name}", Answer.PASS, status, "available", now)
    answer, why = (
        (Answer.FAIL, "targets.backup_failed") if status == "failed" else (Answer.UNKNOWN, "targets.on_its_way")
    )
    return Observation(f"backup.{name}", answer, status, "available", now, why, {"name": name, "status": status})


@explaining("rds")
def request_restore(
    rds: RDSClient,
    effects: Effects,
    name: str,
    *,
    snapshot: str,
    instance_class: str,
    group: str,
    network: Placement,
) -> str:
    """The id of a new instance restored from the snapshot, asked for once."""

    def restore() -> dict[str, Any]:
        made = rds.restore_db_instance_from_db_snapshot(
            DBInstanceIdentifier=name,
            DBSnapshotIdentifier=snapshot,
            DBInstanceClass=instance_class,
            DBParameterGroupName=group,
            DBSubnetGroupName=network.subnet_group,
            VpcSecurityGroupIds=[network.security_group],
            DeletionProtection=False,
            PubliclyAccessible=False,
        )
        return {"instance": made["DBInstance"]["DBInstanceIdentifier"]}

    effects.make(
        "rds",
        "RestoreDBInstanceFromDBSnapshot",
        name,
        {"snapshot": snapshot},
        find=lambda: {"instance": name} if instance(rds, name) else None,
        perform=restore,
    )
    return name


@explaining("rds")
def remove_restored(rds: RDSClient, name: str) -> None:
    """The drill's instance is going or gone; safe to call twice."""
    found = instance(rds, name)
    if found is not None and found["DBInstanceStatus"] != "deleting":
        rds.delete_db_instance(DBInstanceIdentifier=name, SkipFinalSnapshot=True, DeleteAutomatedBackups=True)


def _snapshot(rds: RDSClient, name: str) -> DBSnapshotTypeDef | None:
    try:
        return rds.describe_db_snapshots(DBSnapshotIdentifier=name)["DBSnapshots"][0]
    except rds.exceptions.DBSnapshotNotFoundFault:
        return None
