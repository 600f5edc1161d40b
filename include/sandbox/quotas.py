"""Service Quotas: how many accounts the organization may have, which is the number that CreateAccount obeys."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.state import AwsError, Call, SandboxState

SERVICE = "service-quotas"
CODE = "L-E619E033"
"""Service Quotas' code of "Default maximum number of accounts" of the service `organizations`."""
DEFAULT = 10.0
HOME = "us-east-1"


def install(state: SandboxState) -> None:
    """Answers for `organizations`. Other services' quotas are absent: nothing in the sandbox obeys them."""
    quotas = Quotas(state)
    state.handle(SERVICE, "GetServiceQuota", quotas.get)
    state.handle(SERVICE, "GetAWSDefaultServiceQuota", quotas.get_default)
    state.handle(SERVICE, "ListServiceQuotas", quotas.list)
    state.handle(SERVICE, "RequestServiceQuotaIncrease", quotas.request)
    state.handle(SERVICE, "GetRequestedServiceQuotaChange", quotas.requested)
    state.handle(SERVICE, "ListRequestedServiceQuotaChangeHistory", quotas.history)


class Quotas:
    """The one quota, and requests to raise it: they stay PENDING, nobody in this box decides them."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._asked: dict[str, dict[str, Any]] = {}

    def get(self, call: Call) -> dict[str, Any]:
        """The applied value."""
        return {"Quota": self._quota(call, float(self._state.settings.account_quota))}

    def get_default(self, call: Call) -> dict[str, Any]:
        """The value of a new organization."""
        return {"Quota": self._quota(call, DEFAULT)}

    def list(self, call: Call) -> dict[str, Any]:
        """All of one service."""
        named: Mapping[str, Any] = {"QuotaCode": CODE, **call.params}
        return {"Quotas": [self._quota(call, float(self._state.settings.account_quota), named)]}

    def request(self, call: Call) -> dict[str, Any]:
        """A case that waits for a person at AWS; a second one while it waits is refused."""
        quota = self._quota(call, float(self._state.settings.account_quota))
        desired = float(call.params["DesiredValue"])
        if desired <= quota["Value"]:
            raise AwsError("IllegalArgumentException", "The desired value must exceed the applied one.")
        with self._state.lock:
            if self._asked:
                raise AwsError("ResourceAlreadyExistsException", "A request for this quota is already open.")
            identifier = uuid.uuid4().hex
            kept = {name: quota[name] for name in ("ServiceCode", "ServiceName", "QuotaCode", "QuotaName", "Unit")}
            opened = {"Id": identifier, "DesiredValue": desired, "Status": "PENDING", "Created": self._state.now()}
            self._asked[identifier] = {**kept, **opened, "Requester": call.caller, "GlobalQuota": True}
        return {"RequestedQuota": self._asked[identifier]}

    def requested(self, call: Call) -> dict[str, Any]:
        """One request."""
        if call.params["RequestId"] not in self._asked:
            raise AwsError("NoSuchResourceException", "There is no such request.")
        return {"RequestedQuota": self._asked[call.params["RequestId"]]}

    def history(self, call: Call) -> dict[str, Any]:
        """All requests."""
        return {"RequestedQuotas": list(self._asked.values())}

    def _quota(self, call: Call, value: float, named: Mapping[str, Any] | None = None) -> dict[str, Any]:
        asked = named or call.params
        if asked["ServiceCode"] != "organizations":
            raise AwsError("NotImplemented", f"the sandbox knows no quotas of {asked['ServiceCode']}", 501)
        if asked["QuotaCode"] != CODE or call.region != HOME:
            raise AwsError("NoSuchResourceException", "The request failed because the specified quota does not exist.")
        return {
            "ServiceCode": "organizations",
            "ServiceName": "AWS Organizations",
            "QuotaArn": f"arn:aws:servicequotas::{call.account}:organizations/{CODE}",
            "QuotaCode": CODE,
            "QuotaName": "Default maximum number of accounts",
            "Value": value,
            "Unit": "None",
            "Adjustable": True,
            "GlobalQuota": True,
        }
