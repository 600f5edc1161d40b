"""Opt-in regions: switched off in a new account, and everything in them refused until somebody waits them on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import boto3

from sandbox.organizations import account, backend
from sandbox.refusals import unknown_credentials
from sandbox.state import AwsError, Call, SandboxState

SERVICE = "account"
TRUSTED = "account.amazonaws.com"
ALWAYS_ON = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1", "ap-southeast-2"),
        *("eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2", "eu-west-3"),
        *("ca-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)
"""AWS Account Management, reference guide: regions that are enabled by default."""
GLOBAL = frozenset({"account", "budgets", "ce", "cloudfront", "iam", "organizations", "route53", "support"})
"""Served from one region for all; which region a client signs for says nothing."""
PAGE = 50


def install(state: SandboxState) -> None:
    """The management account has the sandbox's own region switched on, members have not."""
    opted = Regions(state)
    state.handle(SERVICE, "GetRegionOptStatus", opted.status)
    state.handle(SERVICE, "EnableRegion", opted.enable)
    state.handle(SERVICE, "DisableRegion", opted.disable)
    state.handle(SERVICE, "ListRegions", opted.list)
    state.guard(opted.check)


class Regions:
    """Who has opted into what."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._known = frozenset(boto3.Session().get_available_regions("ec2")) | ALWAYS_ON
        self._status: dict[tuple[str, str], str] = {(state.management_account, state.region): "ENABLED"}

    def check(self, call: Call) -> None:
        """A region that the account has not switched on does not know the account."""
        if call.service in GLOBAL or call.region in ALWAYS_ON or call.region not in self._known:
            return
        if self._of(call.account, call.region) not in ("ENABLED", "DISABLING"):
            raise unknown_credentials(call.service)

    def status(self, call: Call) -> dict[str, Any]:
        """Of one region."""
        region = self._region(call)
        return {"RegionName": region, "RegionOptStatus": self._of(self._account(call), region)}

    def enable(self, call: Call) -> dict[str, Any]:
        """ENABLING, and after `seconds_to_enable_region` ENABLED."""
        return self._turn(call, "ENABLED", "ENABLING")

    def disable(self, call: Call) -> dict[str, Any]:
        """DISABLING, and after as long DISABLED."""
        return self._turn(call, "DISABLED", "DISABLING")

    def list(self, call: Call) -> dict[str, Any]:
        """A page of all regions, by name, in the wanted states."""
        owner, wanted = self._account(call), call.params.get("RegionOptStatusContains")
        rows = [{"RegionName": name, "RegionOptStatus": self._of(owner, name)} for name in sorted(self._known)]
        rows = [row for row in rows if not wanted or row["RegionOptStatus"] in wanted]
        start = int(call.params.get("NextToken") or 0)
        end = start + int(call.params.get("MaxResults") or PAGE)
        return {"Regions": rows[start:end], "NextToken": str(end) if end < len(rows) else None}

    def _of(self, owner: str, region: str) -> str:
        return "ENABLED_BY_DEFAULT" if region in ALWAYS_ON else self._status.get((owner, region), "DISABLED")

    def _turn(self, call: Call, end: str, meanwhile: str) -> dict[str, Any]:
        key = self._account(call), self._region(call)
        with self._state.lock:
            now = self._of(*key)
            if now == "ENABLED_BY_DEFAULT":
                raise AwsError("ValidationException", f"{key[1]} is enabled by default and cannot be changed.")
            if now in ("ENABLING", "DISABLING"):
                raise AwsError("ConflictException", f"{key[1]} is {now} in {key[0]}.", 409)
            if now == end:
                return {}
            self._status[key] = meanwhile
        self._state.schedule(self._state.settings.seconds_to_enable_region, self._setter(key, end))
        return {}

    def _setter(self, key: tuple[str, str], end: str) -> Callable[[], None]:
        def finish() -> None:
            with self._state.lock:
                self._status[key] = end

        return finish

    def _region(self, call: Call) -> str:
        region = str(call.params["RegionName"])
        if region not in self._known:
            raise AwsError("ValidationException", f"{region} is no region.")
        return region

    def _account(self, call: Call) -> str:
        """Whose regions. Another account's only from the management account, with trusted access enabled."""
        named = call.params.get("AccountId")
        if named is None:
            return call.account
        organization = backend(self._state)
        trusted = any(service["ServicePrincipal"] == TRUSTED for service in organization.services)
        if call.account != self._state.management_account or not trusted:
            raise AwsError("AccessDeniedException", f"{call.caller} may not act on {named}'s regions.", 403)
        if named == self._state.management_account:
            raise AwsError("ValidationException", "The management account cannot name itself as AccountId.")
        if account(organization, named) is None:
            raise AwsError("ResourceNotFoundException", f"{named} is no account of this organization.", 404)
        return str(named)
