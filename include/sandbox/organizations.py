"""AWS Organizations: accounts that take time and can fail, policies that are read, parents that must be right."""

from __future__ import annotations

from typing import Any

from moto.organizations.models import FakeAccount, OrganizationsBackend, organizations_backends

from sandbox import policies
from sandbox.state import AwsError, Call, SandboxState
from sandbox.vending import Vending

SERVICE = "organizations"
MEMBERS_MAY = ("DescribeOrganization",)
MANAGEMENT_NAME = "management"
MANAGEMENT_EMAIL = "management@namrong.example"


def backend(state: SandboxState) -> OrganizationsBackend:
    """moto's organization of this sandbox."""
    found: OrganizationsBackend = organizations_backends[state.management_account]["aws"]
    return found


def install(state: SandboxState) -> None:
    """The organization exists from the start, with one root, the management account and no policy type enabled."""
    organization = backend(state)
    organization.create_organization(region="us-east-1", FeatureSet="ALL")
    organization.org.master_account_email = MANAGEMENT_EMAIL  # type: ignore[union-attr]
    organization.accounts[0].name, organization.accounts[0].email = MANAGEMENT_NAME, MANAGEMENT_EMAIL
    state.guard(lambda call: _open_account(organization, call))
    state.guard(lambda call: _management_only(state, call))
    Vending(state, organization).install()
    policies.install(state, organization)
    rules = Units(state, organization)
    state.check(SERVICE, "CreateOrganizationalUnit", rules.create)
    state.check(SERVICE, "DeleteOrganizationalUnit", rules.delete)
    state.check(SERVICE, "MoveAccount", rules.move)
    state.handle(SERVICE, "CloseAccount", rules.close)


def account(organization: OrganizationsBackend, account_id: str) -> FakeAccount | None:
    """The member or management account of that id."""
    return next((found for found in organization.accounts if found.id == account_id), None)


class Units:
    """What moto lets through: parents that do not exist, names that are taken, moves from the wrong place."""

    def __init__(self, state: SandboxState, organization: OrganizationsBackend) -> None:
        self._state, self._organization = state, organization

    def _unit(self, unit: str) -> Any:
        return next((found for found in self._organization.ou if found.id == unit), None)

    def create(self, call: Call) -> None:
        """The parent exists and has no unit of that name."""
        parent, name = call.params["ParentId"], call.params["Name"]
        if self._unit(parent) is None:
            raise AwsError("ParentNotFoundException", "We can't find a root or OU with the ParentId you specified.")
        if any(unit.parent_id == parent and unit.name == name for unit in self._organization.ou):
            raise AwsError("DuplicateOrganizationalUnitException", "An OU with the same name already exists.")

    def delete(self, call: Call) -> None:
        """Nothing is left in it."""
        unit = call.params["OrganizationalUnitId"]
        holdings: list[Any] = [*self._organization.ou, *self._organization.accounts]
        if any(held.parent_id == unit for held in holdings):
            raise AwsError("OrganizationalUnitNotEmptyException", "The specified OU is not empty.")

    def move(self, call: Call) -> None:
        """The account is where the caller believes it to be, and goes somewhere else that exists."""
        found = account(self._organization, call.params["AccountId"])
        source, destination = call.params["SourceParentId"], call.params["DestinationParentId"]
        if found is None:
            raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
        if self._unit(destination) is None:
            raise AwsError("DestinationParentNotFoundException", "We can't find the destination container.")
        if found.parent_id == destination:
            raise AwsError("DuplicateAccountException", "That account is already present in the destination.")
        if found.parent_id != source:
            raise AwsError("SourceParentNotFoundException", "We can't find a source root or OU with that ParentId.")

    def close(self, call: Call) -> dict[str, Any]:
        """PENDING_CLOSURE, and after `seconds_to_close_account` SUSPENDED; it keeps counting against the quota."""
        found = account(self._organization, call.params["AccountId"])
        if found is None:
            raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
        if found.id == self._state.management_account:
            raise AwsError("ConstraintViolationException", "You cannot close the management account.")
        with self._state.lock:
            if found.status != "ACTIVE":
                raise AwsError("AccountAlreadyClosedException", "The account is already closed.")
            found.status = found.state = "PENDING_CLOSURE"

        def suspend() -> None:
            found.status = found.state = "SUSPENDED"

        self._state.schedule(self._state.settings.seconds_to_close_account, suspend)
        return {}


def _open_account(organization: OrganizationsBackend, call: Call) -> None:
    """Nobody acts in an account that is closed."""
    found = account(organization, call.account)
    if found is None or found.status == "SUSPENDED":
        raise AwsError("AccessDeniedException", f"the account {call.account} is not open", 403)


def _management_only(state: SandboxState, call: Call) -> None:
    """The organization answers to its management account."""
    if call.service == SERVICE and call.account != state.management_account and call.operation not in MEMBERS_MAY:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")
