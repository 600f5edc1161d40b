"""The account-level block of public access: whatever a bucket's own settings say, nothing is public."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.buckets import CLOSED
from onboarding.effects import Effects
from onboarding.observations import Observation, judged

if TYPE_CHECKING:
    from mypy_boto3_s3control import S3ControlClient


@explaining("s3control")
def ensure_public_access_block(s3control: S3ControlClient, effects: Effects) -> None:
    """All four parts of the block are on for the account."""

    def find() -> Mapping[str, Any] | None:
        return CLOSED if _held(s3control, effects.account) == CLOSED else None

    def perform() -> Mapping[str, Any]:
        s3control.put_public_access_block(AccountId=effects.account, PublicAccessBlockConfiguration=_CLOSED)
        return CLOSED

    effects.settle("s3control", "PutPublicAccessBlock", "account", CLOSED, find=find, perform=perform)


@explaining("s3control")
def observe_public_access_block(s3control: S3ControlClient, account_id: str, now: datetime) -> Observation:
    """Pass when all four parts are on."""
    held = _held(s3control, account_id)
    return judged("account.public_access_block", held, CLOSED, now, why="baseline.open_to_public")


def _held(s3control: S3ControlClient, account_id: str) -> Mapping[str, Any]:
    try:
        return dict(s3control.get_public_access_block(AccountId=account_id)["PublicAccessBlockConfiguration"])
    except s3control.exceptions.NoSuchPublicAccessBlockConfiguration:
        return {}


_CLOSED: Any = CLOSED
