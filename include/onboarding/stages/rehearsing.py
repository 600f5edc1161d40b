"""The rehearsal: the whole night and the whole way back, really done on the restored backup, every step timed.

The agency's own database is touched as little as can be: a freeze that is rolled back tells what a freeze costs there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from onboarding.addresses import Database
from onboarding.aws_errors import action_for, explained
from onboarding.cutover.runbook import BY_NAME, IN_WINDOW, PHASES
from onboarding.cutover.state import CutoverState
from onboarding.cutover.window import MARGIN, time_needed
from onboarding.databases import freeze
from onboarding.errors import AskPerson, OnboardingError, Stop
from onboarding.evidence_kinds import Rehearsal, Runbook
from onboarding.stages import drill, naming, night, pair, sides, validation
from onboarding.stages.loads import REHEARSAL, load_name
from onboarding.stages.pilot import Pilot

PASSING = ("databases.interrupted", "addresses.", "aws.", "targets.")
"""Trouble that says nothing of the night: the task is tried again. Whatever else is in vain would be so that night."""

TRIES = 3

Seen = Mapping[str, Any]


def rehearse(pilot: Pilot) -> dict[str, float]:
    """Do the whole night and the way back on the restored backup, time each step, and give that instance up.

    A step that does not succeed is told to the ledger, and keeps gate `validation` shut.
    """
    if not validation.to_prove(pilot):
        return {}
    if not drill.is_set(pilot):
        return _kept(pilot)
    acting = Acting(pilot)
    try:
        acting.whole_night()
    except Exception as failure:
        told = explained(failure)
        if told.key.startswith(PASSING) or (action_for(failure) != "stop" and not isinstance(failure, OnboardingError)):
            raise
        _tell_failure(pilot, acting.step, told)
        drill.give_up_all(pilot)
        return {}
    times = _tell(pilot, acting)
    drill.give_up_all(pilot)
    return times


class Acting:
    """One attempt: what each step took and saw, and which step is on."""

    def __init__(self, pilot: Pilot) -> None:
        self.pilot, self.step = pilot, "prepare"
        self.measured: dict[str, dict[str, float]] = {}
        self.seen: dict[str, Seen] = {}

    def whole_night(self) -> None:
        """All steps, in the night's order."""
        pairs = [pair.pair_of(self.pilot, workload) for workload in self.pilot.manifest.databases]
        for one in pairs:
            pair.clear(one)
        steps = night.follow(self.pilot, pairs) if self.pilot.manifest.follows else night.copy(self.pilot, pairs)
        for name, act in steps:
            self.do(name, act)
        self.step = "freeze"
        for workload in self.pilot.manifest.databases:
            self._add("freeze", "source", _freeze_at(sides.source(self.pilot, workload.name), workload.service_role))
        for name, seconds in naming.who_leads(self.pilot).agency_needs(self.pilot).items():
            self._add(name, "agency", seconds)
        if not self.pilot.manifest.follows:
            self._add("load", "migration", sum(map(self._loaded_in, self.pilot.manifest.databases)))

    def do(self, name: str, act: Callable[[], Seen]) -> None:
        """One step; what is no step of the runbook prepares the next one."""
        self.step = name
        began = time.monotonic()
        self.seen[name] = act()
        self._add(name, "stage", time.monotonic() - began)

    def took(self, name: str) -> float:
        """The longest that was measured: the agency's own server may be slower than the stage."""
        return round(max(self.measured[name].values()), 3)

    def _add(self, name: str, where: str, seconds: float) -> None:
        here = self.measured.setdefault(name, {})
        here[where] = round(here.get(where, 0.0) + seconds, 3)

    def _loaded_in(self, workload: Any) -> float:
        """What the migration's load took, by the tasks that the last one will go through as well."""
        subject = f"{workload.name}/{load_name(self.pilot, workload.name, REHEARSAL)}"
        loaded = self.pilot.ledger.latest(self.pilot.id, "load_finished", subject)
        if loaded is None:
            raise Stop("cutover.nothing_loaded", where=workload.name)
        return float(loaded.body["seconds"])


def _freeze_at(source: Database, role: str) -> float:
    """Seconds of a freeze there, with those of tries that met a writer half way: the real one tries again as well."""
    began = time.monotonic()
    for _ in range(TRIES - 1):
        try:
            freeze.rehearse_freeze(source, role)
            return time.monotonic() - began
        except AskPerson:
            time.sleep(freeze.BETWEEN_TRIES_S)
    freeze.rehearse_freeze(source, role)
    return time.monotonic() - began


def _kept(pilot: Pilot) -> dict[str, float]:
    """The rehearsal that stands. Raises Stop when there is none, and no restored backup to rehearse on."""
    stands = drill.rehearsal_that_stands(pilot)
    if stands is None:
        failed = pilot.ledger.latest(pilot.id, "rehearsal_failed", "cutover")
        if failed is not None and failed.run == pilot.run:
            return {}
        raise Stop("rehearsing.no_stage", where=pilot.id)
    _move_on(pilot, stands.cutover_s, again=False)
    drill.give_up_all(pilot)
    return {"cutover_s": stands.cutover_s, "way_back_s": stands.way_back_s}


def _tell(pilot: Pilot, acting: Acting) -> dict[str, float]:
    """The runbook and its sums into the ledger."""
    steps = [_line(acting, name) for name in BY_NAME if name in acting.measured]

    frozen, back = (round(sum(one["rehearsed_s"] for one in steps if one["phase"] == of), 3) for of in PHASES[1:])
    before = sum(one["rehearsed_s"] for one in steps if one["step"] in IN_WINDOW)
    needed = time_needed(timedelta(seconds=before + frozen), timedelta(seconds=back))
    fits = timedelta(seconds=frozen) <= pilot.manifest.cutover.freeze_budget
    engine = "follow" if pilot.manifest.follows else "copy"
    pilot.record(*Runbook(engine, drill.of_backups(pilot), steps).as_record())
    pilot.record(*Rehearsal(frozen, back, needed.total_seconds(), fits).as_record())
    _move_on(pilot, frozen, again=True)
    return {"cutover_s": frozen, "way_back_s": back}


def _line(acting: Acting, name: str) -> dict[str, Any]:
    step, took = BY_NAME[name], acting.took(name)
    return {
        "step": name,
        "phase": step.phase,
        "owner": step.owner,
        "rehearsed_s": took,
        "planned_s": round(took * MARGIN, 3),
        "measured": acting.measured[name],
        "seen": dict(acting.seen.get(name, {})),
    }


def _move_on(pilot: Pilot, cutover_s: float, *, again: bool) -> None:
    state = pilot.ledger.cutover_state(pilot.id)
    before = (CutoverState.PLANNED, CutoverState.ROLLED_BACK, *([CutoverState.REHEARSED] if again else []))
    if state in before:
        why = {"cutover_s": cutover_s}
        pilot.ledger.advance(pilot.id, expected=state, to=CutoverState.REHEARSED, body=why, run=pilot.run)


def _tell_failure(pilot: Pilot, step: str, failure: OnboardingError) -> None:
    values = {name: value if isinstance(value, (int, float)) else str(value) for name, value in failure.values.items()}
    body = {"step": step, "why": failure.key, "where": failure.where, "values": values}
    pilot.record("rehearsal_failed", "cutover", body | {"backups": drill.of_backups(pilot)})
