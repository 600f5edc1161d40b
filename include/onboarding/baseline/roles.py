"""The role through which the programme works in a pilot's account, with an ExternalId of its own per pilot."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from onboarding.aws import REFUSALS, Cloud
from onboarding.aws_errors import code_of, explaining
from onboarding.effects import Effects
from onboarding.errors import TryAgain
from onboarding.observations import Answer, Observation
from onboarding.policy_documents import document, same_policy

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

ROLE = "NamrongOnboarding"
PERMISSIONS = "namrong-onboarding"


def external_id(key: str, pilot: str) -> str:
    """The pilot's ExternalId: 64 hex digits, made from the programme's secret key, so that it is stored nowhere.

    STS takes 2 to 1,224 characters. A manifest never chooses it, or one pilot could name another's
    (IAM User Guide, "The confused deputy problem").
    """
    return hmac.new(key.encode(), f"namrong external id: {pilot}".encode(), hashlib.sha256).hexdigest()


def role_arn(account_id: str) -> str:
    """The onboarding role of an account."""
    return f"arn:aws:iam::{account_id}:role/{ROLE}"


@explaining("iam")
def ensure_onboarding_role(iam: IAMClient, effects: Effects, management_account: str, external: str) -> str:
    """The role's ARN. Only the management account with the ExternalId may assume it, and it may do what a move needs.

    `iam` is the new account's own client (`accounts.first_cloud`).
    """
    trust = _trust(management_account, external)

    def find() -> Mapping[str, Any] | None:
        role = _find_role(iam)
        return None if role is None else {"role": ROLE}

    def perform() -> Mapping[str, Any]:
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust, MaxSessionDuration=3_600)
        return {"role": ROLE}

    # The ExternalId is secret, so the intent names only who is trusted.
    effects.make("iam", "CreateRole", ROLE, {"trusts": management_account}, find=find, perform=perform)
    role = _find_role(iam)
    if role is not None and not same_policy(role["AssumeRolePolicyDocument"], trust):
        iam.update_assume_role_policy(RoleName=ROLE, PolicyDocument=trust)
    _ensure_permissions(iam)
    return role_arn(effects.account)


def onboarding_cloud(management: Cloud, account_id: str, external: str, region: str) -> Cloud:
    """The pilot's account as the programme works in it."""
    return management.assume(role_arn(account_id), "namrong-onboarding", external, region)


def observe_assumable(management: Cloud, account_id: str, external: str, now: datetime) -> Observation:
    """Pass when the role lets us into the right account with its ExternalId.

    A refusal is unknown, not a failure: a new role takes its time to spread (IAM User Guide, "Troubleshoot IAM").
    """
    try:
        seen = onboarding_cloud(management, account_id, external, management.region).account_id()
    except TryAgain as failure:
        return _role_check("role.assumable", Answer.UNKNOWN, str(failure), account_id, now, "roles.not_yet")
    answer = Answer.PASS if seen == account_id else Answer.FAIL
    return _role_check("role.assumable", answer, seen, account_id, now, "roles.wrong_account")


def observe_guarded(management: Cloud, account_id: str, now: datetime) -> Observation:
    """Pass when the role refuses whoever comes without the ExternalId, and with a wrong one."""
    sts: STSClient = management.client("sts")
    attempts: tuple[dict[str, Any], ...] = ({}, {"ExternalId": "somebody-elses"})
    for asked in attempts:
        try:
            sts.assume_role(RoleArn=role_arn(account_id), RoleSessionName="namrong-probe", **asked)
        except ClientError as failure:
            if code_of(failure) in REFUSALS:
                continue
            with explaining(role_arn(account_id)):
                raise
        return _role_check("role.guarded", Answer.FAIL, "let in", "refused", now, "roles.open")
    return _role_check("role.guarded", Answer.PASS, "refused", "refused", now, "roles.open")


def _trust(management_account: str, external: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{management_account}:root"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": external}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def _find_role(iam: IAMClient) -> Mapping[str, Any] | None:
    try:
        return iam.get_role(RoleName=ROLE)["Role"]
    except iam.exceptions.NoSuchEntityException:
        return None


def _ensure_permissions(iam: IAMClient) -> None:
    wanted = document("roles/onboarding")
    try:
        current = iam.get_role_policy(RoleName=ROLE, PolicyName=PERMISSIONS)["PolicyDocument"]
        if same_policy(current, wanted):
            return
    except iam.exceptions.NoSuchEntityException:
        pass
    iam.put_role_policy(RoleName=ROLE, PolicyName=PERMISSIONS, PolicyDocument=wanted)


def _role_check(check: str, answer: Answer, observed: str, expected: str, now: datetime, why: str) -> Observation:
    return Observation(f"account.{check}", answer, observed, expected, now, why, {"observed": observed, "role": ROLE})
