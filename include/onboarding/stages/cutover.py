"""Cutover: the source frozen, everything proven, the name moved, the target released.

With `copy` the source is frozen from before the last load until release, and the figure says so. With `follow` only
what was written last has to arrive under the freeze.
"""

from __future__ import annotations

from typing import Any

from onboarding import traffic
from onboarding.cutover.state import CutoverState
from onboarding.errors import Stop
from onboarding.evidence_kinds import Freeze, Release
from onboarding.observations import Answer
from onboarding.programme import progress
from onboarding.stages import (
    decision,
    drill,
    following,
    frozen,
    keeping_up,
    loads,
    naming,
    naming_by_weights,
    proof,
    sides,
    writers,
)
from onboarding.stages.pilot import Pilot


def switch_over(pilot: Pilot) -> dict[str, str]:
    """With `follow`, everything that writers wait for, in one task: between two tasks they would wait for a worker.

    Every step finds out where the world is: killed at any instant and called again, it goes on there.
    """
    _freeze_and_arm(pilot)
    shift_traffic(pilot)
    return release(pilot)


def make_ready(pilot: Pilot) -> dict[str, Any]:
    """With `follow` and a name that people turn: everything before it, and the question to them."""
    _freeze_and_arm(pilot)
    return ask_for_name(pilot)


def _freeze_and_arm(pilot: Pilot) -> None:
    proof.files_ahead(pilot)
    keeping_up.catch_up(pilot)
    for step in (freeze, drain, prove, arm_way_back):
        step(pilot)


def freeze(pilot: Pilot) -> dict[str, str]:
    """Stop the service's writes at the source, if two people approved exactly what is true now."""
    state = pilot.ledger.cutover_state(pilot.id)
    if sides.has_switched(pilot):
        return {"state": state}
    if state is not CutoverState.FROZEN:
        approved = decision.approved_observation(pilot, decision.CUTOVER)
        if approved.answer is not Answer.PASS:
            raise Stop(approved.why, where=pilot.id, **dict(approved.values))
        pilot.ledger.advance(pilot.id, expected=CutoverState.REHEARSED, to=CutoverState.FROZEN, body={}, run=pilot.run)
    begun = frozen.begin(pilot)
    _demand_not_stood_down(pilot)
    if begun:
        ends = [one.deadline for one in begun if one.deadline is not None]
        pilot.record(*Freeze(min(one.at for one in begun), min(ends, default=None)).as_record())
    return {"state": CutoverState.FROZEN}


def _demand_not_stood_down(pilot: Pilot) -> None:
    """A worker thought dead may wake after the night was called off: what it closed late is opened again."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is CutoverState.FROZEN or sides.has_switched(pilot):
        return
    frozen.lift(pilot)
    raise Stop("cutover.overtaken", where=pilot.id, state=state)


def begin_following(pilot: Pilot) -> dict[str, str]:
    """Let what was written since the copy flow after; make the way back ready, still off, and the writers' name."""
    begun = following.begin(pilot)
    if begun:
        naming.who_leads(pilot).prepare(pilot)
    return begun


def ramp_reads(pilot: Pilot) -> dict[str, int]:
    """Lead the readers' name to the follower in steps, with a probe at each; back to 0 by itself if one fails."""
    if sides.has_switched(pilot) or pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:
        return {}
    reads = str(pilot.manifest.cutover.traffic.reads)
    return naming_by_weights.lead_readers(pilot, reads)


def drain(pilot: Pilot) -> dict[str, str]:
    """Under the freeze: every change that was ever committed on the source is on the target."""
    if sides.has_switched(pilot):
        return {}
    frozen.demand(pilot)
    following.drain(pilot)
    return {"state": CutoverState.FROZEN}


