"""What an assignment leaves in a member account: a role of Identity Center's own, with the set's permissions."""

from __future__ import annotations

import hashlib
import json

from moto.iam.models import iam_backends
from moto.ssoadmin.models import PermissionSet


def provision(account: str, region: str, permissions: PermissionSet) -> None:
    """The AWSReservedSSO role of a permission set exists in the account and carries what the set says now."""
    backend = iam_backends[account]["aws"]
    suffix = hashlib.sha256(permissions.permission_set_arn.encode()).hexdigest()[:16]
    name = f"AWSReservedSSO_{permissions.name}_{suffix}"
    role = next((one for one in backend.roles.values() if one.name == name), None)
    if role is None:
        role = backend.create_role(
            role_name=name,
            assume_role_policy_document=json.dumps(_trust(account)),
            path=f"/aws-reserved/sso.amazonaws.com/{region}/",
            permissions_boundary=None,
            description=permissions.description or "",
            tags=[],
            max_session_duration="43200",
        )
    for policy in permissions.managed_policies:
        backend.attach_role_policy(policy.arn, name)
    if permissions.inline_policy:
        backend.put_role_policy(name, "AwsSSOInlinePolicy", permissions.inline_policy)


def _trust(account: str) -> dict[str, object]:
    provider = f"arn:aws:iam::{account}:saml-provider/AWSSSO_DO_NOT_DELETE"
    statement = {"Effect": "Allow", "Principal": {"Federated": provider}, "Action": "sts:AssumeRoleWithSAML"}
    return {"Version": "2012-10-17", "Statement": [statement]}
