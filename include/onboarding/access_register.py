"""What Identity Center holds about a pilot's access: its permission set, who has it, and the last request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from onboarding.errors import AskPerson
from onboarding.manifest import Manifest
from onboarding.policy_documents import document, same_policy

if TYPE_CHECKING:
    from mypy_boto3_sso_admin import SSOAdminClient

TIME_LIMIT = re.compile(r'"aws:CurrentTime"\s*:\s*"([^"]+)"')
REQUESTS_READ = 50
"""How many requests, newest first, are read to find the one for an account."""


def access_name(manifest: Manifest) -> str:
    """Name of the pilot's permission set (at most 32 characters) and of the group that has it."""
    return f"namrong-{manifest.id}-{manifest.account.environment}"


def instance_of(sso_admin: SSOAdminClient) -> tuple[str, str]:
    """Identity Center's instance and its identity store; one per organization."""
    found = sso_admin.list_instances()["Instances"]
    if not found:
        raise AskPerson("access.no_identity_center")
    return found[0]["InstanceArn"], found[0]["IdentityStoreId"]


def find_permission_set(sso_admin: SSOAdminClient, instance: str, name: str) -> str | None:
    """The ARN of the permission set of that name, None when there is none."""
    for page in sso_admin.get_paginator("list_permission_sets").paginate(InstanceArn=instance):
        for arn in page["PermissionSets"]:
            told = sso_admin.describe_permission_set(InstanceArn=instance, PermissionSetArn=arn)["PermissionSet"]
            if told["Name"] == name:
                return arn
    return None


def expiry(sso_admin: SSOAdminClient, instance: str, permission_set: str) -> str | None:
    """When the access ends (ISO-8601, UTC): as the Deny in the permission set says. None when it is not limited."""
    told = sso_admin.get_inline_policy_for_permission_set(InstanceArn=instance, PermissionSetArn=permission_set)
    policy = told.get("InlinePolicy") or "{}"
    dates = TIME_LIMIT.findall(policy)
    boxed = len(dates) == 1 and same_policy(policy, document("access/agency", expires=dates[0]))
    return dates[0] if boxed else None


def assignments(
    sso_admin: SSOAdminClient, instance: str, permission_set: str | None, account_id: str
) -> Iterator[tuple[Any, str]]:
    """Kind and id of everybody who has the permission set in the account."""
    if permission_set is None:
        return
    pages = sso_admin.get_paginator("list_account_assignments").paginate(
        InstanceArn=instance, AccountId=account_id, PermissionSetArn=permission_set
    )
    for page in pages:
        for held in page["AccountAssignments"]:
            yield held["PrincipalType"], held["PrincipalId"]


def last_request(
    sso_admin: SSOAdminClient, instance: str, permission_set: str, account_id: str
) -> Mapping[str, Any] | None:
    """The newest request for this access and what became of it, None when none was made."""
    listed = sso_admin.list_account_assignment_creation_status(InstanceArn=instance)["AccountAssignmentsCreationStatus"]
    for each in sorted(listed, key=lambda each: each["CreatedDate"], reverse=True)[:REQUESTS_READ]:
        told = sso_admin.describe_account_assignment_creation_status(
            InstanceArn=instance, AccountAssignmentCreationRequestId=each["RequestId"]
        )["AccountAssignmentCreationStatus"]
        if told.get("TargetId") == account_id and told.get("PermissionSetArn") == permission_set:
            return told
    return None


def refusal_of(sso_admin: SSOAdminClient, instance: str, requested: str) -> str | None:
    """Why AWS refused one request; None when it did not, and for the id "" of what was there before."""
    if not requested:
        return None
    told = sso_admin.describe_account_assignment_creation_status(
        InstanceArn=instance, AccountAssignmentCreationRequestId=requested
    )["AccountAssignmentCreationStatus"]
    return str(told.get("FailureReason", "FAILED")) if told["Status"] == "FAILED" else None
