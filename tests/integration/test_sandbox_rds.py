"""The sandbox's RDS: instances are real servers that come, change, are copied and go as on AWS."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import boto3
import psycopg
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from onboarding.addresses import Database
from onboarding.look_ups import resolver

Cloud = Mapping[str, Any]
PASSWORD = "Correct-Horse.1"
MISSING = "nothing-of-the-kind"


def client(cloud: Cloud, service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]  # any service by its name
        region_name=cloud["region"],
        endpoint_url=cloud["aws_endpoint_url"],
        aws_access_key_id=cloud["access_key"],
        aws_secret_access_key=cloud["secret_key"],
        config=Config(retries={"total_max_attempts": 1}),
    )


@pytest.fixture(scope="module")
def rds(sandbox_cloud: Cloud) -> Any:
    return client(sandbox_cloud, "rds")


def order(identifier: str, **more: Any) -> dict[str, Any]:
    return {
        "DBInstanceIdentifier": identifier,
        "Engine": "postgres",
        "DBInstanceClass": "db.t4g.medium",
        "AllocatedStorage": 20,
        "MasterUsername": "registry",
        "MasterUserPassword": PASSWORD,
        **more,
    }


def until(look: Callable[[], Any], wanted: Any, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while (seen := look()) != wanted:
        assert time.monotonic() < deadline, f"still {seen}, not {wanted}"
        time.sleep(0.1)


def status(rds: Any, identifier: str) -> str:
    try:
        return str(rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]["DBInstanceStatus"])
    except rds.exceptions.DBInstanceNotFoundFault:
        return "gone"


def database(cloud: Cloud, rds: Any, identifier: str, name: str = "registry") -> Database:
    endpoint = rds.describe_db_instances(DBInstanceIdentifier=identifier)["DBInstances"][0]["Endpoint"]
    resolve = resolver(cloud["nameserver"])
    return Database(endpoint["Address"], endpoint["Port"], name, "registry", PASSWORD, resolve)


def one(place: Database, statement: str) -> Any:
    with place.connect(autocommit=True) as connection:
        row = connection.execute(statement).fetchone()  # type: ignore[arg-type]  # the tests' own statements
    return row[0] if row else None


def code_of(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**params)
    return str(refused.value.response["Error"]["Code"])


@pytest.fixture(scope="module")
def group(rds: Any) -> str:
    family = rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"][0]["DBParameterGroupFamily"]
    rds.create_db_parameter_group(DBParameterGroupName="own", DBParameterGroupFamily=family, Description="d")
    return "own"


@pytest.fixture(scope="module")
def instance(rds: Any, sandbox_cloud: Cloud, group: str) -> Iterator[str]:
    """One available instance that most tests look at and none destroys."""
    made = rds.create_db_instance(**order("main", DBName="registry", DBParameterGroupName=group))["DBInstance"]
    assert made["DBInstanceStatus"] == "creating" and "Endpoint" not in made
    until(lambda: status(rds, "main"), "available")
    yield "main"
    rds.delete_db_instance(DBInstanceIdentifier="main", SkipFinalSnapshot=True)


def test_an_instance_is_a_real_server_under_its_name(rds: Any, sandbox_cloud: Cloud, instance: str) -> None:
    place = database(sandbox_cloud, rds, instance)
    assert place.host.startswith("main.") and place.host.endswith(f".{sandbox_cloud['region']}.rds.amazonaws.com")
    assert place.port == sandbox_cloud["service_port"]
    told = rds.describe_db_engine_versions(Engine="postgres")["DBEngineVersions"]
    assert [version["EngineVersion"] for version in told] == [one(place, "SHOW server_version")]
    with pytest.raises(Exception, match="password authentication failed"):
        place.as_user("registry", "wrong").connect()
    with pytest.raises(psycopg.OperationalError, match=r"no pg_hba\.conf entry"):  # no physical copies, as on RDS
        address = place.resolve(place.host)
        psycopg.connect(host=address, port=place.port, user="registry", password=PASSWORD, replication="true")  # type: ignore[call-overload]  # libpq's own


def test_the_master_user_is_what_rds_makes_of_it(rds: Any, sandbox_cloud: Cloud, instance: str) -> None:
    place = database(sandbox_cloud, rds, instance)
    assert one(place, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
    for role in ("rds_superuser", "pg_monitor", "pg_signal_backend", "pg_maintain"):
        assert one(place, f"SELECT pg_has_role(current_user, '{role}', 'USAGE')") is True, role
    assert one(place, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'registry'") == "registry"
    with place.connect() as connection:
        connection.execute("CREATE ROLE app LOGIN PASSWORD 'x'")
        connection.execute("SET session_replication_role = replica")
        connection.execute("CREATE EXTENSION pg_trgm")
        connection.rollback()
    for forbidden in (
        "SELECT pg_read_file('/etc/passwd')",
        "COPY (SELECT 1) TO PROGRAM 'true'",
        "ALTER SYSTEM SET work_mem = '1GB'",
        "CREATE ROLE me SUPERUSER",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            one(place, forbidden)


def test_the_password_stands_nowhere(sandbox_cloud: Cloud, instance: str, tmp_path_factory: Any) -> None:
    folder = tmp_path_factory.getbasetemp()
    texts = [
        *folder.rglob("audit.jsonl"),
        *folder.rglob("data.log"),
        *folder.rglob("log"),
        *folder.rglob("sandbox.conf"),
    ]
    assert any(path.name == "audit.jsonl" and "CreateDBInstance" in path.read_text() for path in texts)
    assert not [path for path in texts if path.is_file() and PASSWORD in path.read_text(errors="replace")]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"EngineVersion": "11.1"}, "InvalidParameterCombination"),
        ({"DBInstanceClass": "db.t4g.enormous"}, "InvalidParameterValue"),
        ({"AllocatedStorage": 19}, "InvalidParameterValue"),
        ({"StorageType": "floppy"}, "InvalidParameterValue"),
        ({"Engine": "postgresql"}, "InvalidParameterValue"),
        ({"Engine": "mysql"}, "NotImplemented"),
        ({"DBInstanceIdentifier": "-bad-"}, "InvalidParameterValue"),
        ({"DBInstanceIdentifier": "MAIN"}, "DBInstanceAlreadyExists"),
        ({"MasterUsername": "rdsadmin"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "short"}, "InvalidParameterValue"),
        ({"MasterUserPassword": "with a/slash"}, "InvalidParameterValue"),
        ({"DBParameterGroupName": MISSING}, "DBParameterGroupNotFound"),
        ({"DBSubnetGroupName": MISSING}, "DBSubnetGroupNotFoundFault"),
        ({"KmsKeyId": MISSING}, "KMSKeyNotAccessibleFault"),
        ({"VpcSecurityGroupIds": ["sg-00000000"]}, "InvalidParameterValue"),
        ({"Port": 5432}, "NotImplemented"),
        ({"EnableIAMDatabaseAuthentication": True}, "NotImplemented"),
    ],
)
def test_a_bad_order_is_refused_and_leaves_nothing(rds: Any, instance: str, change: dict[str, Any], code: str) -> None:
    before = {found["DBInstanceIdentifier"] for found in rds.describe_db_instances()["DBInstances"]}
    assert code_of(rds.create_db_instance, **(order("bad") | change)) == code
    assert {found["DBInstanceIdentifier"] for found in rds.describe_db_instances()["DBInstances"]} == before


def test_static_parameters_wait_for_the_reboot_and_dynamic_ones_do_not(
    rds: Any, sandbox_cloud: Cloud, instance: str, group: str
) -> None:
    place = database(sandbox_cloud, rds, instance)

    def applied() -> str:
        told = rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]["DBParameterGroups"][0]
        return str(told["ParameterApplyStatus"])

    def modify(name: str, value: str, method: str) -> None:
        change = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
        rds.modify_db_parameter_group(DBParameterGroupName=group, Parameters=[change])

    modify("work_mem", "7168", "immediate")
    until(lambda: one(place, "SHOW work_mem"), "7MB")
    assert applied() == "in-sync"
    modify("rds.logical_replication", "1", "pending-reboot")
    assert (applied(), one(place, "SHOW wal_level")) == ("pending-reboot", "replica")
    rds.reboot_db_instance(DBInstanceIdentifier=instance)
    assert status(rds, instance) == "rebooting"
    until(lambda: status(rds, instance), "available")
    assert (applied(), one(place, "SHOW wal_level")) == ("in-sync", "logical")
    slot = "pg_create_logical_replication_slot('s', 'pgoutput', true)"
    assert one(place, f"SELECT slot_name FROM {slot}") == "s"
    user_set = rds.describe_db_parameters(DBParameterGroupName=group, Source="user")["Parameters"]
    assert {p["ParameterName"]: p["ParameterValue"] for p in user_set} == {
        "rds.logical_replication": "1",
        "work_mem": "7168",
    }


@pytest.mark.parametrize(
    ("name", "value", "method", "code"),
    [
        ("rds.logical_replication", "1", "immediate", "InvalidParameterCombination"),
        ("rds.force_ssl", "1", "immediate", "NotImplemented"),
        ("no_such_parameter", "1", "immediate", "InvalidParameterValue"),
        ("work_mem", "1", "immediate", "InvalidParameterValue"),
        ("data_directory", "elsewhere", "pending-reboot", "InvalidParameterValue"),
        ("archive_command", "true", "immediate", "InvalidParameterValue"),
    ],
)
def test_a_bad_parameter_is_refused(rds: Any, group: str, name: str, value: str, method: str, code: str) -> None:
    change = {"ParameterName": name, "ParameterValue": value, "ApplyMethod": method}
    assert code_of(rds.modify_db_parameter_group, DBParameterGroupName=group, Parameters=[change]) == code


def test_groups_are_refused_as_aws_refuses_them(rds: Any, instance: str, group: str) -> None:
    new = {"DBParameterGroupName": "x", "Description": "d"}
    assert code_of(rds.create_db_parameter_group, DBParameterGroupFamily="postgres9", **new) == "InvalidParameterValue"
    assert code_of(rds.delete_db_parameter_group, DBParameterGroupName=group) == "InvalidDBParameterGroupState"
    assert code_of(rds.delete_db_parameter_group, DBParameterGroupName=MISSING) == "DBParameterGroupNotFound"
    refused = code_of(
        rds.create_db_subnet_group, DBSubnetGroupName="n", DBSubnetGroupDescription="d", SubnetIds=["subnet-0"]
    )
    assert refused == "InvalidSubnet"


def test_a_subnet_group_spans_zones_and_is_described_with_the_instance(rds: Any, sandbox_cloud: Cloud) -> None:
    ec2 = client(sandbox_cloud, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=zones[n])["Subnet"]["SubnetId"]
        for n in (0, 1)
    ]
    new = {"DBSubnetGroupName": "net", "DBSubnetGroupDescription": "d"}
    assert code_of(rds.create_db_subnet_group, SubnetIds=subnets[:1], **new) == "DBSubnetGroupDoesNotCoverEnoughAZs"
    made = rds.create_db_subnet_group(SubnetIds=subnets, **new)["DBSubnetGroup"]
    assert (made["VpcId"], len(made["Subnets"])) == (vpc, 2)


def test_a_snapshot_restores_to_another_address(rds: Any, sandbox_cloud: Cloud, instance: str) -> None:
    place = database(sandbox_cloud, rds, instance)
    with place.connect() as connection:
        connection.execute("CREATE TABLE kept AS SELECT n, 'ข้อความ ' || n AS t FROM generate_series(1, 5000) n")
    whole = "SELECT count(*) || ' ' || sum(hashtextextended(k::text, 0)) FROM kept k"
    before = one(place, whole)
    taken = rds.create_db_snapshot(DBInstanceIdentifier=instance, DBSnapshotIdentifier="drill")["DBSnapshot"]
    assert taken["Status"] == "creating"
    restore = {"DBInstanceIdentifier": "restored", "DBSnapshotIdentifier": "drill"}
    assert code_of(rds.restore_db_instance_from_db_snapshot, **restore) == "InvalidDBSnapshotState"
    assert code_of(rds.create_db_snapshot, DBInstanceIdentifier=instance, DBSnapshotIdentifier="d2") == (
        "InvalidDBInstanceState"
    )
    until(lambda: rds.describe_db_snapshots(DBSnapshotIdentifier="drill")["DBSnapshots"][0]["Status"], "available")
    until(lambda: status(rds, instance), "available")
    with place.connect() as connection:
        connection.execute("TRUNCATE kept")
    rds.restore_db_instance_from_db_snapshot(**restore)
    until(lambda: status(rds, "restored"), "available")
    copy = database(sandbox_cloud, rds, "restored")
    assert copy.resolve(copy.host) != place.resolve(place.host)
    assert (one(copy, whole), one(place, "SELECT count(*) FROM kept")) == (before, 0)
    told = rds.describe_db_instances(DBInstanceIdentifier="restored")["DBInstances"][0]
    assert told["DBParameterGroups"][0]["DBParameterGroupName"].startswith("default."), "as on RDS"
    rds.delete_db_instance(DBInstanceIdentifier="restored", SkipFinalSnapshot=True)


def test_deleting_closes_the_port_and_the_name_unless_protected(rds: Any, sandbox_cloud: Cloud) -> None:
    rds.create_db_instance(
        **order("short", DBName="registry", DeletionProtection=True, Tags=[{"Key": "k", "Value": "v"}])
    )
    assert code_of(rds.delete_db_instance, DBInstanceIdentifier="short", SkipFinalSnapshot=True) == (
        "InvalidDBInstanceState"
    )
    until(lambda: status(rds, "short"), "available")
    place = database(sandbox_cloud, rds, "short")
    address = place.resolve(place.host)
    named = rds.describe_db_instances(DBInstanceIdentifier="short")["DBInstances"][0]["DBInstanceArn"]
    assert rds.list_tags_for_resource(ResourceName=named)["TagList"] == [{"Key": "k", "Value": "v"}]
    assert code_of(rds.delete_db_instance, DBInstanceIdentifier="short", SkipFinalSnapshot=True) == (
        "InvalidParameterCombination"
    )
    rds.modify_db_instance(DBInstanceIdentifier="short", DeletionProtection=False)
    assert code_of(rds.delete_db_instance, DBInstanceIdentifier="short") == "InvalidParameterCombination"
    rds.delete_db_instance(DBInstanceIdentifier="short", FinalDBSnapshotIdentifier="last")
    until(lambda: status(rds, "short"), "gone")
    with pytest.raises(OSError):
        socket.create_connection((address, place.port), timeout=1)
    with pytest.raises(Exception, match="NXDOMAIN"):
        place.resolve(place.host)
    assert rds.describe_db_snapshots(DBSnapshotIdentifier="last")["DBSnapshots"][0]["Status"] == "available"


def test_changes_come_at_once_or_wait_to_be_applied(rds: Any, sandbox_cloud: Cloud, instance: str) -> None:
    def told() -> Any:
        return rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]

    rds.modify_db_instance(DBInstanceIdentifier=instance, DBInstanceClass="db.t4g.large")
    assert (told()["DBInstanceClass"], told()["PendingModifiedValues"]) == (
        "db.t4g.medium",
        {"DBInstanceClass": "db.t4g.large"},
    )
    rds.modify_db_instance(DBInstanceIdentifier=instance, AllocatedStorage=30, ApplyImmediately=True)
    assert told()["DBInstanceStatus"] == "modifying"
    until(lambda: told()["DBInstanceStatus"], "available")
    assert (told()["DBInstanceClass"], told()["AllocatedStorage"]) == ("db.t4g.large", 30)
    shrink = {"DBInstanceIdentifier": instance, "AllocatedStorage": 20, "ApplyImmediately": True}
    assert code_of(rds.modify_db_instance, **shrink) == "InvalidParameterCombination"
    rds.modify_db_instance(DBInstanceIdentifier=instance, MasterUserPassword=PASSWORD + "2")
    until(lambda: told()["DBInstanceStatus"], "available")
    place = database(sandbox_cloud, rds, instance)
    assert one(place.as_user("registry", PASSWORD + "2"), "SELECT 1") == 1
    rds.modify_db_instance(DBInstanceIdentifier=instance, MasterUserPassword=PASSWORD)
    until(lambda: told()["DBInstanceStatus"], "available")


def test_a_managed_password_is_in_secrets_manager(rds: Any, sandbox_cloud: Cloud) -> None:
    wanted = order("managed", DBName="registry", ManageMasterUserPassword=True)
    del wanted["MasterUserPassword"]
    secret = rds.create_db_instance(**wanted)["DBInstance"]["MasterUserSecret"]["SecretArn"]
    until(lambda: status(rds, "managed"), "available")
    kept = client(sandbox_cloud, "secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    password = kept.split('"password": "')[1].split('"')[0]
    assert one(database(sandbox_cloud, rds, "managed").as_user("registry", password), "SELECT 1") == 1
    rds.delete_db_instance(DBInstanceIdentifier="managed", SkipFinalSnapshot=True)


def test_what_is_not_done_says_so(rds: Any, instance: str) -> None:
    replica = {"DBInstanceIdentifier": "r", "SourceDBInstanceIdentifier": instance}
    assert code_of(rds.create_db_instance_read_replica, **replica) == "NotImplemented"
    assert (
        code_of(rds.describe_db_instances, Filters=[{"Name": "colour", "Values": ["red"]}]) == "InvalidParameterValue"
    )
    assert code_of(rds.describe_db_instances, DBInstanceIdentifier=MISSING) == "DBInstanceNotFound"


def test_lists_are_filtered_and_paged(rds: Any, instance: str) -> None:
    filtered = rds.describe_db_instances(Filters=[{"Name": "db-instance-id", "Values": [instance]}])["DBInstances"]
    assert [found["DBInstanceIdentifier"] for found in filtered] == [instance]
    pages = list(rds.get_paginator("describe_db_parameters").paginate(DBParameterGroupName="own"))
    names = [parameter["ParameterName"] for each in pages for parameter in each["Parameters"]]
    assert len(pages) > 3 and len(names) == len(set(names)) and {"work_mem", "rds.logical_replication"} <= set(names)
    options = rds.describe_orderable_db_instance_options(Engine="postgres", DBInstanceClass="db.t4g.medium")
    assert {option["StorageType"] for option in options["OrderableDBInstanceOptions"]} >= {"gp2", "gp3"}
