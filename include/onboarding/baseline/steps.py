"""The baseline from beginning to end: every step of it in the order in which one needs the other."""

from __future__ import annotations

from collections.abc import Iterable

from onboarding.aws import Cloud
from onboarding.baseline.budget import ensure_budget
from onboarding.baseline.key import ensure_key
from onboarding.baseline.network import ensure_network
from onboarding.baseline.public_access_block import ensure_public_access_block
from onboarding.baseline.recorder import ensure_recorder
from onboarding.baseline.trail import ensure_log_bucket, ensure_trail
from onboarding.effects import Effects
from onboarding.manifest import Manifest


def ensure_baseline(
    cloud: Cloud, effects: Effects, manifest: Manifest, others: Iterable[Manifest], notify: str
) -> dict[str, str]:
    """The baseline's names and ids, by step. `cloud` is the pilot's account, `notify` the budget's e-mail."""
    key = ensure_key(cloud.client("kms"), effects)
    ensure_public_access_block(cloud.client("s3control"), effects)
    bucket = ensure_log_bucket(cloud.client("s3"), effects, key)
    return {
        "key": key,
        "log_bucket": bucket,
        "trail": ensure_trail(cloud.client("cloudtrail"), effects, key),
        "recorder": ensure_recorder(cloud.client("config"), cloud.client("iam"), effects),
        "budget": ensure_budget(cloud.client("budgets"), effects, manifest.account.monthly_budget_usd, notify),
        "network": ensure_network(cloud.client("ec2"), effects, manifest, others),
    }
