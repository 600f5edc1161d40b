"""Where the service may write once a night is decided: on the target, or on the source again, with its name."""

from __future__ import annotations

from onboarding.databases import service
from onboarding.errors import Stop
from onboarding.evidence_kinds import Freeze, Release
from onboarding.stages import following, frozen, naming, naming_by_weights, sides
from onboarding.stages.pilot import Pilot


def open_target(pilot: Pilot) -> None:
    """The service may write on the target. Raises Stop, and closes it again, when the way back came in between."""
    for workload in pilot.manifest.databases:
        service.open_for_writes(sides.target(pilot, workload.name), workload.service_role)
    if sides.has_switched(pilot):
        return
    for workload in pilot.manifest.databases:
        service.close_for_writes(sides.target(pilot, workload.name), workload.service_role)
    raise Stop("cutover.overtaken", where=pilot.id, state=pilot.ledger.cutover_state(pilot.id))


def is_released(pilot: Pilot) -> bool:
    """Whether the target was released after the latest freeze; an earlier attempt's release counts for nothing."""
    began = pilot.ledger.latest(pilot.id, Freeze.KIND, "cutover")
    released = pilot.ledger.latest(pilot.id, Release.KIND, "cutover")
    return released is not None and (began is None or released.seq > began.seq)


def turn_back(pilot: Pilot) -> None:
    """The name leads to the source, the service may write there again, and nothing is followed any more."""
    naming.who_leads(pilot).turn_back(pilot)
    opened_at = frozen.lift(pilot)  # or had ended by itself, some time ago
    pilot.record(*Release(opened_at or pilot.clock(), "source").as_record())
    if pilot.manifest.follows:
        naming_by_weights.turn_readers_back(pilot)
        following.end(pilot)
