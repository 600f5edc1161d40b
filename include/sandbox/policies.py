"""Organization policies: a document that is no policy is refused, and so is one that is not switched on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from moto.organizations.models import OrganizationsBackend

from sandbox.state import AwsError, Call, SandboxState

SERVICE = "organizations"
MAX_CHARACTERS = {"SERVICE_CONTROL_POLICY": 5_120, "RESOURCE_CONTROL_POLICY": 5_120, "TAG_POLICY": 10_000}
"""Quotas for AWS Organizations: maximum size of a policy document."""
MAX_ATTACHED = 5
"""Of service control, or of resource control policies, on one root, unit or account."""
LIMITED = ("SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY")


def install(state: SandboxState, organization: OrganizationsBackend) -> None:
    """Puts the rules that moto leaves out in front of it."""
    rules = Policies(organization)
    state.check(SERVICE, "CreatePolicy", lambda call: check_document(call.params["Content"], call.params["Type"]))
    state.check(SERVICE, "UpdatePolicy", rules.update)
    state.check(SERVICE, "AttachPolicy", rules.attach)
    state.check(SERVICE, "DetachPolicy", rules.detach)


class Policies:
    """Rules on attaching and changing policies of one organization."""

    def __init__(self, organization: OrganizationsBackend) -> None:
        self._organization = organization

    def update(self, call: Call) -> None:
        """The new document is one."""
        if "Content" in call.params:
            policy = self._organization.get_policy_by_id(call.params["PolicyId"])
            check_document(call.params["Content"], policy.type)

    def attach(self, call: Call) -> None:
        """The type is enabled in the root, the policy not attached yet, and there is room for it."""
        policy = self._organization.get_policy_by_id(call.params["PolicyId"])
        enabled = {kind["Type"] for root in self._organization.ou for kind in getattr(root, "policy_types", ())}
        if policy.type not in enabled:
            raise AwsError("PolicyTypeNotEnabledException", "The specified policy type isn't currently enabled.")
        attached = self._attached(call.params["TargetId"])
        if policy in attached:
            raise AwsError("DuplicatePolicyAttachmentException", "The selected policy is already attached.")
        same = [other for other in attached if other.type == policy.type]
        if policy.type in LIMITED and len(same) >= MAX_ATTACHED:
            raise AwsError("ConstraintViolationException", "MAX_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")

    def detach(self, call: Call) -> None:
        """It is attached, and not the last of its type."""
        policy = self._organization.get_policy_by_id(call.params["PolicyId"])
        attached = self._attached(call.params["TargetId"])
        if policy not in attached:
            raise AwsError("PolicyNotAttachedException", "The policy isn't attached to the specified target.")
        if policy.type in LIMITED and sum(other.type == policy.type for other in attached) == 1:
            raise AwsError("ConstraintViolationException", "MIN_POLICY_TYPE_ATTACHMENT_LIMIT_EXCEEDED")

    def _attached(self, target: str) -> list[Any]:
        holders: list[Any] = [*self._organization.ou, *self._organization.accounts]
        for held in holders:
            if held.id == target:
                return list(held.attached_policies)
        raise AwsError("TargetNotFoundException", "We can't find a root, OU, or account with the TargetId.")


def check_document(content: str, kind: str) -> None:
    """Refuses what is too long, not JSON, or not a policy of its kind."""
    if len(content) > MAX_CHARACTERS.get(kind, 10_000):
        raise AwsError("ConstraintViolationException", "POLICY_CONTENT_LIMIT_EXCEEDED: the policy is too large.")
    try:
        document = json.loads(content)
    except ValueError as problem:
        raise AwsError("MalformedPolicyDocumentException", f"The provided policy is no JSON: {problem}") from problem
    if not isinstance(document, dict):
        raise AwsError("MalformedPolicyDocumentException", "The provided policy document is no object.")
    if kind in LIMITED:
        _check_statements(document, kind)


def _check_statements(document: Mapping[str, Any], kind: str) -> None:
    given = document.get("Statement")
    statements = given if isinstance(given, list) else [given]
    proper = bool(statements) and all(isinstance(one, dict) and _is_statement(one, kind) for one in statements)
    if document.get("Version") not in ("2012-10-17", "2008-10-17") or not proper:
        raise AwsError("MalformedPolicyDocumentException", "The provided policy document does not meet the grammar.")


def _is_statement(statement: Mapping[str, Any], kind: str) -> bool:
    """Grammar of the Organizations user guide: an SCP names no principal, an RCP denies everybody something."""
    acts = ("Action" in statement) != ("NotAction" in statement)
    if kind == "RESOURCE_CONTROL_POLICY":
        return acts and statement.get("Effect") == "Deny" and statement.get("Principal") == "*"
    return acts and statement.get("Effect") in ("Allow", "Deny") and "Principal" not in statement
