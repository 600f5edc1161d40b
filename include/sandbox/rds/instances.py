"""DB instances: ordered, up after a while, changed, rebooted, deleted, as real servers."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from sandbox.rds import described, lifecycle, orders, parameter_groups, passwords, rules
from sandbox.rds import snapshots as copies
from sandbox.rds.model import Instance, Rds, filtered, only, page, place
from sandbox.state import AwsError, Call

ORDERED = (
    "DBInstanceIdentifier", "DBInstanceClass", "Engine", "EngineVersion", "MasterUsername", "MasterUserPassword",
    "ManageMasterUserPassword", "MasterUserSecretKmsKeyId", "DBName", "DBParameterGroupName", "DBSubnetGroupName",
    "DeletionProtection", "Port", "Tags", "AllocatedStorage", *described.RECORDED,
)  # fmt: skip
MODIFIABLE = (
    "DBInstanceIdentifier", "ApplyImmediately", "DBInstanceClass", "AllocatedStorage", "StorageType", "MultiAZ",
    "MasterUserPassword", "DBParameterGroupName", "DeletionProtection", "BackupRetentionPeriod", "EngineVersion",
    "PreferredBackupWindow", "PreferredMaintenanceWindow", "CopyTagsToSnapshot", "PubliclyAccessible",
    "AutoMinorVersionUpgrade", "MaxAllocatedStorage", "VpcSecurityGroupIds",
)  # fmt: skip
DEFERRED = ("DBInstanceClass", "AllocatedStorage", "StorageType", "MultiAZ")
"""Changes that wait for the maintenance window unless they are to be applied immediately."""


def create(rds: Rds, call: Call) -> dict[str, Any]:
    """A server on its way: `creating` now, `available` with an endpoint when it answers."""
    only(call, ORDERED)
    asked = dict(call.params)
    rules.engine(asked["Engine"])
    asked["EngineVersion"] = rules.version(asked.get("EngineVersion"))
    asked["StorageType"] = asked.get("StorageType") or "gp2"
    rules.storage(asked.get("AllocatedStorage"), asked["StorageType"])
    database = rules.database_name(asked.get("DBName"))
    master = rules.master_user(asked.get("MasterUsername"))
    password = passwords.chosen(asked)
    instance = orders.place_order(rds, call, asked, master)
    if asked.get("ManageMasterUserPassword"):
        instance.secret_arn = passwords.keep_in_secret(call, instance, password)
    lifecycle.bring_up(rds, instance, functools.partial(lifecycle.make_new, instance, password, database))
    return {"DBInstance": described.instance(instance, rds.state.service_port)}


def describe(rds: Rds, call: Call) -> dict[str, Any]:
    """The named instance, or all."""
    with rds.state.lock:
        if call.params.get("DBInstanceIdentifier"):
            found = [rds.instance(call)]
        else:
            found = [instance for (at, _), instance in rds.instances.items() if at == place(call)]
        told = [described.instance(instance, rds.state.service_port) for instance in found]
    filters = {"db-instance-id": "DBInstanceIdentifier", "dbi-resource-id": "DbiResourceId", "engine": "Engine"}
    return page(call, filtered(call, told, filters), "DBInstances", "DBInstanceIdentifier")


def modify(rds: Rds, call: Call) -> dict[str, Any]:
    """Changes: some at once, class and storage at once only when asked for, a parameter group at the next reboot."""
    only(call, MODIFIABLE)
    asked = dict(call.params)
    with rds.state.lock:
        instance = rds.instance(call, "available")
        changes = _checked_changes(instance, asked)
        if "DBParameterGroupName" in asked:
            instance.group = parameter_groups.find(rds, call, asked["DBParameterGroupName"])
        instance.described.update(_told_at_once(call, asked))
        if asked.get("ApplyImmediately"):
            changes = {**instance.pending, **changes}
            instance.pending = {}
        else:
            instance.pending.update(changes)
            changes = {}
        told = described.instance(instance, rds.state.service_port)
        told["PendingModifiedValues"] |= changes
        password = asked.get("MasterUserPassword")
        if password is not None:
            told["PendingModifiedValues"]["MasterUserPassword"] = "****"
        if changes or password is not None:
            instance.status = "modifying"
    if changes or password is not None:
        lifecycle.change(rds, instance, functools.partial(_carry_out, instance, changes, password))
    return {"DBInstance": told}


def _told_at_once(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    renamed = {"VpcSecurityGroupIds": "VpcSecurityGroups"}
    names = {renamed.get(name, name) for name in asked if name not in (*DEFERRED, "EngineVersion")}
    return {name: value for name, value in described.recorded(call, asked).items() if name in names}


def _checked_changes(instance: Instance, asked: Mapping[str, Any]) -> dict[str, Any]:
    if "DBInstanceClass" in asked:
        rules.instance_class(asked["DBInstanceClass"])
    if "EngineVersion" in asked:
        rules.version(asked["EngineVersion"])
    if "MasterUserPassword" in asked:
        if instance.secret_arn:
            raise AwsError("InvalidParameterCombination", "The master password is managed in Secrets Manager.")
        rules.master_password(asked["MasterUserPassword"])
    rules.retention(asked)
    have = instance.described["AllocatedStorage"]
    wanted = asked.get("AllocatedStorage", have)
    rules.storage(wanted, asked.get("StorageType") or instance.described["StorageType"])
    if wanted < have:
        raise AwsError("InvalidParameterCombination", "Invalid storage size: the allocated storage cannot be reduced.")
    return {name: asked[name] for name in DEFERRED if name in asked and asked[name] != instance.described.get(name)}


def _carry_out(instance: Instance, changes: Mapping[str, Any], password: str | None) -> None:
    if password is not None:
        passwords.change(instance, password)
    instance.described.update(changes)


def reboot(rds: Rds, call: Call) -> dict[str, Any]:
    """The server restarted under its group's values, static ones included."""
    with rds.state.lock:
        instance = rds.instance(call, "available")
        if call.params.get("ForceFailover"):
            raise AwsError("NotImplemented", "the sandbox has no standby to fail over to", 501)
        instance.status = "rebooting"
        told = described.instance(instance, rds.state.service_port)
    lifecycle.change(rds, instance, functools.partial(lifecycle.restart, instance))
    return {"DBInstance": told}


