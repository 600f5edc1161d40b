"""The account's own encryption key: one alias, yearly rotation, used by trail, buckets and databases."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from onboarding.aws_errors import explaining
from onboarding.effects import Effects
from onboarding.observations import Answer, Observation
from onboarding.policy_documents import document, same_policy

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

NAME = "namrong"
ALIAS = f"alias/{NAME}"
NAME_TAG = "namrong:name"


@explaining("kms")
def ensure_key(kms: KMSClient, effects: Effects) -> str:
    """The key's ARN: made, named and rotating.

    A key has no name of its own and its alias comes second, so it is made with a tag by which a retry finds it.
    """
    policy = document("resources/key", account_id=effects.account)

    def find() -> Mapping[str, str] | None:
        key = key_of_alias(kms) or _tagged_key(kms)
        return None if key is None else {"key": key}

    def perform() -> Mapping[str, str]:
        made = kms.create_key(
            Description="Namrong: trail, buckets, databases",
            Policy=policy,
            Tags=[{"TagKey": NAME_TAG, "TagValue": NAME}],
        )
        return {"key": made["KeyMetadata"]["Arn"]}

    key = str(effects.make("kms", "CreateKey", NAME, {"name": NAME}, find=find, perform=perform)["key"])
    _ensure_alias(kms, effects, key)
    if not kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"]:
        kms.enable_key_rotation(KeyId=key)
    if not same_policy(kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"], policy):
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=policy)
    return key


@explaining("kms")
def observe_key(kms: KMSClient, now: datetime) -> Observation:
    """Pass when the alias leads to an enabled key that rotates."""
    key = key_of_alias(kms)
    expected = {"state": "Enabled", "rotates": True}
    if key is None:
        return Observation("account.key", Answer.FAIL, None, expected, now, "baseline.key", {"alias": ALIAS})
    observed = {
        "state": kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"],
        "rotates": kms.get_key_rotation_status(KeyId=key)["KeyRotationEnabled"],
    }
    answer = Answer.PASS if observed == expected else Answer.FAIL
    return Observation("account.key", answer, observed, expected, now, "baseline.key", {"alias": ALIAS})


def key_of_alias(kms: KMSClient) -> str | None:
    """The ARN of the key that the alias names, None when there is none."""
    try:
        return kms.describe_key(KeyId=ALIAS)["KeyMetadata"]["Arn"]
    except kms.exceptions.NotFoundException:
        return None


def _tagged_key(kms: KMSClient) -> str | None:
    for page in kms.get_paginator("list_keys").paginate():
        for each in page["Keys"]:
            metadata = kms.describe_key(KeyId=each["KeyId"])["KeyMetadata"]
            if metadata.get("KeyManager") != "CUSTOMER" or metadata.get("KeyState") != "Enabled":
                continue
            tags = kms.list_resource_tags(KeyId=each["KeyId"]).get("Tags", [])
            if {"TagKey": NAME_TAG, "TagValue": NAME} in tags:
                return each["KeyArn"]
    return None


def _ensure_alias(kms: KMSClient, effects: Effects, key: str) -> None:
    def find() -> Mapping[str, str] | None:
        found = key_of_alias(kms)
        return None if found is None else {"key": found}

    def perform() -> Mapping[str, str]:
        kms.create_alias(AliasName=ALIAS, TargetKeyId=key)
        return {"key": key}

    effects.settle("kms", "CreateAlias", ALIAS, {"alias": ALIAS, "key": key}, find=find, perform=perform)
