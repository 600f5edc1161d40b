"""IAM: a trust policy names principals that exist, and an account's alias is nobody else's."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.iam.models import SERVICE_NAME_CONVERSION, iam_backends

from sandbox import statements
from sandbox.organizations import account, backend
from sandbox.state import AwsError, Call, SandboxState

PRINCIPAL = re.compile(r"arn:aws:(?:iam|sts)::(\d{12}):(root|(?:role|user|assumed-role)/.+)", re.ASCII)


LINKED_NAMES = {
    "cloudtrail": "CloudTrail",
    "config": "Config",
    "organizations": "Organizations",
    "rds": "RDS",
    "sso": "SSO",
}
"""How the services write themselves in the names of their roles: AWSServiceRoleForConfig."""


def install(state: SandboxState) -> None:
    """Puts in front of moto what moto takes on trust."""
    SERVICE_NAME_CONVERSION.update(LINKED_NAMES)
    state.check("iam", "CreateServiceLinkedRole", check_linked)
    state.check("iam", "CreateRole", lambda call: check_principals(state, call.params["AssumeRolePolicyDocument"]))
    state.check("iam", "UpdateAssumeRolePolicy", lambda call: check_principals(state, call.params["PolicyDocument"]))
    state.check("iam", "CreateAccountAlias", check_alias)


def check_principals(state: SandboxState, document: str) -> None:
    """Every account, role and user that a trust policy names exists. What is no JSON is moto's to refuse."""
    try:
        parsed = json.loads(document)
    except ValueError:
        return
    for statement in statements.as_list(parsed.get("Statement", [])):
        principal = statement.get("Principal", {})
        named = statements.as_list(principal.get("AWS", [])) if isinstance(principal, dict) else []
        for name in named:
            if not _exists(state, str(name)):
                raise AwsError("MalformedPolicyDocument", f'Invalid principal in policy: "AWS":"{name}"')


def check_linked(call: Call) -> None:
    """A service has one linked role in an account, unless a suffix tells them apart."""
    path, suffix = f"/aws-service-role/{call.params['AWSServiceName']}/", call.params.get("CustomSuffix")
    if any(role.path == path for role in iam_backends[call.account]["aws"].roles.values()) and not suffix:
        raise AwsError("InvalidInput", "Service role name has been taken in this account, try a different suffix.")


def check_alias(call: Call) -> None:
    """Aliases are unique among all accounts."""
    alias = call.params["AccountAlias"]
    for owner, partitions in list(iam_backends.items()):
        if alias in partitions["aws"].account_aliases and owner != call.account:
            raise AwsError("EntityAlreadyExists", f"The account alias {alias} already exists.", 409)


def _exists(state: SandboxState, name: str) -> bool:
    if name == "*":
        return True
    found = PRINCIPAL.fullmatch(name)
    owner = found[1] if found else name
    if account(backend(state), owner) is None:
        return False
    return found is None or _is_known(owner, found[2])


def _is_known(owner: str, what: str) -> bool:
    """The last part of the path is the name, for roles and users; a session's role is the middle part."""
    kind, _, path = what.partition("/")
    iam: Any = iam_backends[owner]["aws"]
    if kind == "role":
        return any(role.name == path.rpartition("/")[2] for role in iam.roles.values())
    if kind == "user":
        return path.rpartition("/")[2] in iam.users
    return kind == "root" or any(role.name == path.partition("/")[0] for role in iam.roles.values())