def delete(rds: Rds, call: Call) -> dict[str, Any]:
    """The server stopped and its data removed, after a last snapshot if one is asked for."""
    final, skip = call.params.get("FinalDBSnapshotIdentifier"), call.params.get("SkipFinalSnapshot", False)
    with rds.state.lock:
        instance = rds.instance(call, "available", "failed", "incompatible-parameters")
        if instance.described.get("DeletionProtection"):
            raise AwsError(
                "InvalidParameterCombination",
                "Cannot delete protected DB Instance, please disable deletion protection and try again.",
            )
        if bool(final) == bool(skip):
            raise AwsError(
                "InvalidParameterCombination",
                "FinalDBSnapshotIdentifier is required unless SkipFinalSnapshot is specified, and excludes it.",
            )
        if final and instance.status != "available":
            raise AwsError("InvalidDBInstanceState", f"No final snapshot of a {instance.status} instance.")
        snapshot = copies.register(rds, call, instance, final) if final else None
        instance.status = "deleting"
        told = described.instance(instance, rds.state.service_port)
    lifecycle.take_down(rds, instance, functools.partial(copies.take, rds, instance, snapshot) if snapshot else None)
    return {"DBInstance": told}


OPERATIONS = {
    "CreateDBInstance": create,
    "DescribeDBInstances": describe,
    "ModifyDBInstance": modify,
    "RebootDBInstance": reboot,
    "DeleteDBInstance": delete,
}
