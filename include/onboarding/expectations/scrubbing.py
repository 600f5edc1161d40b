"""Answers of Great Expectations without anything that quotes a row: counts stay, values and error texts go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from onboarding.expectations.verdicts import SideAnswer

COUNTS = ("element_count", "unexpected_count", "unexpected_percent", "missing_count", "missing_percent")
ERROR = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|[a-z][A-Z]\w*))(?::|$)", re.ASCII | re.MULTILINE)


def scrub(answer: Any, *, counted: bool) -> SideAnswer:
    """What the answer says; the answer itself is stripped in place, before anybody renders it."""
    problems = list(_problems(answer.exception_info or {}))
    counts = {key: answer.result[key] for key in COUNTS if counted and answer.result.get(key) is not None}
    answer.result = counts
    if problems:
        answer.exception_info = {
            "raised_exception": True, "exception_message": problems[0], "exception_traceback": ""
        }  # fmt: skip
        return SideAnswer(None, problem=problems[0])
    return SideAnswer(bool(answer.success), counts.get("unexpected_count"), counts.get("element_count"))


def _problems(info: Mapping[str, Any]) -> Iterator[str]:
    """The names of the errors raised, innermost first; their texts may quote a row."""
    if "raised_exception" in info:
        if info["raised_exception"]:
            named = ERROR.findall(str(info.get("exception_traceback") or ""))
            yield named[0] if named else "error"
        return
    for nested in info.values():
        yield from _problems(nested)
