"""How many pilots shall be live, and by which source: the programme's goal."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, PositiveInt

PROGRAMME_FILE = Path(__file__).resolve().parents[2] / "policies" / "programme.yaml"


class Goal(BaseModel):
    """How many pilots shall be live, who says so, last checked when."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    live: PositiveInt
    source: str
    checked: date


@cache
def load_goal(path: Path = PROGRAMME_FILE) -> Goal:
    """The part `goal` of the programme's table, read once."""
    return Goal.model_validate(yaml.safe_load(path.read_text(encoding="utf-8"))["goal"])
