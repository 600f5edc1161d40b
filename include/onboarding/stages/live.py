"""Live: the watch is over, access is taken back, and the pilot counts."""

from __future__ import annotations

from onboarding import access
from onboarding.cutover.state import CutoverState
from onboarding.errors import Stop
from onboarding.evidence_kinds import Release
from onboarding.observations import Answer
from onboarding.programme import progress
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot


def revoke_access(pilot: Pilot) -> dict[str, str]:
    """Take the operators' access to the account back."""
    request = access.revoke_access(pilot.management.client("sso-admin"), pilot.manifest, pilot.account_id)
    pilot.record("access", "revoked", {"account": pilot.account_id, "request": request})
    return {"account": pilot.account_id}


def declare(pilot: Pilot) -> dict[str, str]:
    """The pilot is live: the cutover is committed and the programme counts one more."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state not in sides.SWITCHED or not _soaked(pilot):
        raise Stop("cutover.not_soaked", where=pilot.id, state=state)
    if state is CutoverState.SWITCHED:
        pilot.ledger.advance(pilot.id, expected=state, to=CutoverState.COMMITTED, body={}, run=pilot.run)
    progress.enter(pilot.ledger, pilot.id, "live", run=pilot.run)
    progress.passed(pilot.ledger, pilot.id, "live", run=pilot.run)
    return {"pilot": pilot.id}


def _soaked(pilot: Pilot) -> bool:
    """Whether the soak's gate itself opened since the release: a task marked as a success proves nothing."""
    released = pilot.ledger.latest(pilot.id, Release.KIND, "cutover")
    looked = pilot.ledger.latest(pilot.id, "observation", "soak")
    return (
        released is not None
        and looked is not None
        and looked.seq > released.seq
        and bool(looked.body["final"])
        and looked.body["answer"] == Answer.PASS
    )
