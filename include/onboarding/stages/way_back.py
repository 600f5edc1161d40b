"""The way back: say what would be lost, table by table, before anybody decides.

With `copy` the source knows nothing of what the target took since. With `follow` it has followed, and nothing is lost:
measured all the same.
"""

from __future__ import annotations

import time

from onboarding.cutover.state import CutoverState
from onboarding.databases import service
from onboarding.databases.freeze import frozen_at
from onboarding.errors import Stop
from onboarding.observations import Answer
from onboarding.reconcile.databases import compare_databases
from onboarding.stages import decision, following, sides, writers
from onboarding.stages.pilot import Pilot

ON_TARGET = (CutoverState.SWITCHED, CutoverState.COMMITTED)


def close_target(pilot: Pilot) -> dict[str, str]:
    """Stop the service's writes on the target, so that what is measured is all there is."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is CutoverState.ROLLED_BACK:
        return {"state": state}
    if state not in ON_TARGET:
        raise Stop("cutover.nothing_to_turn_back", where=pilot.id, state=state)
    began = time.monotonic()
    for workload in pilot.manifest.databases:
        service.close_for_writes(sides.target(pilot, workload.name), workload.service_role)
    pilot.record("target_closed", "way_back", {"seconds": round(time.monotonic() - began, 3)})
    if pilot.manifest.follows:
        following.bring_home(pilot)
    return {"state": state}


def measure_loss(pilot: Pilot) -> dict[str, int]:
    """Compare target and source: every row the target took since the switch would be lost, table by table."""
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.ROLLED_BACK:
        return {}
    began, closed = time.monotonic(), _closed_since(pilot)
    lost: dict[str, int] = {}
    unknown: list[str] = []
    for workload in pilot.manifest.databases:
        found = compare_databases(
            sides.source(pilot, workload.name),
            sides.target(pilot, workload.name),
            expect_writes_closed_for=workload.service_role,
        )
        lost |= {f"{workload.name}.{table.table}": table.unaccounted for table in found.tables if table.unaccounted}
        unknown += found.unknown
    if unknown:
        raise Stop("cutover.loss_unknown", where=pilot.id, unknown="; ".join(unknown))
    body = {"tables": lost, "rows": sum(lost.values()), "closed": closed}
    pilot.record("loss", "way_back", body | {"seconds": round(time.monotonic() - began, 3)})
    return {"tables": len(lost), "rows": sum(lost.values())}


def stay(pilot: Pilot) -> dict[str, str]:
    """After a no, or a failure before the way back began: the service may write on the target again."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state in ON_TARGET:
        writers.open_target(pilot)
        if pilot.manifest.follows:
            following.follow_home_again(pilot)
    return {"state": state}


def turn_back(pilot: Pilot) -> dict[str, str]:
    """Lead the name back to the source and let the service write there again, if somebody approved that loss."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is CutoverState.ROLLED_BACK:
        writers.turn_back(pilot)
        return {"state": state}
    approved = decision.approved_observation(pilot, decision.WAY_BACK)
    if approved.answer is not Answer.PASS:
        raise Stop(approved.why, where=pilot.id, **dict(approved.values))
    loss = pilot.ledger.latest(pilot.id, "loss", "way_back")
    if loss is None or _closed_since(pilot) != loss.body["closed"]:
        raise Stop("cutover.loss_has_grown", where=pilot.id)
    pilot.ledger.advance(pilot.id, expected=state, to=CutoverState.ROLLED_BACK, body={"by": "way back"}, run=pilot.run)
    writers.turn_back(pilot)
    return {"state": CutoverState.ROLLED_BACK}


def _closed_since(pilot: Pilot) -> dict[str, str]:
    """Since when each target refuses the service's writes, by its own clock. Raises Stop when one takes them."""
    closed = {w.name: frozen_at(sides.target(pilot, w.name), w.service_role) for w in pilot.manifest.databases}
    if None in closed.values():
        raise Stop("cutover.loss_has_grown", where=pilot.id)
    return {name: at.isoformat() for name, at in closed.items() if at is not None}
