"""S3 Block Public Access: switched on for an account or a bucket, it refuses what would open a bucket to everybody."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.s3control.models import s3control_backends

from sandbox import statements
from sandbox.delivery import bucket
from sandbox.state import AwsError, Call, SandboxState

PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
PUBLIC_GROUPS = ("global/AllUsers", "global/AuthenticatedUsers")


def install(state: SandboxState) -> None:
    """Account-level settings only act on their own account, and they act."""
    state.check("s3", "PutBucketPolicy", check_policy)
    for operation in ("PutBucketAcl", "CreateBucket", "PutObject", "PutObjectAcl", "CreateMultipartUpload"):
        state.check("s3", operation, check_acl)
    for operation in ("GetPublicAccessBlock", "PutPublicAccessBlock", "DeletePublicAccessBlock"):
        state.check("s3control", operation, check_own_account)


def check_own_account(call: Call) -> None:
    """The account named is the caller's."""
    if call.params.get("AccountId") != call.account:
        raise AwsError("AccessDenied", "Access Denied", 403)


def check_policy(call: Call) -> None:
    """BlockPublicPolicy: no statement allows everybody something without a condition."""
    try:
        document = json.loads(call.params["Policy"])
    except ValueError:
        return
    allowing = [one for one in statements.as_list(document.get("Statement", [])) if one.get("Effect") == "Allow"]
    if any(_is_public(one) for one in allowing) and _blocked(call, "block_public_policy"):
        raise AwsError("AccessDenied", "Access Denied: public policies are blocked by BlockPublicPolicy.", 403)


def check_acl(call: Call) -> None:
    """BlockPublicAcls: no access list names everybody."""
    given = json.dumps({key: str(value) for key, value in call.params.items() if "Grant" in key or "Access" in key})
    public = call.params.get("ACL") in PUBLIC_ACLS or any(group in given for group in PUBLIC_GROUPS)
    if public and _blocked(call, "block_public_acls"):
        raise AwsError("AccessDenied", "Access Denied: public ACLs are blocked by BlockPublicAcls.", 403)


def _is_public(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    named = statements.as_list(principal.get("AWS", [])) if isinstance(principal, dict) else [principal]
    return "*" in named and not statement.get("Condition")


def _blocked(call: Call, setting: str) -> bool:
    found = bucket(call.params["Bucket"])
    owner = found.account_id if found is not None else call.account
    settings = [s3control_backends[owner]["aws"].public_access_block, found and found.public_access_block]
    return any(str(getattr(one, setting, "")).lower() == "true" for one in settings)
