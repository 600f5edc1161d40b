"""IAM Identity Center: access is granted to somebody who exists, in an account that exists, and takes a moment."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from moto.identitystore.models import identitystore_backends
from moto.ssoadmin.models import PermissionSet, SSOAdminBackend, ssoadmin_backends

from sandbox.organizations import account, backend
from sandbox.permission_roles import provision
from sandbox.state import AwsError, Call, SandboxState

SERVICE = "sso-admin"
ASSIGNED = ("InstanceArn", "TargetId", "TargetType", "PermissionSetArn", "PrincipalType", "PrincipalId")
KINDS = {"Creation": "AccountAssignmentCreation", "Deletion": "AccountAssignmentDeletion"}
PAGE = 100


@dataclass
class Request:
    """One assignment being made or taken away."""

    kind: str
    id: str
    members: Mapping[str, str]
    created: Any
    status: str = "IN_PROGRESS"
    reason: str | None = None

    def described(self) -> dict[str, Any]:
        """The members of its status that are known."""
        known = {
            "RequestId": self.id,
            "Status": self.status,
            "CreatedDate": self.created,
            "FailureReason": self.reason,
        }
        return {name: value for name, value in {**self.members, **known}.items() if value is not None}


def install(state: SandboxState) -> None:
    """One instance, in the management account and the sandbox's own region."""
    center = IdentityCenter(state)
    state.handle(SERVICE, "ListInstances", center.instances)
    state.check(SERVICE, "CreatePermissionSet", center.check_new_set)
    for kind, name in (("Creation", "CreateAccountAssignment"), ("Deletion", "DeleteAccountAssignment")):
        state.handle(SERVICE, name, partial(center.ask, kind))
        state.handle(SERVICE, f"DescribeAccountAssignment{kind}Status", partial(center.status, kind))
        state.handle(SERVICE, f"ListAccountAssignment{kind}Status", partial(center.list, kind))
    state.guard(center.check_store)


