"""Where a pilot's workloads go: buckets and RDS instances, each made once and found again by its name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onboarding import buckets
from onboarding.aws_errors import explaining
from onboarding.effects import Effects
from onboarding.errors import TryAgain
from onboarding.manifest import DatabaseWorkload, Manifest
from onboarding.observations import Answer, Observation
from onboarding.policy_documents import document

if TYPE_CHECKING:
    from mypy_boto3_rds import RDSClient
    from mypy_boto3_rds.type_defs import DBInstanceTypeDef
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient

MASTER = "namrong_master"
ENGINE = "postgres"
BACKUP_DAYS = 7
REPLICATION = "rds.logical_replication"


@dataclass(frozen=True)
class Placement:
    """Where in the pilot's network an instance stands: its subnets, and who may reach it."""

    subnet_group: str
    security_group: str


def instance_id(manifest: Manifest, workload: str) -> str:
    """RDS takes letters, digits and single hyphens (CreateDBInstance): `p02-registry`."""
    return f"{manifest.id}-{workload.replace('_', '-')}"


def bucket_name(manifest: Manifest, workload: str, account_id: str) -> str:
    """Bucket names are one name space for the whole world: the account id keeps ours apart."""
    return f"namrong-{manifest.id}-{workload.replace('_', '-')}-{account_id}"


def ensure_bucket(s3: S3Client, effects: Effects, name: str, key_arn: str) -> None:
    """The bucket is there: versioned, encrypted with the pilot's key, closed to the public and to plain HTTP."""
    buckets.ensure_bucket(s3, effects, name, key_arn, _policy(name))


@explaining("s3")
def observe_bucket(s3: S3Client, name: str, key_arn: str, now: datetime) -> Observation:
    """Pass when the bucket is closed, versioned, encrypted and governed, as read back from S3."""
    seen = buckets.bucket_state(s3, name, key_arn, _policy(name))
    wanted = dict.fromkeys(seen, True)
    answer = Answer.PASS if seen == wanted else Answer.FAIL
    return Observation(f"bucket.{name}", answer, seen, wanted, now, "targets.bucket_open", {"bucket": name})


@explaining("secretsmanager")
def ensure_master_password(secrets: SecretsManagerClient, effects: Effects, manifest: Manifest, workload: str) -> None:
    """The master's password lies in Secrets Manager: made once, at random, and nowhere else."""
    name = _secret_name(manifest, workload)
    effects.make(
        "secretsmanager",
        "CreateSecret",
        name,
        {"workload": workload},
        find=lambda: {"secret": name} if _secret_exists(secrets, name) else None,
        perform=lambda: _create_secret(secrets, name),
    )


@explaining("secretsmanager")
def master_password(secrets: SecretsManagerClient, manifest: Manifest, workload: str) -> str:
    """The password, for the moment of a login; never to be logged, returned from a task or recorded."""
    return secrets.get_secret_value(SecretId=_secret_name(manifest, workload))["SecretString"]


@explaining("rds")
def newest_version(rds: RDSClient) -> tuple[str, str]:
    """The newest PostgreSQL on offer and its parameter group family, e.g. ("18.6", "postgres18")."""
    pages = rds.get_paginator("describe_db_engine_versions").paginate(Engine=ENGINE)
    offered = [version for page in pages for version in page["DBEngineVersions"]]
    newest = max(offered, key=lambda version: [int(part) for part in version["EngineVersion"].split(".")])
    return newest["EngineVersion"], newest["DBParameterGroupFamily"]


@explaining("rds")
def ensure_parameter_group(rds: RDSClient, effects: Effects, name: str, family: str) -> None:
    """Parameters of the pilot's instances: logical replication on, for the engines that follow and for the way back."""
    effects.make(
        "rds",
        "CreateDBParameterGroup",
        name,
        {"group": name},  # not the family: a newer PostgreSQL on offer must not make a cleared task another request
        find=lambda: {"group": name} if _group_exists(rds, name) else None,
        perform=lambda: {
            "group": rds.create_db_parameter_group(
                DBParameterGroupName=name, DBParameterGroupFamily=family, Description="Namrong"
            )["DBParameterGroup"]["DBParameterGroupName"]
        },
    )
    if _parameter(rds, name, REPLICATION) != "1":  # writing it again could leave instances pending a reboot
        wanted: Any = {"ParameterName": REPLICATION, "ParameterValue": "1", "ApplyMethod": "pending-reboot"}
        rds.modify_db_parameter_group(DBParameterGroupName=name, Parameters=[wanted])


@explaining("rds")
def ensure_subnet_group(rds: RDSClient, effects: Effects, name: str, subnets: Sequence[str]) -> str:
    """The group of private subnets that the pilot's instances stand in."""

    def find() -> dict[str, Any] | None:
        try:
            rds.describe_db_subnet_groups(DBSubnetGroupName=name)
        except rds.exceptions.DBSubnetGroupNotFoundFault:
            return None
        return {"group": name}

    def perform() -> dict[str, Any]:
        rds.create_db_subnet_group(DBSubnetGroupName=name, DBSubnetGroupDescription="Namrong", SubnetIds=list(subnets))
        return {"group": name}

    effects.make("rds", "CreateDBSubnetGroup", name, {"subnets": sorted(subnets)}, find=find, perform=perform)
    return name


