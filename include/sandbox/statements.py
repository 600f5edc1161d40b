"""What a policy on a resource (a role's trust, a bucket's policy) lets whom do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox.state import AwsError

Context = Mapping[str, str]
"""Condition keys, lower case, with their values for this call; a key that is absent is not known."""


@dataclass(frozen=True)
class Asked:
    """Who would do what to which resource, under which circumstances."""

    action: str
    is_principal: Callable[[Any], bool]
    resource: str = "*"
    context: Context = field(default_factory=dict)


def allows(document: Mapping[str, Any], asked: Asked) -> bool:
    """Some statement of a resource's policy allows what is asked, and none denies it."""
    given = document.get("Statement", [])
    statements = given if isinstance(given, list) else [given]
    matching = [one["Effect"] for one in statements if _applies(one, asked)]
    return "Allow" in matching and "Deny" not in matching


def _applies(statement: Mapping[str, Any], asked: Asked) -> bool:
    acts = any(_like(asked.action.lower(), action.lower()) for action in as_list(statement.get("Action", [])))
    named = acts and asked.is_principal(statement.get("Principal", {}))
    resources = as_list(statement.get("Resource", asked.resource))
    there = named and any(_like(asked.resource, resource) for resource in resources)
    return there and _conditions_hold(statement.get("Condition", {}), asked.context)


def is_caller(caller: str) -> Callable[[Any], bool]:
    """Whether a Principal element means that caller: an account's root stands for everybody in the account."""
    account = caller.split(":")[4]
    known = {"*", account, f"arn:aws:iam::{account}:root", caller, role_of(caller)}
    return lambda principal: any(name in known for name in _named(principal, "AWS"))


def is_service(service: str) -> Callable[[Any], bool]:
    """Whether a Principal element means that AWS service."""
    return lambda principal: any(name in ("*", service) for name in _named(principal, "Service"))


def _named(principal: Any, kind: str) -> list[Any]:
    return ["*"] if principal == "*" else as_list(principal.get(kind, []))


def role_of(caller: str) -> str:
    """The role behind a session's ARN; any other ARN as it is."""
    found = re.fullmatch(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+", caller, re.ASCII)
    return f"arn:aws:iam::{found[1]}:role/{found[2]}" if found else caller


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    return all(
        _holds(operator, context.get(key.lower()), [str(value) for value in as_list(values)])
        for operator, wanted in conditions.items()
        for key, values in wanted.items()
    )


def _holds(operator: str, found: str | None, wanted: list[str]) -> bool:
    """One condition. AwsError for an operator that is not known here: guessing would open or shut doors."""
    name, lenient = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    if name == "Null":
        return (found is None) == (wanted[0].lower() == "true")
    if name not in NEGATED and name not in OPERATORS:
        raise AwsError("NotImplemented", f"the sandbox does not evaluate the condition operator {operator}", 501)
    if found is None:
        return lenient or name in NEGATED
    if name in NEGATED:
        return not any(NEGATED[name](found, value) for value in wanted)
    return any(OPERATORS[name](found, value) for value in wanted)


def _like(found: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), found, re.DOTALL) is not None


def _when(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


OPERATORS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": str.__eq__,
    "StringEqualsIgnoreCase": lambda found, wanted: found.lower() == wanted.lower(),
    "StringLike": _like,
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": lambda found, wanted: found.lower() == wanted.lower(),
    "DateLessThan": lambda found, wanted: _when(found) < _when(wanted),
    "DateLessThanEquals": lambda found, wanted: _when(found) <= _when(wanted),
    "DateGreaterThan": lambda found, wanted: _when(found) > _when(wanted),
    "DateGreaterThanEquals": lambda found, wanted: _when(found) >= _when(wanted),
}
NEGATED: dict[str, Callable[[str, str], bool]] = {
    "StringNotEquals": str.__eq__,
    "StringNotLike": _like,
    "ArnNotEquals": _like,
    "ArnNotLike": _like,
}


def as_list(value: Any) -> list[Any]:
    """A policy's "one or several", as several."""
    return list(value) if isinstance(value, (list, tuple)) else [value]
