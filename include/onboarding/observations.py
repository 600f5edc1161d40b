"""One question to the world and what came back: pass, fail or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any


class Answer(StrEnum):
    """Not knowing is never passing."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Observation:
    """What a check saw. `why` is a catalogue key (`what`, `remedy`), filled from `values`."""

    check: str
    answer: Answer
    observed: Any
    expected: Any
    at: datetime
    why: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """As it goes into the ledger: JSON types only, the time in ISO-8601 UTC."""
        return asdict(self) | {"answer": str(self.answer), "at": self.at.isoformat()}


def judged(check: str, observed: Any, expected: Any, at: datetime, *, why: str = "", **values: Any) -> Observation:
    """Pass when what was observed equals what was expected, fail otherwise."""
    answer = Answer.PASS if observed == expected else Answer.FAIL
    return Observation(check, answer, observed, expected, at, why, values)
