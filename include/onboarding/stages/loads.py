"""Which load is which, and how far it is, by the ledger.

A load has a name, "rehearsal-1" or "final-1": its kind and the cutover attempt it belongs to.
"""

from __future__ import annotations

from onboarding.cutover.state import CutoverState
from onboarding.databases.snapshot import is_held
from onboarding.evidence_kinds import Rehearsal
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot

REHEARSAL, FINAL = "rehearsal", "final"


def load_name(pilot: Pilot, workload: str, kind: str) -> str:
    """The name of the load that belongs to the present cutover attempt; a load begun anew gets another."""
    here = pilot.ledger.cutover(pilot.id)
    name = f"{kind}-{here.epoch + (here.state is CutoverState.ROLLED_BACK)}"
    restarted = pilot.ledger.records(pilot=pilot.id, kind="load_restarted", subject=f"{workload}/{name}")
    anew = len({record.body["instead_of"] for record in restarted})
    return f"{name}-again{anew}" if anew else name


def begin_anew(pilot: Pilot, workload: str, load: str) -> None:
    """From here on the load has another name: nothing of `load` is gone on with. Safe to call twice."""
    pilot.record("load_restarted", f"{workload}/{_base(load)}", {"instead_of": load})


def is_over(pilot: Pilot, workload: str, kind: str, load: str) -> bool:
    """Whether `load` needs its snapshot no more: it is finished, given up, or another attempt has begun.

    One that is followed needs it until it was proven: by then the source has moved on.
    """
    now = load_name(pilot, workload, kind)
    if _base(now) != _base(load):
        return True
    if is_given_up(pilot, workload, load):
        return True
    return is_settled(pilot, workload, kind, now) and not _waits_for_proof(pilot, workload, now)


def is_replaced(pilot: Pilot, workload: str, kind: str, load: str) -> bool:
    """Whether the load was begun anew under another name since, so that another snapshot is needed."""
    return load_name(pilot, workload, kind) != load


def is_given_up(pilot: Pilot, workload: str, load: str) -> bool:
    """Whether the night it was for was called off."""
    return pilot.ledger.latest(pilot.id, "load_given_up", f"{workload}/{load}") is not None


def is_lost(pilot: Pilot, workload: str, load: str) -> bool:
    """Whether its snapshot was found gone while the source had moved on: nothing more can come of it."""
    return pilot.ledger.latest(pilot.id, "load_lost", f"{workload}/{load}") is not None


def is_settled(pilot: Pilot, workload: str, kind: str, load: str) -> bool:
    """Whether this load may touch the target no more: it is complete, replaced by a later one, or the public is on."""
    if sides.has_switched(pilot) or is_finished(pilot, workload, load):
        return True
    final = load_name(pilot, workload, FINAL)
    return kind == REHEARSAL and pilot.ledger.latest(pilot.id, "load_started", f"{workload}/{final}") is not None


def is_finished(pilot: Pilot, workload: str, load: str) -> bool:
    """Whether every row of the load is there, and its indexes and constraints."""
    return pilot.ledger.latest(pilot.id, "load_finished", f"{workload}/{load}") is not None


def held_snapshot(pilot: Pilot, workload: str, load: str) -> str:
    """The id of the snapshot that the load is made from, while somebody has it open; else empty."""
    told = pilot.ledger.latest(pilot.id, "snapshot", f"{workload}/{load}")
    held = told is not None and is_held(sides.source(pilot, workload), str(told.body["id"]))
    return str(told.body["id"]) if told is not None and held else ""


def _waits_for_proof(pilot: Pilot, workload: str, load: str) -> bool:
    """Followed, and since its load neither rehearsed nor found wanting."""
    finished = pilot.ledger.latest(pilot.id, "load_finished", f"{workload}/{load}")
    if finished is None or not pilot.manifest.follows or sides.has_switched(pilot):
        return False
    told = pilot.ledger.latest(pilot.id, Rehearsal.KIND, "cutover")
    rehearsed = told is not None and told.seq > finished.seq
    return not rehearsed and _validation(pilot, finished.seq) != "failed"


def was_validated(pilot: Pilot, *, after: int) -> bool:
    """Whether the validation passed since that record."""
    return _validation(pilot, after) == "passed"


def _validation(pilot: Pilot, after: int) -> str:
    """What was told of the stage last since that record; empty when nothing was."""
    told = pilot.ledger.latest(pilot.id, "stage", "validation")
    return str(told.body["state"]) if told is not None and told.seq > after else ""


def _base(load: str) -> str:
    return load.partition("-again")[0]
