"""One pilot's figures, computed from its records alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Literal

from onboarding.evidence_kinds import (
    Freeze,
    MovedFiles,
    MovedRows,
    Reconciled,
    Rehearsal,
    Release,
    RunBegan,
    StageEvent,
    TasksCounted,
)
from onboarding.manifest import Manifest
from onboarding.programme.progress import state_after
from onboarding.records import Record

What = Literal["rows", "files"]

KINDS = (
    *(kind.KIND for kind in (RunBegan, StageEvent, MovedRows, MovedFiles, Reconciled, Rehearsal, Freeze, Release)),
    TasksCounted.KIND, "refused", "cutover", "observation", "approval_asked", "approval", "trouble",
)  # fmt: skip
"""The kinds that any figure or the pilot's place is computed from."""


@dataclass(frozen=True)
class Figures:
    """Seconds, counts; None for what is not known yet."""

    state: str
    lead_time_s: float | None
    freeze_s: float | None
    rows: int
    files: int
    rehearsal_s: float | None
    rollback_rehearsal_s: float | None
    task_instances: int | None
    unaccounted_rows: int
    unaccounted_files: int
    sandbox: bool


def figures(manifest: Manifest, records: Sequence[Record]) -> Figures:
    """The pilot's figures from its own records, oldest first."""
    rehearsed, counted = _last(records, Rehearsal.KIND), _last(records, TasksCounted.KIND)
    rehearsal = Rehearsal.of(rehearsed) if rehearsed else None
    runs = [RunBegan.of(record) for record in records if record.kind == RunBegan.KIND]
    state = _state(records)
    return Figures(
        state=state,
        lead_time_s=_lead_time(records),
        freeze_s=_freeze(records),
        rows=sum(_moved(records, "rows").values()),
        files=sum(_moved(records, "files").values()),
        rehearsal_s=rehearsal.cutover_s if rehearsal else None,
        rollback_rehearsal_s=rehearsal.way_back_s if rehearsal else None,
        task_instances=TasksCounted.of(counted).task_instances if counted else None,
        unaccounted_rows=_unaccounted(manifest, records, "rows", state),
        unaccounted_files=_unaccounted(manifest, records, "files", state),
        sandbox=any(run.sandbox for run in runs),
    )


def _last(records: Sequence[Record], kind: str) -> Record | None:
    return next((record for record in reversed(records) if record.kind == kind), None)


def _state(records: Iterable[Record]) -> str:
    """ "live", "refused", "rolled_back", "failed", the stage it is in, or "not_begun"."""
    return reduce(state_after, records, "not_begun")


def _lead_time(records: Iterable[Record]) -> float | None:
    events = [(record.at, StageEvent.of(record)) for record in records if record.kind == StageEvent.KIND]
    live = next((at for at, event in events if (event.stage, event.state) == ("live", "passed")), None)
    return round((live - events[0][0]).total_seconds(), 3) if live else None


def _freeze(records: Iterable[Record]) -> float | None:
    """Of the last freeze that was released: from the first refusal of a write to the release."""
    refused: datetime | None = None
    length = None
    for record in records:
        if record.kind == Freeze.KIND:
            at = Freeze.of(record).refused_at
            refused = at if refused is None else min(refused, at)
        elif record.kind == Release.KIND and refused is not None:
            length = round((Release.of(record).released_at - refused).total_seconds(), 3)
            refused = None
    return length


def _moved(records: Iterable[Record], what: What) -> dict[str, int]:
    """Per workload, what its newest load moved: a unit that was repeated counts once."""
    units: dict[str, dict[str, int]] = {}
    load: dict[str, str] = {}
    for record in records:
        if record.kind != f"moved_{what}":
            continue
        unit = MovedRows.of(record) if what == "rows" else MovedFiles.of(record)
        if load.get(unit.workload) != unit.load:
            load[unit.workload], units[unit.workload] = unit.load, {}
        units[unit.workload][unit.unit] = unit.rows if isinstance(unit, MovedRows) else unit.files
    return {workload: sum(of.values()) for workload, of in units.items()}


def _unaccounted(manifest: Manifest, records: Sequence[Record], what: What, state: str) -> int:
    """By the verifier's last word on each workload; what moved since then, or was never verified, counts in full."""
    workloads = manifest.databases if what == "rows" else manifest.files
    moved = _moved(records, what)
    total = 0
    for name in (workload.name for workload in workloads):
        proofs = [one for one in records if one.kind == Reconciled.KIND and _is_about(one, name, what)]
        moves = [one.seq for one in records if one.kind == f"moved_{what}" and one.body["workload"] == name]
        if proofs and proofs[-1].seq > max(moves, default=0):
            total += Reconciled.of(proofs[-1]).unaccounted
        elif moves or state == "live":
            total += max(moved.get(name, 0), 1)
    return total


def _is_about(record: Record, workload: str, what: What) -> bool:
    return bool(record.body["workload"] == workload and record.body["what"] == what)
