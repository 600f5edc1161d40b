"""STS: a role is assumed only if it exists and lets the caller in, and its session acts in the role's account."""

from __future__ import annotations

import json
import re
from typing import Any

from moto.iam.models import Role, iam_backends
from moto.sts.models import sts_backends

from sandbox import statements
from sandbox.identity import Identities
from sandbox.state import AwsError, Call, SandboxState

ROLE_ARN = re.compile(r"arn:aws:iam::(\d{12}):role/(?:.*/)?([^/]+)", re.ASCII)
DEFAULT_SECONDS = 3600
CHAINED_SECONDS = 3600
"""Longest session of a role that a role assumes, whatever the role allows (AWS: role chaining)."""


def install(state: SandboxState, identities: Identities) -> None:
    """Takes over AssumeRole; refuses the sessions for which moto hands out one constant key."""
    sessions = Sessions(state, identities)
    state.handle("sts", "AssumeRole", sessions.assume)
    for operation in ("GetSessionToken", "GetFederationToken"):
        state.handle("sts", operation, _absent)


class Sessions:
    """Role sessions of this sandbox."""

    def __init__(self, state: SandboxState, identities: Identities) -> None:
        self._state, self._identities = state, identities

    def assume(self, call: Call) -> dict[str, Any]:
        """Credentials of the role's account, or AccessDenied, which does not say why (as on AWS)."""
        arn = str(call.params["RoleArn"])
        role = find_role(arn)
        if role is None or not statements.allows(_document(role), self._asked(call)):
            said = f"User: {call.caller} is not authorized to perform: sts:AssumeRole on resource: {arn}"
            raise AwsError("AccessDenied", said, 403)
        seconds = int(call.params.get("DurationSeconds") or DEFAULT_SECONDS)
        longest = int(role.max_session_duration or DEFAULT_SECONDS)
        if seconds > (CHAINED_SECONDS if ":assumed-role/" in call.caller else longest):
            raise AwsError("ValidationError", "The requested DurationSeconds exceeds the maximum set for this role.")
        return self._open(call, arn, seconds)

    def _open(self, call: Call, arn: str, seconds: int) -> dict[str, Any]:
        with self._state.lock:
            session = sts_backends[arn.split(":")[4]]["aws"].assume_role(
                region_name=call.region,
                role_session_name=call.params["RoleSessionName"],
                role_arn=arn,
                policy=call.params.get("Policy", ""),
                duration=seconds,
                external_id=call.params.get("ExternalId", ""),
            )
            self._identities.remember(session)
        return {
            "Credentials": {
                "AccessKeyId": session.access_key_id,
                "SecretAccessKey": session.secret_access_key,
                "SessionToken": session.session_token,
                "Expiration": session.expiration,
            },
            "AssumedRoleUser": {"AssumedRoleId": session.user_id, "Arn": session.arn},
        }

    def _asked(self, call: Call) -> statements.Asked:
        caller = statements.is_caller(call.caller)
        return statements.Asked("sts:AssumeRole", caller, context=self._context(call))

    def _context(self, call: Call) -> statements.Context:
        known = {
            "aws:currenttime": self._state.now().isoformat(),
            "aws:principalaccount": call.account,
            "aws:principalarn": statements.role_of(call.caller),
            "aws:multifactorauthpresent": "false",
            "aws:securetransport": "false",
            "sts:rolesessionname": call.params["RoleSessionName"],
        }
        external = call.params.get("ExternalId")
        return known | ({"sts:externalid": external} if external is not None else {})


def find_role(arn: str) -> Role | None:
    """The role of that ARN, in whatever account it is."""
    found = ROLE_ARN.fullmatch(arn)
    if found is None or found[1] not in iam_backends:
        return None
    roles = iam_backends[found[1]]["aws"].roles.values()
    return next((role for role in roles if role.arn == arn), None)


def _document(role: Role) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(role.assume_role_policy_document)
    return parsed


def _absent(call: Call) -> dict[str, Any]:
    raise AwsError("NotImplemented", f"the sandbox does not implement sts:{call.operation}", 501)
