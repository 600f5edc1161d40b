"""A pilot's AWS account: found or asked for, once, by the protocol that survives a lost answer.

CreateAccount has no idempotency token and succeeds later or never (Organizations API reference). So name and e-mail
are derived, the intent is written first, and every try looks before it asks: at the requests, then at the accounts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from onboarding.account_register import (
    USABLE,
    account_email,
    account_name,
    account_tags,
    accounts_quota,
    as_tags,
    ensure_tags,
    find_account,
    state_of,
)
from onboarding.aws import Cloud
from onboarding.aws_errors import explaining, load_table
from onboarding.effects import Effects, Once
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.manifest import Manifest
from onboarding.observations import Answer, Observation

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.type_defs import CreateAccountStatusTypeDef
    from mypy_boto3_service_quotas import ServiceQuotasClient

__all__ = [
    "account_email",
    "account_id_of",
    "account_name",
    "account_tags",
    "find_account",
    "first_cloud",
    "observe_creation",
    "request_account",
]

FIRST_ROLE = "OrganizationAccountAccessRole"
"""The administrator's role that Organizations makes in every account it creates."""

ATTEMPTS = 5
"""Requests for one account before a person is asked."""


@explaining("organizations")
def request_account(
    organizations: OrganizationsClient, quotas: ServiceQuotasClient, manifest: Manifest, domain: str, once: Once
) -> str:
    """The id of the standing request (`car-…`), or of the account (12 digits) when there is one to adopt.

    Asked again after a failure that passes or that a person has mended, it makes the next request. Raises AskPerson
    with the numbers when the quota is full, Stop when the e-mail belongs to an account outside our organization.
    """
    seen: list[str] = []
    while len(seen) < ATTEMPTS:
        requested = _request(organizations, quotas, manifest, domain, once, seen)
        if not requested.startswith("car-"):
            ensure_tags(organizations, requested, manifest)
            return requested
        status = organizations.describe_create_account_status(CreateAccountRequestId=requested)["CreateAccountStatus"]
        if status["State"] != "FAILED":
            return requested
        reason = status.get("FailureReason", "")
        if reason == "EMAIL_ALREADY_EXISTS":
            return _adopted(organizations, manifest, domain)
        if load_table().creation_failure(reason) == "stop":
            raise Stop("accounts.refused", where=account_email(manifest, domain), reason=reason)
        seen.append(requested)
    raise AskPerson("accounts.gave_up", where=account_email(manifest, domain), attempts=ATTEMPTS, reason=reason)


@explaining("organizations")
def observe_creation(
    organizations: OrganizationsClient, requested: str, manifest: Manifest, domain: str, now: datetime
) -> Observation:
    """Whether the account is there and ACTIVE; `requested` is what `request_account` returned.

    Unknown while AWS works on it. A request that succeeded proves nothing: the account itself is read.
    """
    see = partial(_creation, now)
    if not requested.startswith("car-"):
        return _observe_active(organizations, requested, now)
    try:
        status = organizations.describe_create_account_status(CreateAccountRequestId=requested)["CreateAccountStatus"]
    except organizations.exceptions.CreateAccountStatusNotFoundException:
        return see(Answer.UNKNOWN, "no such request", "accounts.request_unknown", requested=requested)
    if status["State"] == "IN_PROGRESS":
        return see(Answer.UNKNOWN, "IN_PROGRESS", "accounts.in_progress", requested=requested)
    if status["State"] == "SUCCEEDED":
        return _observe_active(organizations, status["AccountId"], now)
    reason = status.get("FailureReason", "")
    if reason == "EMAIL_ALREADY_EXISTS":
        found = find_account(organizations, manifest, domain)
        if found is not None:
            return _observe_active(organizations, found["Id"], now)
        return see(Answer.FAIL, reason, "accounts.email_taken_outside", email=account_email(manifest, domain))
    return see(Answer.FAIL, reason, "accounts.failed_as", reason=reason, action=load_table().creation_failure(reason))


@explaining("organizations")
def account_id_of(organizations: OrganizationsClient, manifest: Manifest, domain: str) -> str:
    """The twelve digits of the pilot's account. Raises TryAgain while it has none."""
    found = find_account(organizations, manifest, domain)
    if found is None:
        raise TryAgain("accounts.not_there", where=account_email(manifest, domain))
    return found["Id"]


