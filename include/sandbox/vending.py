"""CreateAccount as AWS does it: accepted at once, done or failed later, and asked about by a request id."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.organizations.models import OrganizationsBackend

from sandbox.state import AwsError, Call, SandboxState

ALPHABET = string.ascii_lowercase + string.digits
PAGE = 20


@dataclass
class Request:
    """One request for an account, and how it ended."""

    id: str
    params: Mapping[str, Any]
    requested: datetime
    state: str = "IN_PROGRESS"
    completed: datetime | None = None
    account: str | None = None
    failure: str | None = None

    def described(self) -> dict[str, Any]:
        """The members of CreateAccountStatus that are known by now."""
        known = {
            "Id": self.id,
            "AccountName": self.params["AccountName"],
            "State": self.state,
            "RequestedTimestamp": self.requested,
            "CompletedTimestamp": self.completed,
            "AccountId": self.account,
            "FailureReason": self.failure,
        }
        return {name: value for name, value in known.items() if value is not None}


class Vending:
    """All requests for accounts, oldest first."""

    def __init__(self, state: SandboxState, organization: OrganizationsBackend) -> None:
        self._state, self._organization = state, organization
        self._requests: dict[str, Request] = {}

    def install(self) -> None:
        """Takes over what moto answers as done at once."""
        self._state.handle("organizations", "CreateAccount", self.create)
        self._state.handle("organizations", "DescribeCreateAccountStatus", self.describe)
        self._state.handle("organizations", "ListCreateAccountStatus", self.list)

    def create(self, call: Call) -> dict[str, Any]:
        """IN_PROGRESS; everything that can be wrong with it shows later, in its status."""
        identifier = "car-" + "".join(secrets.choice(ALPHABET) for _ in range(32))
        request = Request(identifier, call.params, self._state.now())
        with self._state.lock:
            self._requests[identifier] = request
        self._state.schedule(self._state.settings.seconds_to_create_account, lambda: self._finish(request))
        return {"CreateAccountStatus": request.described()}

    def describe(self, call: Call) -> dict[str, Any]:
        """One request's status."""
        request = self._requests.get(call.params["CreateAccountRequestId"])
        if request is None:
            raise AwsError(
                "CreateAccountStatusNotFoundException",
                "We can't find an create account request with the CreateAccountRequestId that you specified.",
            )
        with self._state.lock:
            return {"CreateAccountStatus": request.described()}

    def list(self, call: Call) -> dict[str, Any]:
        """A page of requests in the wanted states."""
        states = call.params.get("States") or ["IN_PROGRESS", "SUCCEEDED", "FAILED"]
        with self._state.lock:
            wanted = [request.described() for request in self._requests.values() if request.state in states]
        start = _offset(call.params.get("NextToken"))
        end = start + int(call.params.get("MaxResults") or PAGE)
        return {"CreateAccountStatuses": wanted[start:end], "NextToken": str(end) if end < len(wanted) else None}

    def _finish(self, request: Request) -> None:
        with self._state.lock:
            request.failure = self._refusal(request)
            if request.failure is None:
                made = self._organization.create_account(**request.params)
                request.account = made["CreateAccountStatus"]["AccountId"]
            request.state = "FAILED" if request.failure else "SUCCEEDED"
            request.completed = self._state.now()

    def _refusal(self, request: Request) -> str | None:
        """An account that is closed keeps its e-mail and counts against the quota until it is gone."""
        accounts = self._organization.accounts
        if any(account.email.lower() == request.params["Email"].lower() for account in accounts):
            return "EMAIL_ALREADY_EXISTS"
        if len(accounts) >= self._state.settings.account_quota:
            return "ACCOUNT_LIMIT_EXCEEDED"
        return None


def _offset(token: str | None) -> int:
    if token is None:
        return 0
    if not token.isascii() or not token.isdigit():
        raise AwsError("InvalidInputException", "INVALID_NEXT_TOKEN: get the value for NextToken from a response.")
    return int(token)