@explaining("rds")
def request_instance(
    rds: RDSClient,
    effects: Effects,
    manifest: Manifest,
    workload: DatabaseWorkload,
    *,
    version: str,
    group: str,
    network: Placement,
    port: int,
    key_arn: str,
    password: str,
) -> str:
    """The id of the instance, asked for once; it is not available yet.

    `port` is the source's: the service's name moves, and a DNS record carries no port.
    """
    name = instance_id(manifest, workload.name)
    size = {"class": workload.target.instance_class, "gib": workload.target.storage_gib}

    def create() -> dict[str, Any]:
        made = rds.create_db_instance(
            DBInstanceIdentifier=name,
            Engine=ENGINE,
            EngineVersion=version,
            DBInstanceClass=workload.target.instance_class,
            AllocatedStorage=workload.target.storage_gib,
            StorageType="gp3",
            StorageEncrypted=True,
            KmsKeyId=key_arn,
            Port=port,
            MasterUsername=MASTER,
            MasterUserPassword=password,
            DBParameterGroupName=group,
            DBSubnetGroupName=network.subnet_group,
            VpcSecurityGroupIds=[network.security_group],
            BackupRetentionPeriod=BACKUP_DAYS,
            PubliclyAccessible=False,
            DeletionProtection=True,
            Tags=[{"Key": "namrong:pilot", "Value": manifest.id}],
        )
        return {"instance": made["DBInstance"]["DBInstanceIdentifier"]}

    effects.make(
        "rds",
        "CreateDBInstance",
        name,
        size,
        find=lambda: {"instance": name} if instance(rds, name) else None,
        perform=create,
    )
    return name


@explaining("rds")
def observe_instance(rds: RDSClient, name: str, now: datetime) -> Observation:
    """Pass when the instance is available with its parameters in force; unknown on the way; fail in a dead end."""
    found = instance(rds, name)
    if found is None:
        return Observation(
            f"rds.{name}", Answer.UNKNOWN, "absent", "available", now, "targets.on_its_way", {"name": name}
        )
    status = found["DBInstanceStatus"]
    applied = [group["ParameterApplyStatus"] for group in found.get("DBParameterGroups", [])]
    seen = {"status": status, "parameters": applied}
    wanted = {"status": "available", "parameters": ["in-sync"]}
    values = {"name": name, "status": status}
    if seen == wanted:
        return Observation(f"rds.{name}", Answer.PASS, seen, wanted, now)
    dead = status in ("failed", "incompatible-parameters", "incompatible-restore", "storage-full", "deleting")
    answer, why = (Answer.FAIL, "targets.instance_dead") if dead else (Answer.UNKNOWN, "targets.on_its_way")
    return Observation(f"rds.{name}", answer, seen, wanted, now, why, values)


@explaining("rds")
def instance_address(rds: RDSClient, name: str) -> tuple[str, int]:
    """Host name and port of an instance. Raises TryAgain while it has none."""
    found = instance(rds, name)
    endpoint = (found or {}).get("Endpoint")
    if not endpoint:
        raise TryAgain("targets.no_address", where=name)
    return endpoint["Address"], endpoint["Port"]


def instance(rds: RDSClient, name: str) -> DBInstanceTypeDef | None:
    """The instance as RDS describes it, None when there is none."""
    try:
        return rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0]
    except rds.exceptions.DBInstanceNotFoundFault:
        return None


def _secret_name(manifest: Manifest, workload: str) -> str:
    return f"namrong/{manifest.id}/{workload}/master"


def _secret_exists(secrets: SecretsManagerClient, name: str) -> bool:
    try:
        secrets.describe_secret(SecretId=name)
    except secrets.exceptions.ResourceNotFoundException:
        return False
    return True


def _create_secret(secrets: SecretsManagerClient, name: str) -> dict[str, Any]:
    # RDS takes no slash, quote, at-sign or space in a master password (CreateDBInstance).
    password = secrets.get_random_password(PasswordLength=40, ExcludePunctuation=True)["RandomPassword"]
    return {"secret": secrets.create_secret(Name=name, SecretString=password)["Name"]}


def _group_exists(rds: RDSClient, name: str) -> bool:
    try:
        rds.describe_db_parameter_groups(DBParameterGroupName=name)
    except rds.exceptions.DBParameterGroupNotFoundFault:
        return False
    return True


def _parameter(rds: RDSClient, group: str, name: str) -> str | None:
    pages = rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName=group)
    held = (each for page in pages for each in page["Parameters"] if each["ParameterName"] == name)
    return next((each.get("ParameterValue") for each in held), None)


def _policy(name: str) -> str:
    return document("resources/bucket", bucket=name)
