"""The proof of a night: made under the freeze, demanded by whatever goes on from there."""

from __future__ import annotations

import time

from onboarding.cutover.state import CutoverState
from onboarding.databases import sequences
from onboarding.errors import Stop
from onboarding.evidence_kinds import Freeze
from onboarding.stages import proving_files, sides, uploading, validation
from onboarding.stages.pilot import Pilot

PROVEN_AT = "cutover"


def files_ahead(pilot: Pilot) -> None:
    """Before the freeze: what changed in the folders is sent and proven while nobody waits; nothing once frozen."""
    if not sides.has_switched(pilot) and pilot.ledger.cutover_state(pilot.id) is not CutoverState.FROZEN:
        uploading.send_changes(pilot)
        proving_files.prove_round(pilot)


def make(pilot: Pilot) -> dict[str, int]:
    """Files sent again, sequences set, then compared: what is unaccounted, by workload.

    All rows, or with `follow` those that changed since the full proof; the files that changed since theirs. Call it
    under the freeze. Raises Stop when anything differs.
    """
    began = time.monotonic()
    uploading.send_changes(pilot)
    pilot.record("files_sent", "cutover", {"seconds": round(time.monotonic() - began, 3)})
    began = time.monotonic()
    for workload in pilot.manifest.databases:
        sequences.set_sequences(sides.source(pilot, workload.name), sides.target(pilot, workload.name))
    pilot.record("sequences_set", "cutover", {"seconds": round(time.monotonic() - began, 3)})
    unaccounted = validation.compare(pilot, PROVEN_AT, frozen=True)
    demand(pilot)
    return unaccounted


def demand(pilot: Pilot) -> None:
    """Nothing is led to the target, or released there, that was not proven under this freeze: read from the ledger."""
    began = pilot.ledger.latest(pilot.id, Freeze.KIND, "cutover")
    if doubtful := validation.not_proven(pilot, PROVEN_AT, after=began.seq if began else 0):
        raise Stop("cutover.not_proven", where=pilot.id, differing="; ".join(doubtful))
