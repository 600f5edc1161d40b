"""What the programme view counts against and judges by: the dated table `policies/programme.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from onboarding.evidence_kinds import Stage

RULES_FILE = Path(__file__).resolve().parents[2] / "policies" / "programme.yaml"

Owner = Literal["approver", "operator", "agency", "aws", "time", "programme", "platform"]
"""Whose move it is. `time` is a window that opens or a watch that ends; `programme` is our own tasks at work."""

PEOPLE: frozenset[Owner] = frozenset({"approver", "operator", "agency", "platform"})
"""Owners who have to do something: without them nothing goes on."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Goal(_Part):
    """How many pilots shall be live, and who says so."""

    live: int
    source: str
    checked: date


class Turn(_Part):
    """Whose move it is while checks of `gate` that begin with `check` are unknown or failed."""

    gate: str
    check: str = ""
    unknown: Owner
    failed: Owner


class Expected(_Part):
    """How long each stage may take; `compressed` for demonstrations."""

    real: Mapping[Stage, timedelta]
    compressed: Mapping[Stage, timedelta]


class Rules(_Part):
    """The whole table."""

    version: str
    goal: Goal
    expected: Expected
    retries: int
    whose_move: tuple[Turn, ...]

    def turn(self, gate: str, check: str, *, failed: bool) -> Owner:
        """Whose move a check is that did not pass."""
        for line in self.whose_move:
            if line.gate in ("", gate) and check.startswith(line.check):
                return line.failed if failed else line.unknown
        return "operator"

    def stage_may_take(self, stage: Stage, *, compressed: bool) -> timedelta:
        """How long a stage is expected to take at most."""
        return (self.expected.compressed if compressed else self.expected.real)[stage]


@cache
def load_rules(path: Path = RULES_FILE) -> Rules:
    """The table, read once."""
    return Rules.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
