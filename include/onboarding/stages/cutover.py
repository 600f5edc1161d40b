"""Cutover by `copy`: frozen from before the last load until release, and the figure says so."""

from __future__ import annotations

from datetime import datetime

from onboarding import traffic
from onboarding.cutover.state import CutoverState
from onboarding.databases import freeze as engine_freeze
from onboarding.databases import sequences, service
from onboarding.errors import Stop
from onboarding.evidence_kinds import Freeze, Release
from onboarding.observations import Answer
from onboarding.programme import progress
from onboarding.stages import decision, loading, sides, uploading, validation
from onboarding.stages.pilot import Pilot

PROVEN_AT = "cutover"


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
    first: list[datetime] = []
    for workload in pilot.manifest.databases:
        frozen = engine_freeze.freeze(sides.source(pilot, workload.name), workload.service_role)
        seen = engine_freeze.observe_frozen(sides.source_service(pilot, workload.name))
        if seen.answer is not Answer.PASS:
            raise Stop("cutover.writes_go_on", where=workload.name, observed=str(seen.observed))
        first.append(frozen.at)
    _demand_not_stood_down(pilot)
    if first:
        pilot.record(*Freeze(min(first)).as_record())
    return {"state": CutoverState.FROZEN}


def _demand_not_stood_down(pilot: Pilot) -> None:
    """A worker thought dead may wake after the night was called off: what it closed late is opened again."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is CutoverState.FROZEN or sides.has_switched(pilot):
        return
    for workload in pilot.manifest.databases:
        engine_freeze.unfreeze(sides.source(pilot, workload.name), workload.service_role)
    raise Stop("cutover.overtaken", where=pilot.id, state=state)


def prove(pilot: Pilot) -> dict[str, int]:
    """Under the freeze: files again, sequences, then every row and file once more. One unaccounted is too many."""
    if sides.has_switched(pilot):
        return {}
    _demand_frozen(pilot)
    uploading.send_changes(pilot)
    for workload in pilot.manifest.databases:
        sequences.set_sequences(sides.source(pilot, workload.name), sides.target(pilot, workload.name))
    unaccounted = validation.compare(pilot, PROVEN_AT, frozen=True)
    if doubtful := _doubtful(pilot):
        raise Stop("cutover.not_proven", where=pilot.id, differing="; ".join(doubtful))
    return unaccounted


def shift_traffic(pilot: Pilot) -> dict[str, int]:
    """Lead the service's name to the target in steps, with a probe at each; back to 0 by itself if one fails."""
    if sides.has_switched(pilot):
        return {}
    _demand_frozen(pilot)
    _demand_proof(pilot)
    name = validation.service_name(pilot, pilot.manifest.cutover.traffic.record)
    validation.ramp(pilot, name, lambda step: _arrived(pilot, step))
    return {"percent": 100}


def release(pilot: Pilot) -> dict[str, str]:
    """Let the service write on the target. From here on the target is the one that counts."""
    if not sides.has_switched(pilot):
        _demand_frozen(pilot)
        _demand_proof(pilot)
        pilot.ledger.advance(pilot.id, expected=CutoverState.FROZEN, to=CutoverState.SWITCHED, body={}, run=pilot.run)
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.SWITCHED:
        open_target(pilot)
        if not _is_released(pilot):
            pilot.record(*Release(pilot.clock(), "target").as_record())
    return {"state": pilot.ledger.cutover_state(pilot.id)}


def open_target(pilot: Pilot) -> None:
    """The service may write on the target. Raises Stop, and closes it again, when the way back came in between."""
    for workload in pilot.manifest.databases:
        service.open_for_writes(sides.target(pilot, workload.name), workload.service_role)
    if sides.has_switched(pilot):
        return
    for workload in pilot.manifest.databases:
        service.close_for_writes(sides.target(pilot, workload.name), workload.service_role)
    raise Stop("cutover.overtaken", where=pilot.id, state=pilot.ledger.cutover_state(pilot.id))


def _is_released(pilot: Pilot) -> bool:
    """Whether the target was released after the latest freeze; an earlier attempt's release counts for nothing."""
    frozen = pilot.ledger.latest(pilot.id, Freeze.KIND, "cutover")
    released = pilot.ledger.latest(pilot.id, Release.KIND, "cutover")
    return released is not None and (frozen is None or released.seq > frozen.seq)


def stand_down(pilot: Pilot) -> dict[str, str]:
    """After a failure before the switch: traffic back to the source, the freeze lifted, the load given up."""
    # The task runs after any failure of the run: one of an earlier stage is not the cutover's.
    if progress.where(pilot.ledger, pilot.id).stage == "cutover":
        progress.failed(pilot.ledger, pilot.id, "cutover", run=pilot.run)
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:
        for workload in pilot.manifest.databases:
            load = loading.load_name(pilot, workload.name, loading.FINAL)
            pilot.record("load_given_up", f"{workload.name}/{load}", {"load": load})
        # Of this move and the one in `release` only one can happen: nothing is un-frozen that has been released.
        pilot.ledger.advance(
            pilot.id, expected=CutoverState.FROZEN, to=CutoverState.ROLLED_BACK, body={}, run=pilot.run
        )
    state = pilot.ledger.cutover_state(pilot.id)
    if state is CutoverState.ROLLED_BACK:
        turn_back(pilot)
    return {"state": state}


def turn_back(pilot: Pilot) -> None:
    """The name leads to the source, and the service may write there again."""
    name = validation.service_name(pilot, pilot.manifest.cutover.traffic.record)
    validation.turn_traffic_back(pilot, name)
    for workload in pilot.manifest.databases:
        engine_freeze.unfreeze(sides.source(pilot, workload.name), workload.service_role)
    pilot.record(*Release(pilot.clock(), "source").as_record())


def _arrived(pilot: Pilot, step: traffic.StepResult) -> None:
    body = {"percent": step.percent, "probes": step.probes, "seen": list(step.seen), "seconds": step.seconds}
    pilot.record("traffic", pilot.manifest.cutover.traffic.record, body)


def _demand_proof(pilot: Pilot) -> None:
    """Nothing is led to the target, or released there, that was not proven under this freeze: read from the ledger."""
    if doubtful := _doubtful(pilot):
        raise Stop("cutover.not_proven", where=pilot.id, differing="; ".join(doubtful))


def _doubtful(pilot: Pilot) -> list[str]:
    frozen = pilot.ledger.latest(pilot.id, Freeze.KIND, "cutover")
    return validation.not_proven(pilot, PROVEN_AT, after=frozen.seq if frozen else 0)


def _demand_frozen(pilot: Pilot) -> None:
    state = pilot.ledger.cutover_state(pilot.id)
    if state is not CutoverState.FROZEN:
        raise Stop("cutover.not_frozen", where=pilot.id, state=state)
    for workload in pilot.manifest.databases:
        if engine_freeze.frozen_at(sides.source(pilot, workload.name), workload.service_role) is None:
            raise Stop("cutover.writes_go_on", where=workload.name, observed="not frozen")