class IdentityCenter:
    """Requests for access, and what they have to fulfil."""

    def __init__(self, state: SandboxState) -> None:
        self._state = state
        self._backend: SSOAdminBackend = ssoadmin_backends[state.management_account][state.region]
        _name_as_aws_does(self._backend)
        self._requests: dict[str, Request] = {}

    def instances(self, call: Call) -> dict[str, Any]:
        """None in other accounts and regions: Identity Center has one home."""
        home = call.account == self._state.management_account and call.region == self._state.region
        return {"Instances": [one.to_json() for one in self._backend.instances] if home else []}

    def check_store(self, call: Call) -> None:
        """The identity store is that of the instance; moto would make up any other."""
        if call.service == "identitystore":
            known = {one.identity_store_id for one in self._backend.instances}
            home = call.account == self._state.management_account and call.region == self._state.region
            if not home or call.params.get("IdentityStoreId") not in known:
                raise AwsError("ResourceNotFoundException", "IdentityStore not found.")

    def check_new_set(self, call: Call) -> None:
        """The instance exists and has no permission set of that name."""
        self._check_instance(call)
        if any(one.name == call.params["Name"] for one in self._backend.permission_sets):
            raise AwsError("ConflictException", f"PermissionSet with name {call.params['Name']} already exists.")

    def ask(self, kind: str, call: Call) -> dict[str, Any]:
        """IN_PROGRESS, and after `seconds_to_assign` SUCCEEDED or FAILED."""
        self._check_instance(call)
        self._permission_set(call.params["PermissionSetArn"])
        members = {name: str(call.params[name]) for name in ASSIGNED if name != "InstanceArn"}
        if kind == "Deletion" and self._held(members) is None:
            raise AwsError("ResourceNotFoundException", "There is no such account assignment.")
        request = Request(kind, str(uuid.uuid4()), members, self._state.now())
        with self._state.lock:
            self._requests[request.id] = request
        self._state.schedule(self._state.settings.seconds_to_assign, lambda: self._finish(request))
        return {f"{KINDS[kind]}Status": request.described()}

    def status(self, kind: str, call: Call) -> dict[str, Any]:
        """Of one request."""
        request = self._requests.get(call.params[f"{KINDS[kind]}RequestId"])
        if request is None or request.kind != kind:
            raise AwsError("ResourceNotFoundException", "There is no such request.")
        return {f"{KINDS[kind]}Status": request.described()}

    def list(self, kind: str, call: Call) -> dict[str, Any]:
        """A page of requests, newest first, in the wanted state."""
        wanted = (call.params.get("Filter") or {}).get("Status")
        found = [one for one in reversed(self._requests.values()) if one.kind == kind]
        rows = [
            {"RequestId": one.id, "Status": one.status, "CreatedDate": one.created}
            for one in found
            if wanted in (None, one.status)
        ]
        start = int(call.params.get("NextToken") or 0)
        end = start + int(call.params.get("MaxResults") or PAGE)
        return {f"AccountAssignments{kind}Status": rows[start:end], "NextToken": str(end) if end < len(rows) else None}

    def _finish(self, request: Request) -> None:
        members = request.members
        with self._state.lock:
            request.reason = self._problem(members) if request.kind == "Creation" else None
            if request.reason is None and request.kind == "Creation":
                self._grant(members)
            elif request.kind == "Deletion":
                held = self._held(members)
                if held is not None:
                    self._backend.account_assignments.remove(held)
            request.status = "FAILED" if request.reason else "SUCCEEDED"

    def _grant(self, members: Mapping[str, str]) -> None:
        permissions = self._permission_set(members["PermissionSetArn"])
        provision(members["TargetId"], self._state.region, permissions)
        if self._held(members) is None:
            self._backend.create_account_assignment(
                instance_arn=self._backend.instances[0].instance_arn,
                target_id=members["TargetId"],
                target_type=members["TargetType"],
                permission_set_arn=members["PermissionSetArn"],
                principal_type=members["PrincipalType"],
                principal_id=members["PrincipalId"],
            )

    def _problem(self, members: Mapping[str, str]) -> str | None:
        """Why access cannot be given."""
        target = account(backend(self._state), members["TargetId"])
        if target is None or target.status != "ACTIVE":
            return f"Received a 404 status error: {members['TargetId']} is no active account of the organization."
        stores = identitystore_backends[self._state.management_account][self._state.region].identity_stores
        store = stores.get(self._backend.instances[0].identity_store_id)
        people = () if store is None else (store.users if members["PrincipalType"] == "USER" else store.groups)
        if members["PrincipalId"] not in people:
            return f"Received a 404 status error: {members['PrincipalType']} {members['PrincipalId']} not found."
        return None

    def _held(self, members: Mapping[str, str]) -> Any:
        return next(
            (
                one
                for one in self._backend.account_assignments
                if all(one.to_json()[name] == value for name, value in members.items())
            ),
            None,
        )

    def _check_instance(self, call: Call) -> None:
        if not any(one.instance_arn == call.params["InstanceArn"] for one in self._backend.instances):
            raise AwsError("ResourceNotFoundException", "Instance not found.")

    def _permission_set(self, arn: str) -> PermissionSet:
        for one in self._backend.permission_sets:
            if one.permission_set_arn == arn:
                return one
        raise AwsError("ResourceNotFoundException", f"Could not find PermissionSet with ARN {arn}.")


def _name_as_aws_does(center: SSOAdminBackend) -> None:
    """moto's ids do not match the patterns of AWS's own models."""
    instance = center.instances[0]
    instance.identity_store_id = f"d-{secrets.token_hex(5)}"
    instance.instance_arn = f"arn:aws:sso:::instance/ssoins-{secrets.token_hex(8)}"

    def named(instance_arn: str) -> str:
        return f"arn:aws:sso:::permissionSet/{instance_arn.rpartition('/')[2]}/ps-{secrets.token_hex(8)}"

    PermissionSet.generate_id = staticmethod(named)  # type: ignore[method-assign]
