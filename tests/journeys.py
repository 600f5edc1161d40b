"""Pilots for tests of the programme: the shipped manifests, and a journey told to a ledger."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from onboarding.evidence_kinds import (
    Freeze,
    MovedFiles,
    MovedRows,
    Reconciled,
    Rehearsal,
    Release,
    RunBegan,
    TasksCounted,
)
from onboarding.manifest import Manifest
from onboarding.manifests import load_file
from onboarding.programme import progress

FOLDER = Path(__file__).resolve().parents[1] / "include" / "pilots"


def manifest(pilot: str) -> Manifest:
    return load_file(FOLDER / f"{pilot}.yaml")


def tell(ledger, pilot: str, evidence, run: str = "r1") -> None:
    ledger.record(pilot, *evidence.as_record(), run=run)


def journey(ledger, clock, of: Manifest, *, until: str = "live") -> None:
    """A whole journey: a minute a stage, a freeze of ten seconds, 30 rows and 5 files a workload."""
    pilot = of.id
    tell(ledger, pilot, RunBegan(True, True, "platform", of.digest()))
    for stage in progress.STAGES:
        progress.enter(ledger, pilot, stage, run="r1")
        clock.now += timedelta(minutes=1)
        if stage == "migration":
            move(ledger, of, "rehearsal", 20)
        if stage == "validation":
            prove(ledger, of)
            tell(ledger, pilot, Rehearsal(12.5, 3.25, 600, True))
        if stage == "cutover":
            tell(ledger, pilot, Freeze(clock.now))
            move(ledger, of, "final", 30)
            prove(ledger, of)
            tell(ledger, pilot, Release(clock.now + timedelta(seconds=10), "target"))
        progress.passed(ledger, pilot, stage, run="r1")
        if stage == until:
            break
    tell(ledger, pilot, TasksCounted(42))


def move(ledger, of: Manifest, load: str, rows: int) -> None:
    for database in of.databases:
        for unit in ("a", "b"):
            tell(ledger, of.id, MovedRows(database.name, load, unit, rows // 2))
    for folder in of.files:
        tell(ledger, of.id, MovedFiles(folder.name, load, "0", 5))


def prove(ledger, of: Manifest, *, unaccounted: int = 0) -> None:
    for database in of.databases:
        tell(ledger, of.id, Reconciled(database.name, "rows", "validation", 30, unaccounted))
    for folder in of.files:
        tell(ledger, of.id, Reconciled(folder.name, "files", "validation", 5, unaccounted))
