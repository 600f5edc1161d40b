"""What identifies a pilot's account: name, e-mail and tags, and where to find it in our organization."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from onboarding.errors import Stop
from onboarding.manifest import Manifest

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.type_defs import AccountTypeDef, TagTypeDef
    from mypy_boto3_service_quotas import ServiceQuotasClient

ACCOUNTS_QUOTA = "L-E619E033"  # Service Quotas, organizations: "Default maximum number of accounts"
NAME_LENGTH, EMAIL_LENGTH = 50, 64  # Organizations API reference, CreateAccount
PILOT_TAG = "namrong:pilot"
USABLE = ("ACTIVE", "PENDING_ACTIVATION")
"""States of an account that is there, or about to be."""


def account_name(manifest: Manifest) -> str:
    """The account's name: ASCII, at most 50 characters, the same for the same pilot and environment."""
    return f"{manifest.id}-{manifest.account.environment}-{manifest.agency.id}"[:NAME_LENGTH]


def account_email(manifest: Manifest, domain: str) -> str:
    """The account's e-mail, its natural key. Raises Stop when the programme's domain makes it too long or not ASCII."""
    email = f"{manifest.id}-{manifest.account.environment}@{domain}".lower()
    if len(email) > EMAIL_LENGTH or not email.isascii():
        raise Stop("accounts.email_impossible", where=email, limit=EMAIL_LENGTH)
    return email


def account_tags(manifest: Manifest) -> dict[str, str]:
    """What the account is tagged with: ASCII only, the Thai names stay in the ledger."""
    return {
        PILOT_TAG: manifest.id,
        "namrong:environment": manifest.account.environment,
        "namrong:agency": manifest.agency.id,
        "namrong:fictional": str(manifest.fictional).lower(),
    }


def find_account(organizations: OrganizationsClient, manifest: Manifest, domain: str) -> AccountTypeDef | None:
    """The account of the pilot's e-mail in our organization. Raises Stop when it is another pilot's, or closing."""
    email = account_email(manifest, domain)
    pages = organizations.get_paginator("list_accounts").paginate()
    account = next((each for page in pages for each in page["Accounts"] if each["Email"].lower() == email), None)
    if account is None:
        return None
    if state_of(account) not in USABLE:
        raise Stop("accounts.closing", where=account["Id"], email=email, state=state_of(account))
    owner = _tags(organizations, account["Id"]).get(PILOT_TAG, manifest.id)
    if owner != manifest.id:
        raise Stop("accounts.of_another_pilot", where=account["Id"], email=email, owner=owner)
    return account


def state_of(account: Mapping[str, Any]) -> str:
    """ACTIVE, PENDING_ACTIVATION, SUSPENDED, PENDING_CLOSURE or CLOSED (`Status` is the field's older name)."""
    return str(account.get("State") or account["Status"])


def accounts_quota(quotas: ServiceQuotasClient) -> int:
    """How many accounts the organization may have: ours, or AWS's default when nobody changed it."""
    try:
        told = quotas.get_service_quota(ServiceCode="organizations", QuotaCode=ACCOUNTS_QUOTA)["Quota"]
    except quotas.exceptions.NoSuchResourceException:
        told = quotas.get_aws_default_service_quota(ServiceCode="organizations", QuotaCode=ACCOUNTS_QUOTA)["Quota"]
    return int(told["Value"])


def _tags(organizations: OrganizationsClient, account_id: str) -> dict[str, str]:
    pages = organizations.get_paginator("list_tags_for_resource").paginate(ResourceId=account_id)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def ensure_tags(organizations: OrganizationsClient, account_id: str, manifest: Manifest) -> None:
    """An account made by hand under our e-mail becomes the pilot's."""
    missing = account_tags(manifest).items() - _tags(organizations, account_id).items()
    if missing:
        organizations.tag_resource(ResourceId=account_id, Tags=as_tags(dict(missing)))


def as_tags(tags: Mapping[str, str]) -> list[TagTypeDef]:
    """Tags in AWS's own form, in a settled order."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
