"""The agency's access to its account through Identity Center: look only, for a time, and then taken away.

The end of that time stands in the permission set itself, as a Deny, so that AWS keeps it even if we never come back.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from onboarding.access_register import (
    access_name,
    assignments,
    expiry,
    find_permission_set,
    instance_of,
    last_request,
    refusal_of,
)
from onboarding.aws_errors import explaining
from onboarding.effects import Effects, Once
from onboarding.errors import AskPerson
from onboarding.manifest import Manifest
from onboarding.policy_documents import document

if TYPE_CHECKING:
    from mypy_boto3_identitystore import IdentityStoreClient
    from mypy_boto3_sso_admin import SSOAdminClient

SESSION = "PT1H"
ATTEMPTS = 5
"""Requests for one access before a person is asked."""


@explaining("sso-admin")
def ensure_time_boxed_access(
    sso_admin: SSOAdminClient,
    identity_store: IdentityStoreClient,
    manifest: Manifest,
    account_id: str,
    once: Once,
    *,
    now: datetime,
    length: timedelta,
    revoked: Collection[str] = (),
) -> str:
    """When the access ends (ISO-8601, UTC): `length` after the first call, however often this is repeated.

    Called when that time is over, for a journey that goes on, it opens a new box of `length`. `revoked` are requests
    of earlier journeys (`revoke_access`): what they gave was taken back and is given anew.

    Both clients are the management account's, in Identity Center's home region. Who is in the group `access_name`
    is the identity source's business. The assignment is on its way when this returns: see `observe_access`.
    """
    instance, store = instance_of(sso_admin)
    effects = Effects(once)
    permission_set = _ensure_permission_set(sso_admin, effects, manifest, instance)
    expires = _ensure_time_box(sso_admin, instance, permission_set, now, length)
    group = _ensure_group(identity_store, effects, manifest, store)
    _ensure_assignment(sso_admin, effects, instance, permission_set, group, account_id, revoked)
    return expires


@explaining("sso-admin")
def revoke_access(sso_admin: SSOAdminClient, manifest: Manifest, account_id: str) -> str:
    """The assignments are going or gone; the request that had given them, empty when there was none.

    Safe to call twice, and without access having been given.
    """
    instance, _ = instance_of(sso_admin)
    permission_set = find_permission_set(sso_admin, instance, access_name(manifest))
    for kind, principal in assignments(sso_admin, instance, permission_set, account_id):
        sso_admin.delete_account_assignment(
            InstanceArn=instance,
            TargetId=account_id,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=permission_set or "",
            PrincipalType=kind,
            PrincipalId=principal,
        )
    given = None if permission_set is None else last_request(sso_admin, instance, permission_set, account_id)
    return "" if given is None else str(given["RequestId"])


def _ensure_permission_set(sso_admin: SSOAdminClient, effects: Effects, manifest: Manifest, instance: str) -> str:
    name = access_name(manifest)

    def find() -> Mapping[str, str] | None:
        found = find_permission_set(sso_admin, instance, name)
        return None if found is None else {"permission_set": found}

    def perform() -> Mapping[str, str]:
        made = sso_admin.create_permission_set(
            Name=name,
            InstanceArn=instance,
            SessionDuration=SESSION,
            Description="Namrong: the agency looks at its own account, for a time",
        )
        return {"permission_set": made["PermissionSet"]["PermissionSetArn"]}

    made = effects.make("sso-admin", "CreatePermissionSet", name, {"name": name}, find=find, perform=perform)
    return str(made["permission_set"])


def _ensure_time_box(
    sso_admin: SSOAdminClient, instance: str, permission_set: str, now: datetime, length: timedelta
) -> str:
    """When the box closes: a time that is still to come is kept. Nobody is assigned before this is written."""
    expires = expiry(sso_admin, instance, permission_set)
    if expires is None or datetime.fromisoformat(expires) <= now:
        expires = (now + length).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        sso_admin.put_inline_policy_to_permission_set(
            InstanceArn=instance,
            PermissionSetArn=permission_set,
            InlinePolicy=document("access/agency", expires=expires),
        )
    return expires


def _ensure_group(identity_store: IdentityStoreClient, effects: Effects, manifest: Manifest, store: str) -> str:
    name = access_name(manifest)

    def find() -> Mapping[str, str] | None:
        unique: Any = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": name}}
        try:
            found = identity_store.get_group_id(IdentityStoreId=store, AlternateIdentifier=unique)
        except identity_store.exceptions.ResourceNotFoundException:
            return None
        return {"group": found["GroupId"]}

    def perform() -> Mapping[str, str]:
        made = identity_store.create_group(IdentityStoreId=store, DisplayName=name, Description="Namrong pilot")
        return {"group": made["GroupId"]}

    made = effects.make("identitystore", "CreateGroup", name, {"name": name}, find=find, perform=perform)
    return str(made["group"])


def _ensure_assignment(
    sso_admin: SSOAdminClient,
    effects: Effects,
    instance: str,
    permission_set: str,
    group: str,
    account_id: str,
    revoked: Collection[str],
) -> None:
    """Given once: what was revoked at the end of a journey does not come back with a cleared task.

    A request that AWS refused gave nothing, so the next call asks again, as a new intent.
    """
    seen = list(revoked)
    reason = ""
    while len(seen) < len(revoked) + ATTEMPTS:
        requested = _request_assignment(sso_admin, effects, instance, permission_set, group, account_id, seen)
        refused = refusal_of(sso_admin, instance, requested)
        if refused is None:
            return
        reason = refused
        seen.append(requested)
    raise AskPerson("access.refused", where=account_id, reason=reason)


def _request_assignment(
    sso_admin: SSOAdminClient,
    effects: Effects,
    instance: str,
    permission_set: str,
    group: str,
    account_id: str,
    seen: Collection[str],
) -> str:
    """The request's id, "" when the access was there before anybody asked; `seen` are refused or revoked ones."""

    def find() -> Mapping[str, str] | None:
        if any(assignments(sso_admin, instance, permission_set, account_id)):
            return {"requested": ""}
        last = last_request(sso_admin, instance, permission_set, account_id)
        ours = last is not None and last["RequestId"] not in seen
        return {"requested": str(last["RequestId"])} if last is not None and ours else None

    def perform() -> Mapping[str, str]:
        made = sso_admin.create_account_assignment(
            InstanceArn=instance,
            TargetId=account_id,
            TargetType="AWS_ACCOUNT",
            PermissionSetArn=permission_set,
            PrincipalType="GROUP",
            PrincipalId=group,
        )
        return {"requested": made["AccountAssignmentCreationStatus"]["RequestId"]}

    name = f"{group}/{account_id}" if not seen else f"{group}/{account_id}#{len(seen) + 1}"
    request = {"permission_set": permission_set, "group": group, "account": account_id}
    made = effects.make("sso-admin", "CreateAccountAssignment", name, request, find=find, perform=perform)
    return str(made["requested"])
