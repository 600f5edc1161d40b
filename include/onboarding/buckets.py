"""Buckets as every pilot's are: versioned, encrypted with the account's key, closed to the public, TLS only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from onboarding.aws_errors import code_of, explaining
from onboarding.effects import Effects
from onboarding.errors import Stop
from onboarding.policy_documents import same_policy

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

NAME_LENGTH = 63  # S3 User Guide, "Bucket naming rules"
CLOSED = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}


@explaining("s3")
def ensure_bucket(s3: S3Client, effects: Effects, name: str, key_arn: str, policy: str) -> str:
    """The bucket's name; `policy` is its whole resource policy (JSON).

    Raises Stop when the name, which is one for all of AWS, belongs to somebody else.
    """
    region = s3.meta.region_name

    def find() -> Mapping[str, str] | None:
        return {"bucket": name} if _is_ours(s3, name, effects.account) else None

    def perform() -> Mapping[str, str]:
        # us-east-1 is the one region that refuses to be named (S3 API reference, CreateBucket).
        where: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=name, ObjectOwnership="BucketOwnerEnforced", **where)
        return {"bucket": name}

    effects.make("s3", "CreateBucket", name, {"bucket": name, "region": region}, find=find, perform=perform)
    _close(s3, name)
    _version(s3, name)
    _encrypt(s3, name, key_arn)
    _govern(s3, name, policy)
    return name


def bucket_state(s3: S3Client, name: str, key_arn: str, policy: str) -> dict[str, bool]:
    """What of a bucket is as it should be, re-read. A bucket that is not there has nothing."""
    return {
        "closed": _read(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]) == CLOSED,
        "versioned": _read(lambda: s3.get_bucket_versioning(Bucket=name).get("Status")) == "Enabled",
        "encrypted": _encryption(s3, name) == ("aws:kms", key_arn),
        "governed": (held := _read(lambda: s3.get_bucket_policy(Bucket=name)["Policy"])) is not None
        and same_policy(held, policy),
    }


def _is_ours(s3: S3Client, name: str, account: str) -> bool:
    try:
        s3.head_bucket(Bucket=name, ExpectedBucketOwner=account)
    except ClientError as failure:
        status = failure.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 404:
            return False
        if status == 403:
            raise Stop("buckets.taken", where=name) from failure
        raise
    return True


def _close(s3: S3Client, name: str) -> None:
    if _read(lambda: s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]) != CLOSED:
        s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=CLOSED)  # type: ignore[arg-type]


def _version(s3: S3Client, name: str) -> None:
    if s3.get_bucket_versioning(Bucket=name).get("Status") != "Enabled":
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})


def _encrypt(s3: S3Client, name: str, key_arn: str) -> None:
    if _encryption(s3, name) != ("aws:kms", key_arn):
        rule: Any = {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_arn},
            "BucketKeyEnabled": True,
        }
        s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def _encryption(s3: S3Client, name: str) -> tuple[str, str] | None:
    held = _read(lambda: s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"])
    if not held:
        return None
    default = held[0].get("ApplyServerSideEncryptionByDefault", {})
    return default.get("SSEAlgorithm", ""), default.get("KMSMasterKeyID", "")


def _govern(s3: S3Client, name: str, policy: str) -> None:
    held = _read(lambda: s3.get_bucket_policy(Bucket=name)["Policy"])
    if held is None or not same_policy(held, policy):
        s3.put_bucket_policy(Bucket=name, Policy=policy)


def _read(ask: Any) -> Any:
    """What S3 holds, None when nothing was ever set: S3 answers that with an error of its own per setting."""
    try:
        return ask()
    except ClientError as failure:
        if code_of(failure).startswith(("NoSuch", "ServerSideEncryptionConfigurationNotFound")):
            return None
        raise
