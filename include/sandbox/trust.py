"""Whether a role's trust policy lets a caller in."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

Context = Mapping[str, str]
"""Condition keys, lower case, with their values for this call; a key that is absent is not known."""


def allows(document: Mapping[str, Any], caller: str, context: Context) -> bool:
    """Some statement allows sts:AssumeRole to `caller` (an ARN), and none denies it."""
    given = document.get("Statement", [])
    statements = given if isinstance(given, list) else [given]
    matching = [one["Effect"] for one in statements if _applies(one, caller, context)]
    return "Allow" in matching and "Deny" not in matching


def _applies(statement: Mapping[str, Any], caller: str, context: Context) -> bool:
    acts = any(fnmatch.fnmatchcase("sts:assumerole", action.lower()) for action in _list(statement.get("Action", [])))
    named = acts and _is_principal(statement.get("Principal", {}), caller)
    return named and _conditions_hold(statement.get("Condition", {}), context)


def _is_principal(principal: Any, caller: str) -> bool:
    """An account's root stands for everybody in it; a role's session counts as the role."""
    names = ["*"] if principal == "*" else _list(principal.get("AWS", []))
    account = caller.split(":")[4]
    known = {"*", account, f"arn:aws:iam::{account}:root", caller, role_of(caller)}
    return any(name in known for name in names)


def role_of(caller: str) -> str:
    """The role behind a session's ARN; any other ARN as it is."""
    found = re.fullmatch(r"arn:aws:sts::(\d{12}):assumed-role/([^/]+)/.+", caller, re.ASCII)
    return f"arn:aws:iam::{found[1]}:role/{found[2]}" if found else caller


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    return all(
        _holds(operator, context.get(key.lower()), [str(value) for value in _list(values)])
        for operator, wanted in conditions.items()
        for key, values in wanted.items()
    )


def _holds(operator: str, found: str | None, wanted: list[str]) -> bool:
    """One condition. An operator that is not known here never holds: the door stays shut."""
    name, lenient = operator.removesuffix("IfExists"), operator.endswith("IfExists")
    if name == "Null":
        return (found is None) == (wanted[0].lower() == "true")
    if found is None:
        return lenient or name in NEGATED
    if name in NEGATED:
        return not any(NEGATED[name](found, value) for value in wanted)
    compare = OPERATORS.get(name)
    return compare is not None and any(compare(found, value) for value in wanted)


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


def _list(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]
