"""An engine and the verifier by themselves: without Airflow, ledger or manifest, for whoever needs only that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """The step at work; while things are moved: parts that have arrived and are planned, rows or files, bytes."""

    step: str
    arrived: int = 0
    planned: int = 0
    items: int = 0
    bytes: int = 0


Tell = Callable[[Progress], None]
"""Called when a step begins, and again and again while things are moved."""
