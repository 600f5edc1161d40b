"""The account's trail: who did what, in every region, in an encrypted bucket, with signed digests."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from onboarding.aws_errors import explaining
from onboarding.buckets import ensure_bucket
from onboarding.effects import Effects
from onboarding.observations import Answer, Observation
from onboarding.policy_documents import document

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient
    from mypy_boto3_s3 import S3Client

TRAIL = "namrong"


def log_bucket(account_id: str) -> str:
    """Where the account's trail and recorder write."""
    return f"namrong-logs-{account_id}"


def ensure_log_bucket(s3: S3Client, effects: Effects, key_arn: str) -> str:
    """The log bucket's name; only this account's trail and recorder write there."""
    name = log_bucket(effects.account)
    policy = document("resources/log_bucket", bucket=name, account_id=effects.account)
    return ensure_bucket(s3, effects, name, key_arn, policy)


@explaining("cloudtrail")
def ensure_trail(cloudtrail: CloudTrailClient, effects: Effects, key_arn: str) -> str:
    """The trail's ARN: all regions, log file validation on, encrypted, logging. Needs the log bucket."""

    def find() -> Mapping[str, str] | None:
        trails = cloudtrail.describe_trails(trailNameList=[TRAIL])["trailList"]
        return next(({"trail": trail["TrailARN"]} for trail in trails), None)

    def perform() -> Mapping[str, str]:
        made = cloudtrail.create_trail(
            Name=TRAIL,
            S3BucketName=log_bucket(effects.account),
            KmsKeyId=key_arn,
            IsMultiRegionTrail=True,
            IncludeGlobalServiceEvents=True,
            EnableLogFileValidation=True,
        )
        return {"trail": made["TrailARN"]}

    request = {"trail": TRAIL, "bucket": log_bucket(effects.account)}
    trail = str(effects.make("cloudtrail", "CreateTrail", TRAIL, request, find=find, perform=perform)["trail"])
    if not cloudtrail.get_trail_status(Name=trail)["IsLogging"]:
        cloudtrail.start_logging(Name=trail)
    return trail


@explaining("cloudtrail")
def observe_trail(cloudtrail: CloudTrailClient, account_id: str, now: datetime) -> Observation:
    """Pass when the trail logs every region into the account's bucket and has delivered.

    Unknown until the first delivery (about five minutes in AWS), fail when a delivery was refused.
    """
    trails = cloudtrail.describe_trails(trailNameList=[TRAIL])["trailList"]
    expected = {"logging": True, "regions": "all", "validated": True, "bucket": log_bucket(account_id), "error": ""}
    if not trails:
        return Observation("account.trail", Answer.FAIL, None, expected, now, "baseline.trail", {"observed": "-"})
    status = cloudtrail.get_trail_status(Name=trails[0]["TrailARN"])
    delivered = status.get("LatestDeliveryTime")
    observed = {
        "logging": status["IsLogging"],
        "regions": "all" if trails[0].get("IsMultiRegionTrail") else "one",
        "validated": trails[0].get("LogFileValidationEnabled", False),
        "bucket": trails[0].get("S3BucketName", ""),
        "error": status.get("LatestDeliveryError", ""),
    }
    answer = Answer.FAIL if observed != expected else Answer.PASS if delivered else Answer.UNKNOWN
    shown = observed | {"delivered": delivered.isoformat() if delivered else None}
    return Observation("account.trail", answer, shown, expected, now, "baseline.trail", {"observed": shown})
