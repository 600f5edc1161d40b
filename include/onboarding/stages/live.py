"""Live: the watch is over, access is taken back, and the pilot counts."""

from __future__ import annotations

from onboarding import access
from onboarding.cutover.state import CutoverState
from onboarding.programme import progress
from onboarding.stages.pilot import Pilot


def revoke_access(pilot: Pilot) -> dict[str, str]:
    """Take the operators' access to the account back."""
    access.revoke_access(pilot.management.client("sso-admin"), pilot.manifest, pilot.account_id)
    pilot.record("access", "revoked", {"account": pilot.account_id})
    return {"account": pilot.account_id}


def declare(pilot: Pilot) -> dict[str, str]:
    """The pilot is live: the cutover is committed and the programme counts one more."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is CutoverState.SWITCHED:
        pilot.ledger.advance(pilot.id, expected=state, to=CutoverState.COMMITTED, body={}, run=pilot.run)
    progress.enter(pilot.ledger, pilot.id, "live", run=pilot.run)
    progress.passed(pilot.ledger, pilot.id, "live", run=pilot.run)
    return {"pilot": pilot.id}
