"""A task's trouble in the ledger, and that it is over: what somebody has to mend, until it is mended."""

from __future__ import annotations

from onboarding.ledger import Ledger

NOT_MAPPED = -1
"""Airflow's map index of a task that is one."""


def tell_trouble(
    ledger: Ledger, pilot: str, task: str, unit: int, words: dict[str, str], action: str, *, run: str
) -> None:
    """Task `task` (its mapped unit `unit`) failed; `words` are the reason in `th` and `en`."""
    ledger.record(pilot, "trouble", task, {**words, "action": action, "unit": unit}, run=run)


def mend(ledger: Ledger, pilot: str, task: str, unit: int, *, run: str) -> None:
    """The same task went well now. Writes nothing when there was no trouble since it did last."""
    told = ledger.records(pilot=pilot, kind=("trouble", "mended"), subject=task)
    own = [record for record in told if record.body.get("unit", NOT_MAPPED) == unit]
    if own and own[-1].kind == "trouble":
        ledger.record(pilot, "mended", task, {"unit": unit}, run=run)
