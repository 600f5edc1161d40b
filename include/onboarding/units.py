"""Organizational units: where a pilot's account belongs, and that it is there."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from onboarding.aws_errors import explaining
from onboarding.effects import Effects, Once
from onboarding.errors import Stop
from onboarding.observations import Answer, Observation, judged

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient
    from mypy_boto3_organizations.type_defs import RootTypeDef


def root_of(organizations: OrganizationsClient) -> RootTypeDef:
    """The organization's one root. Raises Stop when there is no organization with all features."""
    roots = [root for page in organizations.get_paginator("list_roots").paginate() for root in page["Roots"]]
    if not roots:
        raise Stop("units.no_root")
    return roots[0]


@explaining("organizations")
def ensure_unit(organizations: OrganizationsClient, name: str, once: Once) -> str:
    """The id (`ou-…`) of the unit `name` under the root; made when it is missing."""
    root = root_of(organizations)["Id"]

    def find() -> Mapping[str, str] | None:
        unit = find_unit(organizations, name)
        return None if unit is None else {"unit": unit}

    def perform() -> Mapping[str, str]:
        made = organizations.create_organizational_unit(ParentId=root, Name=name)
        return {"unit": made["OrganizationalUnit"]["Id"]}

    action = "CreateOrganizationalUnit"
    made = Effects(once).make("organizations", action, name, {"name": name}, find=find, perform=perform)
    return str(made["unit"])


def find_unit(organizations: OrganizationsClient, name: str) -> str | None:
    """The id of the unit `name` under the root, None when there is none."""
    pages = organizations.get_paginator("list_organizational_units_for_parent").paginate(
        ParentId=root_of(organizations)["Id"]
    )
    return next((unit["Id"] for page in pages for unit in page["OrganizationalUnits"] if unit["Name"] == name), None)


@explaining("organizations")
def place_account(organizations: OrganizationsClient, account_id: str, unit_id: str, once: Once) -> None:
    """The account is in the unit, wherever it was before."""

    def find() -> Mapping[str, str] | None:
        return {"unit": unit_id} if parent_of(organizations, account_id) == unit_id else None

    def perform() -> Mapping[str, str]:
        source = parent_of(organizations, account_id)
        # A duplicate means that it is there: an earlier answer was lost.
        with suppress(organizations.exceptions.DuplicateAccountException):
            organizations.move_account(AccountId=account_id, SourceParentId=source, DestinationParentId=unit_id)
        return {"unit": unit_id}

    request = {"account": account_id, "unit": unit_id}
    Effects(once).settle("organizations", "MoveAccount", f"{account_id}/{unit_id}", request, find=find, perform=perform)


def parent_of(organizations: OrganizationsClient, account_id: str) -> str:
    """The id of the root or unit that holds the account."""
    pages = organizations.get_paginator("list_parents").paginate(ChildId=account_id)
    return next(parent["Id"] for page in pages for parent in page["Parents"])


@explaining("organizations")
def observe_unit(organizations: OrganizationsClient, account_id: str, name: str, now: datetime) -> Observation:
    """Whether the account is in the unit `name`."""
    unit = find_unit(organizations, name)
    if unit is None:
        return Observation("account.unit", Answer.FAIL, None, name, now, "units.no_unit", {"unit": name})
    parent = parent_of(organizations, account_id)
    return judged("account.unit", parent, unit, now, why="units.wrong_unit", unit=name, account=account_id)
