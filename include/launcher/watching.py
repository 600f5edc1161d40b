"""Where each pilot's run stands, as a table for people: stage, since when, what it waits for, what was moved."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rich.table import Table

from onboarding.messages import Language, text

ACTIVE = (
    "running",
    "queued",
    "scheduled",
    "awaiting_input",
    "deferred",
    "up_for_retry",
    "up_for_reschedule",
    "restarting",
)
FINISHED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class Line:
    """One pilot's row. `since` is when it came to where it is; moved figures are counts so far."""

    pilot: str
    name: str
    state: str
    stage: str
    since: datetime | None
    waits_for: str
    rows: int | None
    files: int | None

    def same_as(self, other: Line | None) -> bool:
        """Whether nothing changed that a reader would want to be told."""
        return other is not None and (self.state, self.stage, self.waits_for) == (
            other.state, other.stage, other.waits_for,
        )  # fmt: skip


def where(instances: Sequence[dict[str, Any]], state: str, language: Language) -> tuple[str, datetime | None, str]:
    """Stage, since when and what for, out of a run's task instances; a task's group is its stage."""
    failed = [task for task in instances if task["state"] == "failed"]
    active = sorted(
        (task for task in instances if task["state"] in ACTIVE), key=lambda task: ACTIVE.index(task["state"])
    )
    shown = failed if state == "failed" and failed else active
    if not shown:
        ended = [task for task in instances if task["end_date"]]
        last = max(ended, key=lambda task: str(task["end_date"]), default=None)
        return (_stage(last) if last else "-"), _time(last, "end_date"), ""
    first = shown[0]
    return (
        _stage(first),
        _time(first, "start_date"),
        text(f"launcher.task_states.{first['state']}", language, task=_name(first), try_number=first["try_number"]),
    )


def table(lines: Sequence[Line], now: datetime, language: Language) -> Table:
    """The live table."""
    shown = Table(title=text("launcher.table.title", language), title_justify="left", expand=True)
    for column in ("pilot", "state", "stage", "since", "waits_for"):
        shown.add_column(text(f"launcher.table.{column}", language), overflow="fold")
    for column in ("rows", "files"):
        shown.add_column(text(f"launcher.table.{column}", language), justify="right")
    for line in lines:
        shown.add_row(
            f"{line.pilot} {line.name}", line.state, line.stage, _ago(line.since, now), line.waits_for,
            _count(line.rows), _count(line.files),
        )  # fmt: skip
    return shown


def plain(line: Line, now: datetime) -> str:
    """The same in one line, for a log."""
    moved = f"  {_count(line.rows)} rows, {_count(line.files)} files" if line.rows or line.files else ""
    return f"{now.astimezone():%H:%M:%S}  {line.pilot}  {line.state:<8} {line.stage:<11} {line.waits_for}{moved}"


def _stage(task: dict[str, Any]) -> str:
    return str(task["task_id"]).partition(".")[0]


def _name(task: dict[str, Any]) -> str:
    name = str(task["task_id"]).partition(".")[2] or str(task["task_id"])
    return name if task["map_index"] < 0 else f"{name} [{task['map_index']}]"


def _time(task: dict[str, Any] | None, field: str) -> datetime | None:
    value = task.get(field) if task else None
    return datetime.fromisoformat(value) if value else None


def _ago(since: datetime | None, now: datetime) -> str:
    if since is None:
        return "-"
    seconds = max(0, int((now.astimezone(UTC) - since.astimezone(UTC)).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}"


def _count(number: int | None) -> str:
    return "-" if number is None else f"{number:,}"
