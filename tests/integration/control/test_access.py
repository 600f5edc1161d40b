"""Who gets in where: roles, regions, and people through Identity Center."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sandbox_process import Cloud, ask, assume, client, into, vend, wait_for

REGION = "ap-southeast-7"


def refusal(call: Any, *arguments: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(*arguments, **parameters)
    return str(caught.value.response["Error"]["Code"])


def trust(principal: str, condition: dict[str, Any] | None = None) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role(cloud: Cloud, session: dict[str, str], name: str, document: str) -> str:
    made = client(cloud, "iam", session=session).create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


def test_a_role_wants_its_external_id(cloud: Cloud, member: str, session: dict[str, str]) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "ext-of-p02"}}
    arn = role(cloud, session, "external", trust(f"arn:aws:iam::{cloud['management_account']}:root", condition))
    assert refusal(assume, cloud, arn) == "AccessDenied"
    assert refusal(assume, cloud, arn, ExternalId="another") == "AccessDenied"
    entered = assume(cloud, arn, ExternalId="ext-of-p02")
    identity = client(cloud, "sts", session=entered).get_caller_identity()
    assert identity["Account"] == member
    assert identity["Arn"] == f"arn:aws:sts::{member}:assumed-role/external/test"


def test_a_role_lets_in_only_whom_it_names(cloud: Cloud, member: str, session: dict[str, str]) -> None:
    arn = role(cloud, session, "own", trust(f"arn:aws:iam::{member}:root"))
    assert refusal(assume, cloud, arn) == "AccessDenied"
    assert assume(cloud, arn, session)["AccessKeyId"] != session["AccessKeyId"]
    assert refusal(assume, cloud, f"arn:aws:iam::{member}:role/no-such") == "AccessDenied"
    assert refusal(assume, cloud, "arn:aws:iam::000000000001:role/OrganizationAccountAccessRole") == "AccessDenied"


def test_a_denial_in_the_trust_policy_wins(cloud: Cloud, session: dict[str, str]) -> None:
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    denied = {**everybody, "Effect": "Deny", "Condition": {"StringLike": {"sts:RoleSessionName": "test*"}}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [everybody, denied]})
    assert refusal(assume, cloud, role(cloud, session, "denied", document)) == "AccessDenied"


@pytest.mark.parametrize(("hours", "opens"), [(1, True), (-1, False)])
def test_access_may_have_an_end(cloud: Cloud, session: dict[str, str], hours: int, opens: bool) -> None:
    end = (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")
    document = trust(cloud["management_account"], {"DateLessThan": {"aws:CurrentTime": end}})
    arn = role(cloud, session, f"timed{hours}", document)
    if opens:
        assert assume(cloud, arn)
    else:
        assert refusal(assume, cloud, arn) == "AccessDenied"


def test_a_condition_that_is_not_understood_opens_nothing(cloud: Cloud, session: dict[str, str]) -> None:
    document = trust(cloud["management_account"], {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}})
    assert refusal(assume, cloud, role(cloud, session, "odd", document)) == "NotImplemented"


def test_a_trust_policy_names_principals_that_exist(cloud: Cloud, member: str, session: dict[str, str]) -> None:
    create = client(cloud, "iam", session=session).create_role
    for absent in ("arn:aws:iam::000000000001:root", f"arn:aws:iam::{member}:role/absent", "000000000001"):
        asked = {"RoleName": "bad", "AssumeRolePolicyDocument": trust(absent)}
        assert refusal(create, **asked) == "MalformedPolicyDocument"


def test_sessions_last_no_longer_than_the_role_allows(cloud: Cloud, session: dict[str, str]) -> None:
    arn = role(cloud, session, "short", trust(cloud["management_account"]))
    sts = client(cloud, "sts")
    asked = {"RoleArn": arn, "RoleSessionName": "test", "DurationSeconds": 7200}
    assert refusal(sts.assume_role, **asked) == "ValidationError"
    assert refusal(sts.get_session_token) == "NotImplemented"


def test_a_session_needs_its_own_token(cloud: Cloud, session: dict[str, str]) -> None:
    other = {**session, "SessionToken": "x" * 40}
    assert refusal(client(cloud, "sts", session=other).get_caller_identity) == "InvalidClientTokenId"


def test_an_account_waits_its_opt_in_region_on(cloud: Cloud) -> None:
    ask(cloud, "settings", {"seconds_to_enable_region": 0.6})
    entered = into(cloud, vend(cloud, "regional"))
    regions = client(cloud, "account", session=entered)

    def status() -> str:
        return str(regions.get_region_opt_status(RegionName=REGION)["RegionOptStatus"])

    assert status() == "DISABLED"
    assert refusal(client(cloud, "ec2", REGION, entered).describe_vpcs) == "AuthFailure"
    assert refusal(client(cloud, "sts", REGION, entered).get_caller_identity) == "InvalidClientTokenId"
    assert refusal(client(cloud, "kms", REGION, entered).list_keys) == "UnrecognizedClientException"
    assert client(cloud, "iam", REGION, entered).list_roles()["Roles"]  # global: no region to be switched on
    assert client(cloud, "ec2", "ap-southeast-1", entered).describe_vpcs()["Vpcs"]
    regions.enable_region(RegionName=REGION)
    assert status() == "ENABLING"
    assert refusal(regions.enable_region, RegionName=REGION) == "ConflictException"
    assert refusal(client(cloud, "ec2", REGION, entered).describe_vpcs) == "AuthFailure"
    wait_for(lambda: status() == "ENABLED")
    assert client(cloud, "ec2", REGION, entered).describe_vpcs()["Vpcs"]
    regions.enable_region(RegionName=REGION)  # already: nothing to do
    enabled = regions.list_regions(RegionOptStatusContains=["ENABLED"])["Regions"]
    assert enabled == [{"RegionName": REGION, "RegionOptStatus": "ENABLED"}]
    assert refusal(regions.enable_region, RegionName="us-east-1") == "ValidationException"
    assert refusal(regions.enable_region, RegionName="th-bangkok-1") == "ValidationException"


def test_the_management_account_acts_for_members_only_when_trusted(cloud: Cloud, member: str) -> None:
    regions, organizations = client(cloud, "account"), client(cloud, "organizations")
    service = "account.amazonaws.com"
    organizations.disable_aws_service_access(ServicePrincipal=service)
    asked = {"AccountId": member, "RegionName": "ap-east-1"}
    assert refusal(regions.enable_region, **asked) == "AccessDeniedException"
    organizations.enable_aws_service_access(ServicePrincipal=service)
    regions.enable_region(**asked)
    assert regions.get_region_opt_status(**asked)["RegionOptStatus"] in ("ENABLING", "ENABLED")
    assert refusal(regions.get_region_opt_status, **{**asked, "AccountId": cloud["management_account"]}) == (
        "ValidationException"
    )


class Center:
    """Identity Center with one group and one permission set."""

    def __init__(self, cloud: Cloud, name: str) -> None:
        self.admin, self.people = client(cloud, "sso-admin", REGION), client(cloud, "identitystore", REGION)
        instance = self.admin.list_instances()["Instances"][0]
        self.instance, self.store = instance["InstanceArn"], instance["IdentityStoreId"]
        made = self.admin.create_permission_set(Name=name, InstanceArn=self.instance, SessionDuration="PT4H")
        self.set = made["PermissionSet"]["PermissionSetArn"]
        self.admin.attach_managed_policy_to_permission_set(
            InstanceArn=self.instance,
            PermissionSetArn=self.set,
            ManagedPolicyArn="arn:aws:iam::aws:policy/SecurityAudit",
        )
        self.group = self.people.create_group(IdentityStoreId=self.store, DisplayName=f"ผู้ตรวจ {name}")["GroupId"]

    def asked(self, account: str, **other: str) -> dict[str, str]:
        return {
            "InstanceArn": self.instance,
            "TargetId": account,
            "TargetType": "AWS_ACCOUNT",
            "PermissionSetArn": self.set,
            "PrincipalType": "GROUP",
            "PrincipalId": self.group,
            **other,
        }

    def assign(self, account: str, **other: str) -> dict[str, Any]:
        """The creation's final status."""
        made = self.admin.create_account_assignment(**self.asked(account, **other))["AccountAssignmentCreationStatus"]
        assert made["Status"] == "IN_PROGRESS"

        def status() -> dict[str, Any]:
            described = self.admin.describe_account_assignment_creation_status(
                InstanceArn=self.instance, AccountAssignmentCreationRequestId=made["RequestId"]
            )
            return dict(described["AccountAssignmentCreationStatus"])

        wait_for(lambda: status()["Status"] != "IN_PROGRESS")
        return status()

    def assigned(self, account: str) -> list[str]:
        rows = self.admin.list_account_assignments(
            InstanceArn=self.instance, AccountId=account, PermissionSetArn=self.set
        )["AccountAssignments"]
        return [row["PrincipalId"] for row in rows]


