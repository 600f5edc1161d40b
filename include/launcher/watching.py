"""Where each pilot's run stands, as a table for people: stage, since when, what it waits for, what was moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.table import Table

from onboarding.messages import Language, text
from onboarding.programme.table import PilotRow, cells, headings

# The most telling first: what a person must do, what moves, what only waits.
TELLING = ("awaiting_input", "running", "up_for_retry", "queued", "restarting", "deferred", "up_for_reschedule")
FINISHED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class Line:
    """One pilot: its row out of the ledger, the state of its run, and what the run is busy with."""

    row: PilotRow
    run_state: str
    busy_with: str

    def waits_for(self) -> str:
        """What the ledger knows (a gate's open checks, an approval); else what Airflow is busy with."""
        return "" if self.run_state == "success" else " · ".join(self.row.waits_for) or self.busy_with

    def news(self) -> tuple[str, ...]:
        """What a reader of plain lines wants to be told of when it changes."""
        return self.row.state, self.run_state, self.waits_for()


def busy_with(instances: Sequence[Mapping[str, Any]], run_state: str, language: Language) -> str:
    """The one task of a run that tells most about what it is busy with; empty when there is none."""
    wanted = ("failed",) if run_state == "failed" else TELLING
    for state in wanted:
        for task in instances:
            if task["state"] == state:
                return text(
                    f"launcher.task_states.{state}", language, task=_name(task), try_number=task["try_number"]
                )  # fmt: skip
    return ""


def table(lines: Sequence[Line], now: datetime, language: Language) -> Table:
    """The live table."""
    shown = Table(title=text("launcher.table.title", language), title_justify="left", expand=True)
    *left, rows, files, waits = headings(language)
    for name in left:
        shown.add_column(name, overflow="fold")
    for name in (rows, files):
        shown.add_column(name, justify="right")
    shown.add_column(waits, overflow="fold", ratio=1)
    for line in lines:
        pilot, *middle, _ = cells(line.row, now, language)
        shown.add_row(f"{pilot} {line.row.name}", *middle, line.waits_for())
    return shown


def plain(line: Line, now: datetime, language: Language) -> str:
    """The same in one line, for a log."""
    pilot, state, _, rows, files, _ = cells(line.row, now, language)
    return f"{now.astimezone():%H:%M:%S}  {pilot}  {state:<11}  {rows:>9} / {files:>6}  {line.waits_for()}".rstrip()


def _name(task: Mapping[str, Any]) -> str:
    return str(task["task_id"]) if task["map_index"] < 0 else f"{task['task_id']} [{task['map_index']}]"