def first_cloud(management: Cloud, account_id: str, region: str) -> Cloud:
    """The new account as its administrator, to be used only until the onboarding role exists."""
    return management.assume(f"arn:aws:iam::{account_id}:role/{FIRST_ROLE}", "namrong-baseline", region=region)


def _request(
    organizations: OrganizationsClient,
    quotas: ServiceQuotasClient,
    manifest: Manifest,
    domain: str,
    once: Once,
    seen: Collection[str],
) -> str:
    """One intent: `seen` are the failed requests before it, which it must not take for its own."""
    email, tags = account_email(manifest, domain), account_tags(manifest)
    asked: dict[str, Any] = {"Email": email, "AccountName": account_name(manifest), "RoleName": FIRST_ROLE}

    def find() -> Mapping[str, Any] | None:
        request = _standing_request(organizations, account_name(manifest), email, seen)
        if request is not None:
            return {"requested": request}
        account = find_account(organizations, manifest, domain)
        return None if account is None else {"requested": account["Id"]}

    def perform() -> Mapping[str, Any]:
        _check_quota(organizations, quotas, email)
        made = organizations.create_account(**asked, Tags=as_tags(tags), IamUserAccessToBilling="ALLOW")
        return {"requested": made["CreateAccountStatus"]["Id"]}

    name = email if not seen else f"{email}#{len(seen) + 1}"
    request = asked | {"Tags": tags}
    made = Effects(once).make("organizations", "CreateAccount", name, request, find=find, perform=perform)
    return str(made["requested"])


def _standing_request(organizations: OrganizationsClient, name: str, email: str, seen: Collection[str]) -> str | None:
    """The best of our requests that is not `seen`: succeeded, else in progress, else failed.

    A request tells its account's name only, so what a succeeded one made is asked for its e-mail.
    """
    pages = organizations.get_paginator("list_create_account_status").paginate()
    ours = [
        status
        for page in pages
        for status in page["CreateAccountStatuses"]
        if status.get("AccountName") == name and status["Id"] not in seen
    ]
    order = ("SUCCEEDED", "IN_PROGRESS", "FAILED")
    best_first = sorted(ours, key=lambda status: order.index(status["State"]))
    return next((each["Id"] for each in best_first if _still_leads_somewhere(organizations, each, email)), None)


def _still_leads_somewhere(organizations: OrganizationsClient, status: CreateAccountStatusTypeDef, email: str) -> bool:
    """Whether the request's account (if it made one) is ours and can be used; a closed one is history."""
    if status["State"] != "SUCCEEDED":
        return True
    try:
        account = organizations.describe_account(AccountId=status["AccountId"])["Account"]
    except organizations.exceptions.AccountNotFoundException:
        return False
    return state_of(account) in USABLE and account["Email"].casefold() == email.casefold()


def _adopted(organizations: OrganizationsClient, manifest: Manifest, domain: str) -> str:
    found = find_account(organizations, manifest, domain)
    if found is None:
        raise Stop("accounts.email_taken_outside", email=account_email(manifest, domain))
    ensure_tags(organizations, found["Id"], manifest)
    return found["Id"]


def _check_quota(organizations: OrganizationsClient, quotas: ServiceQuotasClient, email: str) -> None:
    """Accounts in every state count, and so do requests in progress."""
    pages = organizations.get_paginator("list_accounts").paginate()
    used = sum(len(page["Accounts"]) for page in pages)
    waiting = organizations.get_paginator("list_create_account_status").paginate(States=["IN_PROGRESS"])
    used += sum(len(page["CreateAccountStatuses"]) for page in waiting)
    quota = accounts_quota(quotas)
    if used >= quota:
        raise AskPerson("accounts.quota_full", where=email, used=used, quota=quota)


def _observe_active(organizations: OrganizationsClient, account_id: str, now: datetime) -> Observation:
    see = partial(_creation, now, account=account_id)
    try:
        account = organizations.describe_account(AccountId=account_id)["Account"]
    except organizations.exceptions.AccountNotFoundException:
        return see(Answer.UNKNOWN, "not listed", "accounts.not_listed")
    state = state_of(account)
    answers = {"ACTIVE": Answer.PASS, "PENDING_ACTIVATION": Answer.UNKNOWN}
    return see(answers.get(state, Answer.FAIL), state, "accounts.state", state=state)


def _creation(now: datetime, answer: Answer, observed: object, why: str, **values: object) -> Observation:
    return Observation("account.active", answer, observed, "ACTIVE", now, why, values)
