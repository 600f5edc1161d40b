"""Guardrails: service and resource control policies on the pilots' unit, which no pilot's account can take off."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from onboarding.aws_errors import explaining
from onboarding.effects import Effects, Once
from onboarding.errors import Stop
from onboarding.observations import Answer, Observation
from onboarding.policy_documents import FOLDER, document, same_policy
from onboarding.units import parent_of, root_of

if TYPE_CHECKING:
    from mypy_boto3_organizations import OrganizationsClient

SIZE = 5_120  # characters of one policy (Organizations User Guide, "Quotas and service limits")

PolicyType = Literal["SERVICE_CONTROL_POLICY", "RESOURCE_CONTROL_POLICY"]
_TYPES: Mapping[str, PolicyType] = {"scp": "SERVICE_CONTROL_POLICY", "rcp": "RESOURCE_CONTROL_POLICY"}


@dataclass(frozen=True)
class Guardrail:
    """One policy as it should stand in AWS. `content` is compact JSON."""

    name: str
    type: PolicyType
    content: str


def load_guardrails(organization_id: str) -> list[Guardrail]:
    """Every policy of `policies/guardrails` for this organization, by name.

    `scp_` or `rcp_` in the file's name says its type. Raises Stop for one that is longer than AWS takes.
    """
    return [_guardrail(path, organization_id) for path in sorted((FOLDER / "guardrails").glob("*.json"))]


def _guardrail(path: Path, organization_id: str) -> Guardrail:
    content = document(f"guardrails/{path.stem}", organization_id=organization_id)
    if len(content) > SIZE:
        raise Stop("guardrails.too_long", where=path.name, length=len(content), limit=SIZE)
    kind = path.stem.partition("_")[0]
    return Guardrail(f"namrong-{path.stem.replace('_', '-')}", _TYPES[kind], content)


@explaining("organizations")
def ensure_policies(organizations: OrganizationsClient, once: Once) -> dict[str, str]:
    """The ids of the guardrails by name: policy types switched on, policies made, their content as in our files."""
    guardrails = load_guardrails(_organization_id(organizations))
    for policy_type in sorted({guardrail.type for guardrail in guardrails}):
        _ensure_type(organizations, policy_type, once)
    return {guardrail.name: _ensure_policy(organizations, guardrail, once) for guardrail in guardrails}


@explaining("organizations")
def attach(organizations: OrganizationsClient, target_id: str, policies: Mapping[str, str], once: Once) -> None:
    """Every policy (`policies` is what `ensure_policies` returned) is attached to the unit or account."""
    for name, policy_id in policies.items():
        _attach(organizations, target_id, name, policy_id, once)


@explaining("organizations")
def observe_guardrails(organizations: OrganizationsClient, account_id: str, now: datetime) -> Observation:
    """Whether every guardrail, word for word, is attached to the account's unit or to the account."""
    attached = dict(_attached(organizations, parent_of(organizations, account_id)))
    attached |= dict(_attached(organizations, account_id))
    wanted = {guardrail.name: guardrail.content for guardrail in load_guardrails(_organization_id(organizations))}
    missing = sorted(name for name in wanted if name not in attached)
    altered = sorted(name for name in wanted if name in attached and not same_policy(attached[name], wanted[name]))
    answer = Answer.FAIL if missing or altered else Answer.PASS
    observed = {"attached": sorted(attached.keys() & wanted.keys()), "altered": altered}
    values = {"missing": ", ".join(missing) or "-", "altered": ", ".join(altered) or "-", "account": account_id}
    return Observation("account.guardrails", answer, observed, sorted(wanted), now, "guardrails.not_in_place", values)


def _organization_id(organizations: OrganizationsClient) -> str:
    return organizations.describe_organization()["Organization"]["Id"]


def _ensure_type(organizations: OrganizationsClient, policy_type: PolicyType, once: Once) -> None:
    def find() -> Mapping[str, str] | None:
        enabled = [each["Type"] for each in root_of(organizations)["PolicyTypes"] if each["Status"] == "ENABLED"]
        return {"type": policy_type} if policy_type in enabled else None

    def perform() -> Mapping[str, str]:
        organizations.enable_policy_type(RootId=root_of(organizations)["Id"], PolicyType=policy_type)
        return {"type": policy_type}

    Effects(once).settle(
        "organizations", "EnablePolicyType", policy_type, {"type": policy_type}, find=find, perform=perform
    )


def _ensure_policy(organizations: OrganizationsClient, guardrail: Guardrail, once: Once) -> str:
    def find() -> Mapping[str, str] | None:
        pages = organizations.get_paginator("list_policies").paginate(Filter=guardrail.type)
        named = (each["Id"] for page in pages for each in page["Policies"] if each["Name"] == guardrail.name)
        return next(({"policy": policy_id} for policy_id in named), None)

    def perform() -> Mapping[str, str]:
        made = organizations.create_policy(
            Name=guardrail.name, Type=guardrail.type, Content=guardrail.content, Description="Namrong guardrail"
        )
        return {"policy": made["Policy"]["PolicySummary"]["Id"]}

    request = {"name": guardrail.name, "type": guardrail.type}
    made = Effects(once).make("organizations", "CreatePolicy", guardrail.name, request, find=find, perform=perform)
    policy_id = str(made["policy"])
    if not same_policy(organizations.describe_policy(PolicyId=policy_id)["Policy"]["Content"], guardrail.content):
        organizations.update_policy(PolicyId=policy_id, Content=guardrail.content)
    return policy_id


def _attach(organizations: OrganizationsClient, target_id: str, name: str, policy_id: str, once: Once) -> None:
    def find() -> Mapping[str, str] | None:
        pages = organizations.get_paginator("list_targets_for_policy").paginate(PolicyId=policy_id)
        targets = [target["TargetId"] for page in pages for target in page["Targets"]]
        return {"target": target_id} if target_id in targets else None

    def perform() -> Mapping[str, str]:
        # A duplicate means that it is there: an earlier answer was lost.
        with suppress(organizations.exceptions.DuplicatePolicyAttachmentException):
            organizations.attach_policy(PolicyId=policy_id, TargetId=target_id)
        return {"target": target_id}

    request = {"policy": policy_id, "target": target_id}
    Effects(once).settle("organizations", "AttachPolicy", f"{name}/{target_id}", request, find=find, perform=perform)


def _attached(organizations: OrganizationsClient, target_id: str) -> Iterator[tuple[str, str]]:
    for policy_type in _TYPES.values():
        pages = organizations.get_paginator("list_policies_for_target").paginate(TargetId=target_id, Filter=policy_type)
        for page in pages:
            for each in page["Policies"]:
                yield each["Name"], organizations.describe_policy(PolicyId=each["Id"])["Policy"]["Content"]
