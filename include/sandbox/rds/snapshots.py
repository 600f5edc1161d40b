"""Snapshots: consistent copies of an instance, and instances made from them."""

from __future__ import annotations

import functools
import logging
import secrets
import shutil
from pathlib import Path
from typing import Any

from sandbox.rds import described, lifecycle, orders, parameter_groups, rules
from sandbox.rds.model import Instance, Rds, Snapshot, arn, filtered, last_part, only, page, place, tags_of
from sandbox.state import AwsError, Call

log = logging.getLogger("sandbox")

RESTORABLE = (
    "DBInstanceIdentifier", "DBSnapshotIdentifier", "DBInstanceClass", "DBParameterGroupName", "DBSubnetGroupName",
    "DeletionProtection", "Engine", "Port", "Tags", "AllocatedStorage", *described.RECORDED,
)  # fmt: skip


def create(rds: Rds, call: Call) -> dict[str, Any]:
    """A copy on its way; the instance is `backing-up` meanwhile and goes on working."""
    only(call, ("DBInstanceIdentifier", "DBSnapshotIdentifier", "Tags"))
    with rds.state.lock:
        instance = rds.instance(call, "available")
        snapshot = register(rds, call, instance, call.params["DBSnapshotIdentifier"])
        instance.status = "backing-up"
        told = described.snapshot(snapshot, rds.state.service_port)
    lifecycle.change(rds, instance, functools.partial(take, rds, instance, snapshot))
    return {"DBSnapshot": told}


def register(rds: Rds, call: Call, instance: Instance, name: str) -> Snapshot:
    """A snapshot in state `creating`. Hold the lock."""
    identifier = rules.identifier(name, "DBSnapshotIdentifier", 255)
    if (place(call), identifier) in rds.snapshots:
        raise AwsError("DBSnapshotAlreadyExists", f"Cannot create the snapshot because {identifier} already exists.")
    tags = tags_of(call) or (dict(instance.tags) if instance.described["CopyTagsToSnapshot"] else {})
    folder = rds.folder / "snapshots" / secrets.token_hex(8)
    snapshot = Snapshot(
        place(call), identifier, arn(call, "snapshot", identifier), instance.identifier, instance.resource_id,
        "creating", rds.state.now(), instance.created, folder, instance.master, dict(instance.described), tags=tags,
    )  # fmt: skip
    rds.snapshots[place(call), identifier] = snapshot
    return snapshot


def take(rds: Rds, instance: Instance, snapshot: Snapshot) -> None:
    """The copy itself, of a running server; `failed` when it cannot be taken."""
    snapshot.folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        instance.cluster.back_up(snapshot.folder)
    except Exception:
        log.exception("snapshot %s failed", snapshot.identifier)
        snapshot.status = "failed"
        return
    snapshot.size = _size(snapshot.folder)
    snapshot.status = "available"


def describe(rds: Rds, call: Call) -> dict[str, Any]:
    """The named snapshot, those of an instance, or all."""
    wanted, of = call.params.get("DBSnapshotIdentifier"), call.params.get("DBInstanceIdentifier")
    with rds.state.lock:
        if wanted:
            found = [_find(rds, call)]
        else:
            found = [snapshot for (at, _), snapshot in rds.snapshots.items() if at == place(call)]
        told = [described.snapshot(one, rds.state.service_port) for one in found]
    told = [one for one in told if of is None or one["DBInstanceIdentifier"] == last_part(of).lower()]
    if call.params.get("SnapshotType") not in (None, "manual"):
        told = []  # there are no automated, shared or public ones here
    filters = {"db-instance-id": "DBInstanceIdentifier", "db-snapshot-id": "DBSnapshotIdentifier",
               "dbi-resource-id": "DbiResourceId", "engine": "Engine", "snapshot-type": "SnapshotType"}  # fmt: skip
    return page(call, filtered(call, told, filters), "DBSnapshots", "DBSnapshotIdentifier")


def delete(rds: Rds, call: Call) -> dict[str, Any]:
    """Gone with its data."""
    with rds.state.lock:
        snapshot = _find(rds, call)
        if snapshot.status == "creating":
            raise AwsError("InvalidDBSnapshotState", f"Snapshot {snapshot.identifier} is being made.")
        del rds.snapshots[snapshot.place, snapshot.identifier]
    shutil.rmtree(snapshot.folder, ignore_errors=True)
    snapshot.status = "deleted"
    return {"DBSnapshot": described.snapshot(snapshot, rds.state.service_port)}


def restore(rds: Rds, call: Call) -> dict[str, Any]:
    """A new instance, on an address of its own, with the snapshot's data, roles and passwords."""
    only(call, RESTORABLE)
    rules.engine(call.params.get("Engine") or "postgres")
    with rds.state.lock:
        snapshot = _find(rds, call)
        if snapshot.status != "available":
            raise AwsError("InvalidDBSnapshotState", f"Snapshot {snapshot.identifier} is {snapshot.status}.")
        kept = ("AllocatedStorage", "StorageType", "DBInstanceClass", "DBName", "KmsKeyId", "BackupRetentionPeriod")
        asked: dict[str, Any] = {name: snapshot.described.get(name) for name in kept} | dict(call.params)
        have = snapshot.described["AllocatedStorage"]
        if asked["AllocatedStorage"] < have:
            raise AwsError(
                "InvalidParameterValue", f"The allocated storage must be at least the snapshot's {have} GiB."
            )
        rules.storage(asked["AllocatedStorage"], asked["StorageType"])
        asked = {name: value for name, value in asked.items() if value is not None}
        instance = orders.place_order(rds, call, asked, snapshot.master)
        told = described.instance(instance, rds.state.service_port)
    lifecycle.bring_up(rds, instance, functools.partial(_make_from, instance, snapshot.folder))
    return {"DBInstance": told}


def _make_from(instance: Instance, folder: Path) -> None:
    instance.cluster.create_from(folder)
    parameter_groups.boot_settings(instance)
    instance.cluster.start()


def _find(rds: Rds, call: Call) -> Snapshot:
    name = last_part(str(call.params["DBSnapshotIdentifier"])).lower()
    found = rds.snapshots.get((place(call), name))
    if found is None:
        raise AwsError("DBSnapshotNotFound", f"DBSnapshot not found: {name}", 404)
    return found


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


OPERATIONS = {
    "CreateDBSnapshot": create,
    "DescribeDBSnapshots": describe,
    "DeleteDBSnapshot": delete,
    "RestoreDBInstanceFromDBSnapshot": restore,
}
