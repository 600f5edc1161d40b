"""Opt-in regions: ap-southeast-7 (Thailand) is off in a new account, and takes minutes to hours to come on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING

from onboarding.aws_errors import explaining
from onboarding.effects import Effects, Once
from onboarding.observations import Answer, Observation

if TYPE_CHECKING:
    from mypy_boto3_account import AccountClient

ON = ("ENABLED", "ENABLED_BY_DEFAULT")


@explaining("account")
def request_region(account: AccountClient, account_id: str, region: str, once: Once) -> str:
    """The region's opt-in status after asking for it; `account` is the pilot's own client.

    Six opt-ins at a time per account, fifty per organization (Account Management Guide, "Enable or disable Regions").
    """

    def find() -> Mapping[str, str] | None:
        status = _status(account, region)
        return {"region": region} if status in (*ON, "ENABLING") else None

    def perform() -> Mapping[str, str]:
        account.enable_region(RegionName=region)
        return {"region": region}

    Effects(once, account_id).settle("account", "EnableRegion", region, {"region": region}, find=find, perform=perform)
    return _status(account, region)


@explaining("account")
def observe_region(account: AccountClient, region: str, now: datetime) -> Observation:
    """Pass when the region is on, unknown while it is being switched on, fail when nobody asked for it."""
    status = _status(account, region)
    answer = Answer.PASS if status in ON else Answer.UNKNOWN if status == "ENABLING" else Answer.FAIL
    return Observation(
        "account.region", answer, status, "ENABLED", now, "regions.not_on", {"region": region, "status": status}
    )


def _status(account: AccountClient, region: str) -> str:
    return account.get_region_opt_status(RegionName=region)["RegionOptStatus"]
