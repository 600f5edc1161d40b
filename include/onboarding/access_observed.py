"""Whether the agency has its access, whether the box closes in time, and whether it is gone at the end."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from onboarding.access_register import (
    access_name,
    assignments,
    expiry,
    find_permission_set,
    instance_of,
    last_request,
)
from onboarding.aws_errors import explaining
from onboarding.manifest import Manifest
from onboarding.observations import Answer, Observation

if TYPE_CHECKING:
    from mypy_boto3_sso_admin import SSOAdminClient


@explaining("sso-admin")
def observe_access(sso_admin: SSOAdminClient, manifest: Manifest, account_id: str, now: datetime) -> Observation:
    """Pass when somebody has access and the box still closes in time; unknown while the assignment is made."""
    instance, _ = instance_of(sso_admin)
    permission_set = find_permission_set(sso_admin, instance, access_name(manifest))
    if permission_set is None:
        return _seen(Answer.FAIL, "no permission set", now, "access.none", name=access_name(manifest))
    expires = expiry(sso_admin, instance, permission_set)
    if expires is None:
        return _seen(Answer.FAIL, "no time box", now, "access.not_boxed", name=access_name(manifest))
    if datetime.fromisoformat(expires) <= now:
        return _seen(Answer.FAIL, "over", now, "access.over", expires=expires)
    # the request first: one that ends between the two looks is then found assigned, never taken for taken away
    last = last_request(sso_admin, instance, permission_set, account_id)
    if list(assignments(sso_admin, instance, permission_set, account_id)):
        return _seen(Answer.PASS, "assigned", now, "access.none", expires=expires)
    if last is None or last["Status"] == "SUCCEEDED":
        return _seen(Answer.FAIL, "taken away", now, "access.none", account=account_id)
    if last["Status"] == "FAILED":
        return _seen(Answer.FAIL, "refused", now, "access.refused", reason=last.get("FailureReason", ""))
    return _seen(Answer.UNKNOWN, "on its way", now, "access.on_its_way", account=account_id)


@explaining("sso-admin")
def observe_revoked(sso_admin: SSOAdminClient, manifest: Manifest, account_id: str, now: datetime) -> Observation:
    """Pass when nobody has access by this way any more; unknown while the last is being taken away."""
    instance, _ = instance_of(sso_admin)
    permission_set = find_permission_set(sso_admin, instance, access_name(manifest))
    left = [principal for _, principal in assignments(sso_admin, instance, permission_set, account_id)]
    answer = Answer.UNKNOWN if left else Answer.PASS
    values = {"left": len(left), "account": account_id}
    return Observation("account.access_revoked", answer, len(left), 0, now, "access.still_there", values)


def _seen(answer: Answer, observed: str, now: datetime, why: str, **values: object) -> Observation:
    return Observation("account.access", answer, {"access": observed, **values}, "assigned", now, why, values)
