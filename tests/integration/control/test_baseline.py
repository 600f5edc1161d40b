"""What a new account's baseline rests on: trail, recorder, key, budget, public access, network, quotas."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sandbox_process import Cloud, ask, client, wait_for

REGION = "ap-southeast-7"
ALL_BLOCKED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def bucket(cloud: Cloud, session: dict[str, str], name: str, service: str | None = None) -> Any:
    """A bucket that lets an AWS service write below AWSLogs/."""
    s3 = client(cloud, "s3", REGION, session)
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    if service:
        s3.put_bucket_policy(Bucket=name, Policy=delivery_policy(name, service))
    return s3


def delivery_policy(name: str, service: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{name}/AWSLogs/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control"}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def records(s3: Any, name: str) -> list[dict[str, Any]]:
    keys = [row["Key"] for row in s3.list_objects_v2(Bucket=name).get("Contents", []) if row["Key"].endswith(".gz")]
    files = [json.loads(gzip.decompress(s3.get_object(Bucket=name, Key=key)["Body"].read())) for key in keys]
    return [record for file in files for record in file["Records"]]


def test_a_trail_delivers_what_happens_from_then_on(cloud: Cloud, member: str, session: dict[str, str]) -> None:
    s3, trails = bucket(cloud, session, "trail-bucket"), client(cloud, "cloudtrail", REGION, session)
    asked = {"Name": "main", "S3BucketName": "trail-bucket", "IsMultiRegionTrail": True}
    assert refusal(trails.create_trail, **asked) == "InsufficientS3BucketPolicyException"
    s3.put_bucket_policy(Bucket="trail-bucket", Policy=delivery_policy("trail-bucket", "cloudtrail.amazonaws.com"))
    assert refusal(trails.create_trail, **{**asked, "S3BucketName": "absent"}) == "S3BucketDoesNotExistException"
    trails.create_trail(**asked)
    assert refusal(trails.create_trail, **asked) == "TrailAlreadyExistsException"
    status = trails.get_trail_status(Name="main")
    assert status["IsLogging"] is False and "LatestDeliveryTime" not in status
    trails.start_logging(Name="main")
    wait_for(lambda: "LatestDeliveryTime" in trails.get_trail_status(Name="main"))
    client(cloud, "iam", session=session).create_group(GroupName="seen-by-trail")
    client(cloud, "iam").create_group(GroupName="elsewhere")
    found = wait_for(lambda: [r for r in records(s3, "trail-bucket") if r["eventName"] == "CreateGroup"])
    assert [(r["requestParameters"], r["recipientAccountId"]) for r in found] == [
        ({"GroupName": "seen-by-trail"}, member)
    ]
    assert "CreateTrail" not in {r["eventName"] for r in records(s3, "trail-bucket")}  # it was not logging yet
    s3.delete_bucket_policy(Bucket="trail-bucket")
    client(cloud, "iam", session=session).create_group(GroupName="undeliverable")
    wait_for(lambda: trails.get_trail_status(Name="main").get("LatestDeliveryError"))
    trails.stop_logging(Name="main")
    assert trails.get_trail_status(Name="main")["IsLogging"] is False
    assert not [e for e in ask(cloud, "audit")["entries"] if e["params"].get("Key", "").startswith("AWSLogs/")]


def test_a_recorder_needs_its_role_and_a_bucket_that_takes_its_file(
    cloud: Cloud, member: str, session: dict[str, str]
) -> None:
    config, iam = client(cloud, "config", REGION, session), client(cloud, "iam", session=session)
    recorder = {"name": "default", "roleARN": f"arn:aws:iam::{member}:role/absent"}
    assert refusal(config.put_configuration_recorder, ConfigurationRecorder=recorder) == "InvalidRoleException"
    made = iam.create_service_linked_role(AWSServiceName="config.amazonaws.com")["Role"]
    assert made["RoleName"] == "AWSServiceRoleForConfig"
    assert refusal(iam.create_service_linked_role, AWSServiceName="config.amazonaws.com") == "InvalidInput"
    config.put_configuration_recorder(ConfigurationRecorder={**recorder, "roleARN": made["Arn"]})
    s3 = bucket(cloud, session, "config-bucket")

    def channel(name: str) -> dict[str, Any]:
        return {"DeliveryChannel": {"name": "default", "s3BucketName": name}}

    put = config.put_delivery_channel
    assert refusal(put, **channel("absent-bucket")) == "NoSuchBucketException"
    assert refusal(put, **channel("config-bucket")) == "InsufficientDeliveryPolicyException"
    s3.put_bucket_policy(Bucket="config-bucket", Policy=delivery_policy("config-bucket", "config.amazonaws.com"))
    put(**channel("config-bucket"))
    assert [row["Key"] for row in s3.list_objects_v2(Bucket="config-bucket")["Contents"]] == [
        f"AWSLogs/{member}/Config/ConfigWritabilityCheckFile"
    ]
    config.start_configuration_recorder(ConfigurationRecorderName="default")

    def status() -> dict[str, Any]:
        return dict(config.describe_configuration_recorder_status()["ConfigurationRecordersStatus"][0])

    assert status()["recording"] is True
    wait_for(lambda: status()["lastStatus"] == "SUCCESS")


def test_a_key_works_until_it_is_switched_off(cloud: Cloud, session: dict[str, str]) -> None:
    kms = client(cloud, "kms", REGION, session)
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/main", TargetKeyId=key)
    sealed = kms.encrypt(KeyId="alias/main", Plaintext=b"secret")["CiphertextBlob"]
    assert kms.decrypt(CiphertextBlob=sealed)["Plaintext"] == b"secret"
    assert kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"] is False
    kms.enable_key_rotation(KeyId=key, RotationPeriodInDays=180)
    assert kms.get_key_rotation_status(KeyId=key)["RotationPeriodInDays"] == 180
    kms.disable_key(KeyId=key)
    assert refusal(kms.decrypt, CiphertextBlob=sealed) == "DisabledException"
    assert refusal(kms.encrypt, KeyId="alias/main", Plaintext=b"x") == "DisabledException"
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert refusal(kms.generate_data_key, KeyId=key, KeySpec="AES_256") == "KMSInvalidStateException"
    assert refusal(kms.create_key, Policy="no policy") == "MalformedPolicyDocumentException"


def test_a_budget_belongs_to_its_account_and_tells_somebody(cloud: Cloud, member: str, session: dict[str, str]) -> None:
    budgets = client(cloud, "budgets", session=session)
    notification = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
    person = {"SubscriptionType": "EMAIL", "Address": "finance@x.example"}
    limit = {"Amount": "100", "Unit": "USD"}
    asked = {
        "AccountId": member,
        "Budget": {"BudgetName": "monthly", "BudgetLimit": limit, "TimeUnit": "MONTHLY", "BudgetType": "COST"},
        "NotificationsWithSubscribers": [{"Notification": notification, "Subscribers": [person]}],
    }
    assert refusal(client(cloud, "budgets").create_budget, **asked) == "AccessDeniedException"
    budgets.create_budget(**asked)
    assert refusal(budgets.create_budget, **asked) == "DuplicateRecordException"
    named = {"AccountId": member, "BudgetName": "monthly"}
    assert budgets.describe_budget(**named)["Budget"]["BudgetLimit"] == limit
    told = budgets.describe_subscribers_for_notification(**named, Notification=notification)["Subscribers"]
    assert told == [person]
    other = {**notification, "Threshold": 90.0}
    assert refusal(budgets.describe_subscribers_for_notification, **named, Notification=other) == "NotFoundException"


def test_public_access_is_really_blocked(cloud: Cloud, member: str, session: dict[str, str]) -> None:
    control, s3 = client(cloud, "s3control", REGION, session), bucket(cloud, session, "public-bucket")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::public-bucket/*",
    }
    public = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refusal(control.get_public_access_block, AccountId=member) == "NoSuchPublicAccessBlockConfiguration"
    assert refusal(client(cloud, "s3control").get_public_access_block, AccountId=member) == "AccessDenied"
    control.put_public_access_block(AccountId=member, PublicAccessBlockConfiguration=ALL_BLOCKED)
    assert control.get_public_access_block(AccountId=member)["PublicAccessBlockConfiguration"] == ALL_BLOCKED
    assert refusal(s3.put_bucket_policy, Bucket="public-bucket", Policy=public) == "AccessDenied"
    assert refusal(s3.put_bucket_acl, Bucket="public-bucket", ACL="public-read") == "AccessDenied"
    control.delete_public_access_block(AccountId=member)
    s3.put_bucket_policy(Bucket="public-bucket", Policy=public)


def test_a_network_keeps_its_ranges_apart(cloud: Cloud, session: dict[str, str]) -> None:
    ec2 = client(cloud, "ec2", REGION, session)
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    ec2.create_subnet(VpcId=vpc, CidrBlock="10.20.0.0/24")
    assert refusal(ec2.create_subnet, VpcId=vpc, CidrBlock="10.20.0.128/25") == "InvalidSubnet.Conflict"
    assert refusal(ec2.create_subnet, VpcId=vpc, CidrBlock="10.30.0.0/24") == "InvalidSubnet.Range"
    assert refusal(ec2.create_vpc, CidrBlock="10.0.0.0/8") == "InvalidVpc.Range"


def test_an_alias_is_one_accounts_only(cloud: Cloud, session: dict[str, str]) -> None:
    client(cloud, "iam", session=session).create_account_alias(AccountAlias="p02-prod")
    taken = client(cloud, "iam").create_account_alias
    assert refusal(taken, AccountAlias="p02-prod") == "EntityAlreadyExists"


def test_a_higher_quota_is_asked_for_once_and_waits_for_a_person(cloud: Cloud) -> None:
    quotas = client(cloud, "service-quotas")
    named = {"ServiceCode": "organizations", "QuotaCode": "L-E619E033"}
    assert refusal(quotas.request_service_quota_increase, **named, DesiredValue=1) == "IllegalArgumentException"
    made = quotas.request_service_quota_increase(**named, DesiredValue=500)["RequestedQuota"]
    assert made["Status"] == "PENDING"
    again = refusal(quotas.request_service_quota_increase, **named, DesiredValue=600)
    assert again == "ResourceAlreadyExistsException"
    assert quotas.get_service_quota(**named)["Quota"]["Value"] == 100
    assert refusal(quotas.get_service_quota, ServiceCode="organizations", QuotaCode="L-00000000") == (
        "NoSuchResourceException"
    )
    listed = quotas.list_service_quotas(ServiceCode="organizations")["Quotas"]
    assert [one["QuotaCode"] for one in listed] == ["L-E619E033"]
