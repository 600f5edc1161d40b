"""Instances and snapshots as AWS tells them, and what is only recorded in order to be told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.backends import get_backend

from sandbox.rds import parameter_groups, rules, subnet_groups
from sandbox.rds.model import Instance, Snapshot, tag_list
from sandbox.state import AwsError, Call

DEFAULTS: dict[str, Any] = {
    "AllocatedStorage": 20,
    "AutoMinorVersionUpgrade": True,
    "CopyTagsToSnapshot": False,
    "DBInstanceClass": "",
    "DBName": None,
    "DeletionProtection": False,
    "Engine": "postgres",
    "MaxAllocatedStorage": None,
    "MultiAZ": False,
    "PreferredBackupWindow": "18:00-18:30",
    "PreferredMaintenanceWindow": "sun:19:00-sun:19:30",
    "PubliclyAccessible": False,
    "StorageEncrypted": False,
    "StorageType": "gp2",
}
RECORDED = (
    "AutoMinorVersionUpgrade", "AvailabilityZone", "BackupRetentionPeriod", "CopyTagsToSnapshot", "KmsKeyId",
    "LicenseModel", "MaxAllocatedStorage", "MultiAZ", "PreferredBackupWindow", "PreferredMaintenanceWindow",
    "PubliclyAccessible", "StorageEncrypted", "StorageType", "VpcSecurityGroupIds",
)  # fmt: skip


def recorded(call: Call, asked: Mapping[str, Any]) -> dict[str, Any]:
    """The members to be told back; keys and security groups must exist."""
    kept = {name: asked.get(name, default) for name, default in DEFAULTS.items()}
    kept["EngineVersion"] = rules.engine_version()
    kept["BackupRetentionPeriod"] = rules.retention(asked)
    kept["AvailabilityZone"] = asked.get("AvailabilityZone") or f"{call.region}a"
    kept["VpcSecurityGroups"] = _security_groups(call, asked.get("VpcSecurityGroupIds") or [])
    if asked.get("KmsKeyId"):
        kept["KmsKeyId"] = _key(call, asked["KmsKeyId"])
        kept["StorageEncrypted"] = True
    return kept


def instance(told: Instance, port: int) -> dict[str, Any]:
    """Members of DBInstance; the endpoint is there once the server answers."""
    members: dict[str, Any] = {name: value for name, value in told.described.items() if value is not None}
    members |= {
        "DBInstanceIdentifier": told.identifier,
        "DBInstanceArn": told.arn,
        "DbiResourceId": told.resource_id,
        "DBInstanceStatus": told.status,
        "MasterUsername": told.master,
        "LicenseModel": "postgresql-license",
        "DBParameterGroups": [{"DBParameterGroupName": told.group.name, "ParameterApplyStatus": _apply_status(told)}],
        "PendingModifiedValues": dict(told.pending),
        "IAMDatabaseAuthenticationEnabled": False,
        "PerformanceInsightsEnabled": False,
        "DBSecurityGroups": [],
        "ReadReplicaDBInstanceIdentifiers": [],
        "DbInstancePort": 0,
        "TagList": tag_list(told.tags),
    }
    if told.status not in ("creating", "failed"):
        members["Endpoint"] = {"Address": told.host_name, "Port": port, "HostedZoneId": "Z0000000SANDBOX"}
        members["InstanceCreateTime"] = told.created
    if told.vpc_group is not None:
        members["DBSubnetGroup"] = subnet_groups.described(told.vpc_group)
    if told.secret_arn is not None:
        status = "creating" if told.status == "creating" else "active"
        members["MasterUserSecret"] = {"SecretArn": told.secret_arn, "SecretStatus": status}
    return members


def snapshot(told: Snapshot, port: int) -> dict[str, Any]:
    """Members of DBSnapshot."""
    kept = ("AllocatedStorage", "AvailabilityZone", "Engine", "EngineVersion", "KmsKeyId", "StorageType")
    members: dict[str, Any] = {name: told.described[name] for name in kept if told.described.get(name) is not None}
    members |= {
        "DBSnapshotIdentifier": told.identifier,
        "DBSnapshotArn": told.arn,
        "DBInstanceIdentifier": told.instance,
        "DbiResourceId": told.resource_id,
        "Status": told.status,
        "SnapshotType": "manual",
        "SnapshotCreateTime": told.created,
        "OriginalSnapshotCreateTime": told.created,
        "InstanceCreateTime": told.instance_created,
        "MasterUsername": told.master,
        "LicenseModel": "postgresql-license",
        "Encrypted": bool(told.described.get("StorageEncrypted")),
        "PercentProgress": 100 if told.status == "available" else 0,
        "Port": port,
        "TagList": tag_list(told.tags),
    }
    if told.status == "available":
        members["FullSnapshotSizeInBytes"] = told.size
    return members


def _apply_status(told: Instance) -> str:
    return "in-sync" if told.status == "creating" else parameter_groups.apply_status(told)


def _security_groups(call: Call, ids: list[str]) -> list[dict[str, str]]:
    ec2 = get_backend("ec2")[call.account][call.region]
    for group in ids:
        if ec2.get_security_group_from_id(group) is None:
            raise AwsError("InvalidParameterValue", f"Invalid security group: {group} does not exist in this region.")
    return [{"VpcSecurityGroupId": group, "Status": "active"} for group in ids]


def _key(call: Call, named: str) -> str:
    """The key's ARN."""
    kms = get_backend("kms")[call.account][call.region]
    try:
        key_id = kms.get_key_id(kms.any_id_to_key_id(named))
        key = kms.keys[key_id]
    except KeyError as failure:
        raise AwsError(
            "KMSKeyNotAccessibleFault", f"The KMS key {named} does not exist or cannot be used."
        ) from failure
    if not key.enabled:
        raise AwsError("KMSKeyNotAccessibleFault", f"The KMS key {named} is not enabled.")
    return str(key.arn)