def arm_way_back(pilot: Pilot) -> dict[str, str]:
    """Proven equal and still frozen: from here on the source follows the target, so that the way back loses nothing."""
    if sides.has_switched(pilot):
        return {}
    frozen.demand(pilot)
    proof.demand(pilot)
    following.arm(pilot)
    return {"state": CutoverState.FROZEN}


def prove(pilot: Pilot) -> dict[str, int]:
    """Under the freeze: files again, sequences, then the proof: all rows, or with `follow` those that changed since the
    full one; files that changed since theirs. One unaccounted is too many."""
    if sides.has_switched(pilot):
        return {}
    frozen.demand(pilot)
    return proof.make(pilot)


def shift_traffic(pilot: Pilot) -> dict[str, Any]:
    """Lead the service's name to the target in steps, with a probe at each; back to 0 by itself if one fails.

    With `follow` in one step: it is the writers' name, and the readers have gone before.
    """
    return _lead_over(pilot)


def ask_for_name(pilot: Pilot) -> dict[str, Any]:
    """Ask the agency to lead the name to the target, where its zone is not ours to change."""
    return _lead_over(pilot)


def _lead_over(pilot: Pilot) -> dict[str, Any]:
    if sides.has_switched(pilot):
        return {}
    frozen.demand(pilot)
    proof.demand(pilot)
    return naming.who_leads(pilot).lead_over(pilot)


def release(pilot: Pilot) -> dict[str, str]:
    """Let the service write on the target. From here on the target is the one that counts.

    The switch is committed on the sources first: as long as one of them may take writes again by itself, the target
    takes none. Killed in between, the next attempt finds them committed and goes on.
    """
    if not sides.has_switched(pilot):
        night = frozen.attempt(pilot)
        frozen.demand(pilot)
        proof.demand(pilot)
        naming.who_leads(pilot).demand(pilot, traffic.TARGET)
        frozen.make_permanent(pilot, night)
        pilot.ledger.advance(pilot.id, expected=CutoverState.FROZEN, to=CutoverState.SWITCHED, body={}, run=pilot.run)
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.SWITCHED:
        writers.open_target(pilot)
        if not writers.is_released(pilot):
            pilot.record(*Release(pilot.clock(), "target").as_record())
        if pilot.manifest.follows:
            following.close_forward(pilot)
    return {"state": pilot.ledger.cutover_state(pilot.id)}


def stand_down(pilot: Pilot) -> dict[str, str]:
    """After a failure before the switch: traffic back to the source, the freeze lifted, the load given up."""
    # The task runs after any failure of the run: one of an earlier stage is not the cutover's.
    if progress.where(pilot.ledger, pilot.id).stage == "cutover":
        progress.failed(pilot.ledger, pilot.id, "cutover", run=pilot.run)
    state = pilot.ledger.cutover_state(pilot.id)
    if state in (CutoverState.FROZEN, CutoverState.ROLLED_BACK):
        call_off(pilot)
        state = CutoverState.ROLLED_BACK
        naming.who_leads(pilot).demand_back(pilot)
    elif pilot.manifest.follows and not sides.has_switched(pilot):
        naming_by_weights.turn_readers_back(pilot)
        if decision.is_refused(pilot):
            following.abandon(pilot)
    if decision.is_refused(pilot):
        drill.give_up_all(pilot)
    return {"state": state}


def call_off(pilot: Pilot) -> None:
    """A night before its switch: the last load given up, the name and the service's writes at home again.

    Safe to call again; it ends in ROLLED_BACK.
    """
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:
        for workload in () if pilot.manifest.follows else pilot.manifest.databases:
            load = loads.load_name(pilot, workload.name, loads.FINAL)
            pilot.record("load_given_up", f"{workload.name}/{load}", {"load": load})
        # Of this move and the one in `release` only one can happen: nothing is un-frozen that has been released.
        pilot.ledger.advance(
            pilot.id, expected=CutoverState.FROZEN, to=CutoverState.ROLLED_BACK, body={}, run=pilot.run
        )
    writers.turn_back(pilot)
