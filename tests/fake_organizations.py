"""Organizations and Service Quotas written by hand: slow, forgetful, and killable at every step."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


class Killed(BaseException):
    """The process dies here: nothing in the program may catch it."""


def refusal(code: str, operation: str = "CreateAccount", status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "no"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]
        operation,
    )


class NotThere(ClientError):
    def __init__(self, code: str) -> None:
        super().__init__({"Error": {"Code": code, "Message": "not there"}}, "Describe")


class FakeOrganizations:
    """`outcome` is what becomes of the next request; `steps_to_live` is the call on which the caller dies."""

    exceptions = SimpleNamespace(AccountNotFoundException=NotThere, CreateAccountStatusNotFoundException=NotThere)

    def __init__(self) -> None:
        self.accounts: dict[str, dict[str, Any]] = {}
        self.tags: dict[str, dict[str, str]] = {}
        self.statuses: dict[str, dict[str, Any]] = {}
        self.outcome: str | None = None
        self.taken_outside: set[str] = set()
        self.created = 0
        self.steps_to_live: float = float("inf")
        self._numbers = itertools.count(1)

    def _step(self) -> None:
        self.steps_to_live -= 1
        if self.steps_to_live < 0:
            raise Killed

    def add_account(self, email: str, *, state: str = "ACTIVE", **tags: str) -> str:
        account = f"{111111111110 + next(self._numbers)}"
        self.accounts[account] = {"Id": account, "Email": email, "State": state, "Status": state}
        self.tags[account] = {key.replace("_", ":"): value for key, value in tags.items()}
        return account

    def create_account(self, **asked: Any) -> dict[str, Any]:
        self._step()
        self.created += 1
        request = f"car-{next(self._numbers):032x}"
        status = {"Id": request, "AccountName": asked["AccountName"], "State": "IN_PROGRESS"}
        self.statuses[request] = status | {"_asked": asked}
        self._step()  # dying here is the lost answer: it happened, and the caller does not know
        return {"CreateAccountStatus": status}

    def settle(self) -> None:
        """Time passes: every request in progress comes to its end."""
        for status in self.statuses.values():
            if status["State"] != "IN_PROGRESS":
                continue
            asked = status["_asked"]
            emails = {account["Email"] for account in self.accounts.values()} | self.taken_outside
            reason = "EMAIL_ALREADY_EXISTS" if asked["Email"] in emails else self.outcome
            if reason:
                status |= {"State": "FAILED", "FailureReason": reason}
                continue
            account = self.add_account(asked["Email"])
            self.tags[account] = {tag["Key"]: tag["Value"] for tag in asked["Tags"]}
            status |= {"State": "SUCCEEDED", "AccountId": account}

    def describe_create_account_status(self, *, CreateAccountRequestId: str) -> dict[str, Any]:
        self._step()
        if CreateAccountRequestId not in self.statuses:
            raise NotThere("CreateAccountStatusNotFoundException")
        return {"CreateAccountStatus": self.statuses[CreateAccountRequestId]}

    def describe_account(self, *, AccountId: str) -> dict[str, Any]:
        self._step()
        if AccountId not in self.accounts:
            raise NotThere("AccountNotFoundException")
        return {"Account": self.accounts[AccountId]}

    def tag_resource(self, *, ResourceId: str, Tags: list[dict[str, str]]) -> None:
        self._step()
        self.tags[ResourceId] |= {tag["Key"]: tag["Value"] for tag in Tags}

    def get_paginator(self, operation: str) -> SimpleNamespace:
        return SimpleNamespace(paginate=getattr(self, f"_{operation}"))

    def _list_accounts(self) -> Iterator[dict[str, Any]]:
        self._step()
        yield {"Accounts": []}  # an empty page is no last page
        yield {"Accounts": list(self.accounts.values())}

    def _list_create_account_status(self, States: tuple[str, ...] = ()) -> Iterator[dict[str, Any]]:
        self._step()
        every = self.statuses.values()
        yield {"CreateAccountStatuses": [status for status in every if not States or status["State"] in States]}

    def _list_tags_for_resource(self, ResourceId: str) -> Iterator[dict[str, Any]]:
        self._step()
        yield {"Tags": [{"Key": key, "Value": value} for key, value in self.tags[ResourceId].items()]}


class FakeQuotas:
    """`quota` is ours; None means that only AWS's default of ten is known."""

    exceptions = SimpleNamespace(NoSuchResourceException=NotThere)

    def __init__(self, quota: float | None = 50.0) -> None:
        self.quota = quota

    def get_service_quota(self, **asked: str) -> dict[str, Any]:
        assert asked == {"ServiceCode": "organizations", "QuotaCode": "L-E619E033"}
        if self.quota is None:
            raise NotThere("NoSuchResourceException")
        return {"Quota": {"Value": self.quota}}

    def get_aws_default_service_quota(self, **_: str) -> dict[str, Any]:
        return {"Quota": {"Value": 10.0}}
