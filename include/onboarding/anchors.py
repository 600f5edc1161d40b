"""The ledger's head, written down where nobody can take it back: S3 under Object Lock, mode COMPLIANCE.

In COMPLIANCE mode no user, the account's root included, deletes or overwrites a version or shortens its retention
(Amazon S3 User Guide, "Locking objects with Object Lock").
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from onboarding.effects import Once
from onboarding.errors import Stop

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client
    from mypy_boto3_s3.type_defs import CreateBucketRequestTypeDef

    from onboarding.ledger import Ledger

PREFIX = "anchors/"


@dataclass(frozen=True)
class Anchor:
    """Record `seq` had this `hash` when it was the ledger's head, at the time `at` of the ledger's clock."""

    seq: int
    hash: str
    at: datetime


def ensure_anchor_bucket(
    s3: S3Client, bucket: str, region: str, *, once: Once, account: str = "-", retain_days: int = 365
) -> None:
    """A versioned bucket with Object Lock, closed to the public, that keeps what it gets for `retain_days` days.

    `account` is the account of the intent's key, "-" the management account.
    """
    request: CreateBucketRequestTypeDef = {"Bucket": bucket, "ObjectLockEnabledForBucket": True}
    if region != "us-east-1":  # the one region that S3 does not take as a constraint
        request["CreateBucketConfiguration"] = {"LocationConstraint": region}  # type: ignore[typeddict-item]

    def create() -> dict[str, str]:
        s3.create_bucket(**request)
        return {"bucket": bucket}

    once(
        f"s3:CreateBucket:{account}:{bucket}",
        "s3:CreateBucket",
        request,
        find=lambda: {"bucket": bucket} if _exists(s3, bucket) else None,
        perform=create,
    )
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration={
            "BlockPublicAcls": True, "IgnorePublicAcls": True,
            "BlockPublicPolicy": True, "RestrictPublicBuckets": True,
        },
    )  # fmt: skip
    s3.put_object_lock_configuration(
        Bucket=bucket,
        ObjectLockConfiguration={
            "ObjectLockEnabled": "Enabled",
            "Rule": {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": retain_days}},
        },
    )


def anchor(ledger: Ledger, s3: S3Client, bucket: str, retain_days: int = 365) -> Anchor:
    """Writes the ledger's head down, once per record; the same head again finds its anchor there.

    Raises Stop when the ledger is empty, when an earlier anchor says that this record was another one (the ledger
    was rewritten), or when the object is not locked after all.
    """
    head = ledger.head()
    if head.seq == 0:
        raise Stop("ledger.nothing_to_anchor", where=bucket)
    now = ledger.now()
    new = Anchor(head.seq, head.hash, now)
    name = f"{PREFIX}{head.seq:020d}.json"
    try:
        s3.put_object(
            Bucket=bucket,
            Key=name,
            Body=json.dumps(asdict(new) | {"at": now.isoformat()}).encode(),
            ContentType="application/json",
            IfNoneMatch="*",
            ObjectLockMode="COMPLIANCE",
            ObjectLockRetainUntilDate=now + timedelta(days=retain_days),
        )
    except ClientError as failure:
        if _code(failure) not in ("PreconditionFailed", "412"):
            raise
        new = _read(s3, bucket, name)
        if new.hash != head.hash:
            raise Stop(
                "ledger.anchor_contradicts", where=bucket, seq=head.seq, anchored=new.hash, found=head.hash
            ) from failure
    locked = s3.head_object(Bucket=bucket, Key=name)
    if locked.get("ObjectLockMode") != "COMPLIANCE" or locked["ObjectLockRetainUntilDate"] <= now:
        raise Stop("ledger.anchor_not_locked", where=bucket, anchor=name, found=locked.get("ObjectLockMode", "-"))
    return new


def read_anchors(s3: S3Client, bucket: str) -> list[Anchor]:
    """Every anchor ever written, in order of records: all versions count, delete markers do not."""
    return sorted(
        (_read(s3, bucket, name, version) for name, version in _versions(s3, bucket)), key=lambda anchor: anchor.seq
    )


def _versions(s3: S3Client, bucket: str) -> Iterator[tuple[str, str]]:
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=PREFIX):
        for version in page.get("Versions", []):
            yield version["Key"], version["VersionId"]


def _read(s3: S3Client, bucket: str, name: str, version: str | None = None) -> Anchor:
    which = {"VersionId": version} if version else {}
    content = json.loads(s3.get_object(Bucket=bucket, Key=name, **which)["Body"].read())  # type: ignore[arg-type]
    return Anchor(int(content["seq"]), str(content["hash"]), datetime.fromisoformat(content["at"]).astimezone(UTC))


def _exists(s3: S3Client, bucket: str) -> bool:
    try:
        s3.head_bucket(Bucket=bucket)
    except ClientError as failure:
        if _code(failure) in ("404", "NoSuchBucket"):
            return False
        raise
    return True


def _code(failure: ClientError) -> str:
    return failure.response.get("Error", {}).get("Code", "")
