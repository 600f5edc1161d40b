"""What AWS's models say about a request and botocore does not check: patterns, lengths, ranges, enumerations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from moto.core.utils import get_service_model

from sandbox.state import AwsError, Call, SandboxState

REFUSES_WITH = {
    "account": "ValidationException",
    "budgets": "InvalidParameterException",
    "identitystore": "ValidationException",
    "organizations": "InvalidInputException",
    "service-quotas": "IllegalArgumentException",
    "sso-admin": "ValidationException",
    "sts": "ValidationError",
}
"""The services whose requests are checked, and the error that each of them refuses with."""


def install(state: SandboxState) -> None:
    """Every call of those services is held against its model first."""
    state.guard(check)


def check(call: Call) -> None:
    """Refuses a call that its model does not allow, naming the first member that is wrong."""
    code = REFUSES_WITH.get(call.service)
    if code is None:
        return
    shape = get_service_model(call.service).operation_model(call.operation).input_shape
    problem = wrong(shape, call.params, "") if shape is not None else None
    if problem:
        raise AwsError(code, f"1 validation error detected: {problem}")


def wrong(shape: Any, value: Any, where: str) -> str | None:
    """What is wrong with `value`, None if nothing is."""
    if shape.type_name == "structure" and isinstance(value, Mapping):
        missing = next((name for name in shape.required_members if value.get(name) is None), None)
        if missing:
            return f"Value at '{where}{missing}' failed to satisfy constraint: Member must not be null"
        found = (wrong(shape.members[n], v, f"{where}{n}.") for n, v in value.items() if n in shape.members)
        return next((problem for problem in found if problem), None)
    if shape.type_name == "list" and isinstance(value, (list, tuple)):
        found = (wrong(shape.member, item, f"{where}{at}.") for at, item in enumerate(value, 1))
        return _size(shape, len(value), where) or next((problem for problem in found if problem), None)
    if shape.type_name == "string" and isinstance(value, str):
        return _text(shape, value, where)
    if shape.type_name in ("integer", "long") and isinstance(value, int):
        return _size(shape, value, where)
    return None


def _text(shape: Any, value: str, where: str) -> str | None:
    enum, pattern = shape.metadata.get("enum"), shape.metadata.get("pattern")
    if enum and value not in enum:
        return f"Value '{value}' at '{where[:-1]}' must be one of {', '.join(enum)}"
    if pattern and not _matches(pattern, value):
        return f"Value at '{where[:-1]}' must satisfy regular expression pattern: {pattern}"
    return _size(shape, len(value), where)


def _size(shape: Any, size: int, where: str) -> str | None:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    if least is not None and size < least:
        return f"Value at '{where[:-1]}' must be at least {least}"
    if most is not None and size > most:
        return f"Value at '{where[:-1]}' must be at most {most}"
    return None


def _matches(pattern: str, value: str) -> bool:
    """AWS's patterns are Java's and anchored; one that Python cannot read is not held against anybody."""
    readable = re.sub(r"\\p\{(?:L|Print|IsLetter)\}", r"\\w", pattern).replace(r"\p{ASCII}", r"\x00-\x7f")
    try:
        return re.fullmatch(readable, value) is not None
    except re.error:
        return True