def test_access_is_given_to_somebody_in_some_account(cloud: Cloud, member: str, session: dict[str, str]) -> None:
    center = Center(cloud, "Auditor")
    nobody = "00000000-0000-0000-0000-000000000000"
    assert center.assign("000000000001")["Status"] == "FAILED"
    assert center.assign(member, PrincipalId=nobody)["Status"] == "FAILED"
    absent = {"PermissionSetArn": center.set[:-16] + "0" * 16}
    asked = center.asked(member, **absent)
    assert refusal(center.admin.create_account_assignment, **asked) == "ResourceNotFoundException"
    assert center.assigned(member) == []
    assert center.assign(member)["Status"] == "SUCCEEDED"
    assert center.assigned(member) == [center.group]
    iam = client(cloud, "iam", session=session)
    roles = [one for one in iam.list_roles()["Roles"] if one["RoleName"].startswith("AWSReservedSSO_Auditor_")]
    assert len(roles) == 1
    attached = iam.list_attached_role_policies(RoleName=roles[0]["RoleName"])["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == ["SecurityAudit"]
    assert center.assign(member)["Status"] == "SUCCEEDED"  # twice is once
    assert center.assigned(member) == [center.group]


def test_access_is_taken_away_again(cloud: Cloud, member: str) -> None:
    center = Center(cloud, "Guest")
    assert refusal(center.admin.delete_account_assignment, **center.asked(member)) == "ResourceNotFoundException"
    center.assign(member)
    center.admin.delete_account_assignment(**center.asked(member))
    wait_for(lambda: center.assigned(member) == [])


def test_identity_center_has_one_home_and_one_store(cloud: Cloud, session: dict[str, str]) -> None:
    center = Center(cloud, "Home")
    assert client(cloud, "sso-admin", "us-east-1").list_instances()["Instances"] == []
    assert client(cloud, "sso-admin", REGION, session).list_instances()["Instances"] == []
    create = center.people.create_group
    assert refusal(create, IdentityStoreId="d-0000000000", DisplayName="x") == "ResourceNotFoundException"
    again = {"Name": "Home", "InstanceArn": center.instance}
    assert refusal(center.admin.create_permission_set, **again) == "ConflictException"
