"""Buckets, instances and backups in the running sandbox: real servers, made once, found again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from once_in_memory import OnceInMemory

from onboarding import backups, targets
from onboarding.addresses import Database
from onboarding.aws import Cloud
from onboarding.baseline import key, network
from onboarding.effects import Effects
from onboarding.errors import Stop, TryAgain
from onboarding.look_ups import resolver
from onboarding.manifest import Manifest
from onboarding.manifests import load_file
from onboarding.observations import Answer, Observation

PILOTS = Path(__file__).parents[2] / "include" / "pilots"
WORKLOAD = "assets"
WITHIN_S = 120


def utc_now() -> datetime:
    return datetime.now(UTC)


def wait_for(look: Callable[[], Observation]) -> Observation:
    """The first observation that is not unknown."""
    deadline = time.monotonic() + WITHIN_S
    while (seen := look()).answer is Answer.UNKNOWN:
        assert time.monotonic() < deadline, f"still unknown: {seen}"
        time.sleep(0.2)
    return seen


class Place:
    """An account with a key and a network, and what the migration stage asks for in it."""

    def __init__(self, ready: dict[str, Any]) -> None:
        self.manifest: Manifest = load_file(PILOTS / "p09.yaml")
        session = boto3.Session(ready["access_key"], ready["secret_key"])
        self.cloud = Cloud(session, self.manifest.region, ready.get("aws_endpoint_url") or ready["endpoint"])
        self.account, self.resolve = ready["management_account"], resolver(ready["nameserver"])
        self.once, self.port = OnceInMemory(), int(ready["service_port"])
        self.s3, self.rds = self.cloud.client("s3"), self.cloud.client("rds")
        self.secrets, self.ec2 = self.cloud.client("secretsmanager"), self.cloud.client("ec2")
        self.key = key.ensure_key(self.cloud.client("kms"), self.effects)
        network.ensure_network(self.ec2, self.effects, self.manifest, ())

    @property
    def effects(self) -> Effects:
        return Effects(self.once, self.account)

    def placement(self) -> targets.Placement:
        subnets = [subnet["SubnetId"] for subnet in network.subnets(self.ec2, network.vpc_of(self.ec2, self.manifest))]
        group = targets.ensure_subnet_group(self.rds, self.effects, "namrong-p09", subnets)
        return targets.Placement(group, network.ensure_database_group(self.ec2, self.effects, self.manifest))

    def request(self) -> str:
        version, family = targets.newest_version(self.rds)
        targets.ensure_parameter_group(self.rds, self.effects, "namrong-p09", family)
        targets.ensure_master_password(self.secrets, self.effects, self.manifest, WORKLOAD)
        return targets.request_instance(
            self.rds,
            self.effects,
            self.manifest,
            self.manifest.databases[0],
            version=version,
            group="namrong-p09",
            network=self.placement(),
            port=self.port,
            key_arn=self.key,
            password=targets.master_password(self.secrets, self.manifest, WORKLOAD),
        )

    def connect(self, instance: str) -> Any:
        host, port = targets.instance_address(self.rds, instance)
        password = targets.master_password(self.secrets, self.manifest, WORKLOAD)
        return Database(host, port, "postgres", targets.MASTER, password, self.resolve).connect(autocommit=True)


@pytest.fixture(scope="module")
def place(sandbox_cloud: dict[str, Any]) -> Place:
    return Place(sandbox_cloud)


@pytest.fixture(scope="module")
def instance(place: Place) -> str:
    name = place.request()
    seen = wait_for(lambda: targets.observe_instance(place.rds, name, utc_now()))
    assert seen.answer is Answer.PASS, seen
    return name


def test_bucket_names_follow_the_rules(place: Place) -> None:
    name = targets.bucket_name(place.manifest, "a_long_name", place.account)
    assert name == f"namrong-p09-a-long-name-{place.account}"
    assert len(targets.bucket_name(place.manifest, "a" * 31, place.account)) <= 63


def test_a_bucket_is_made_closed_and_stays_so(place: Place) -> None:
    name = targets.bucket_name(place.manifest, "scans", place.account)
    for _ in range(2):
        targets.ensure_bucket(place.s3, place.effects, name, place.key)
        assert targets.observe_bucket(place.s3, name, place.key, utc_now()).answer is Answer.PASS


@pytest.mark.parametrize(
    "breaks",
    [
        lambda s3, name: s3.delete_public_access_block(Bucket=name),
        lambda s3, name: s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Suspended"}),
        lambda s3, name: s3.delete_bucket_policy(Bucket=name),
        lambda s3, name: s3.put_bucket_encryption(
            Bucket=name,
            ServerSideEncryptionConfiguration={
                "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
            },
        ),
    ],
)
def test_a_bucket_that_somebody_opens_fails_until_the_task_is_cleared(
    place: Place, breaks: Callable[[Any, str], Any]
) -> None:
    name = targets.bucket_name(place.manifest, "opened", place.account)
    targets.ensure_bucket(place.s3, place.effects, name, place.key)
    breaks(place.s3, name)
    assert targets.observe_bucket(place.s3, name, place.key, utc_now()).answer is Answer.FAIL
    targets.ensure_bucket(place.s3, place.effects, name, place.key)
    assert targets.observe_bucket(place.s3, name, place.key, utc_now()).answer is Answer.PASS


def test_an_instance_is_a_real_server_with_logical_replication(place: Place, instance: str) -> None:
    with place.connect(instance) as connection:
        assert connection.execute("SHOW wal_level").fetchone() == ("logical",)
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone() == (False,)


def test_asked_again_or_with_a_lost_ledger_it_is_the_same_instance(place: Place, instance: str) -> None:
    made = place.rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]["DbiResourceId"]
    remembered, place.once = place.once, OnceInMemory()
    try:
        assert place.request() == instance
    finally:
        place.once = remembered
    assert place.request() == instance
    now = place.rds.describe_db_instances(DBInstanceIdentifier=instance)["DBInstances"][0]
    assert now["DbiResourceId"] == made
    assert targets.observe_instance(place.rds, instance, utc_now()).answer is Answer.PASS


def test_the_password_is_in_no_intent_and_no_result(place: Place, instance: str) -> None:
    password = targets.master_password(place.secrets, place.manifest, WORKLOAD)
    assert len(password) >= 32
    assert password not in json.dumps([place.once.intents, place.once.results])


def test_an_instance_that_nobody_asked_for_is_unknown_and_has_no_address(place: Place) -> None:
    assert targets.observe_instance(place.rds, "p09-nothing", utc_now()).answer is Answer.UNKNOWN
    with pytest.raises(TryAgain):
        targets.instance_address(place.rds, "p09-nothing")


def test_a_backup_is_restored_with_what_was_in_it(place: Place, instance: str) -> None:
    with place.connect(instance) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS before_backup AS SELECT 'น้ำ' AS word")
    snapshot, drill = "p09-assets-backup", "p09-assets-backup-drill"
    for _ in range(2):
        backups.request_snapshot(place.rds, place.effects, snapshot, of=instance)
    seen = wait_for(lambda: backups.observe_snapshot(place.rds, snapshot, utc_now()))
    assert seen.answer is Answer.PASS, seen
    with place.connect(instance) as connection:
        connection.execute("CREATE TABLE after_backup (id int)")
    for _ in range(2):
        backups.request_restore(
            place.rds,
            place.effects,
            drill,
            snapshot=snapshot,
            instance_class=place.manifest.databases[0].target.instance_class,
            group="namrong-p09",
            network=place.placement(),
        )
    seen = wait_for(lambda: targets.observe_instance(place.rds, drill, utc_now()))
    assert seen.answer is Answer.PASS, seen
    with place.connect(drill) as connection:
        assert connection.execute("SELECT word FROM before_backup").fetchone() == ("น้ำ",)
        assert connection.execute("SELECT to_regclass('after_backup')").fetchone() == (None,)
    for _ in range(2):
        backups.remove_restored(place.rds, drill)
    with place.connect(instance) as connection:
        assert connection.execute("SELECT word FROM before_backup").fetchone() == ("น้ำ",)


def test_a_bucket_name_of_somebody_else_stops(place: Place) -> None:
    class Taken:
        """S3 as it answers for a bucket of another account."""

        meta = place.s3.meta

        def head_bucket(self, **_: Any) -> None:
            from fake_organizations import refusal

            raise refusal("403", "HeadBucket", 403)

    with pytest.raises(Stop, match="somebody else"):
        targets.ensure_bucket(Taken(), Effects(OnceInMemory(), "1"), "namrong-taken", place.key)  # type: ignore[arg-type]
