"""The point of no return: the way back is given up, by a decision of its own, after the soak."""

from __future__ import annotations

from onboarding.cutover.state import CutoverState
from onboarding.errors import Stop
from onboarding.observations import Answer
from onboarding.stages import decision, feeds, following
from onboarding.stages.pilot import Pilot


def describe(pilot: Pilot) -> dict[str, object]:
    """What would be given up, for people to decide about: since when the service is live, and who follows it."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is CutoverState.CLOSED:
        return {"state": state}
    if state is not CutoverState.COMMITTED:
        raise Stop("cutover.not_committed", where=pilot.id, state=state)
    live = pilot.ledger.latest(pilot.id, "stage", "live")
    body: dict[str, object] = {
        "live_since": live.at.isoformat() if live else "-",
        "followed": feeds.followed(pilot),
    }
    last = pilot.ledger.latest(pilot.id, "no_return", "cutover")
    if last is None or dict(last.body) != body:
        pilot.record("no_return", "cutover", body)
    return body


def give_up_way_back(pilot: Pilot) -> dict[str, str]:
    """The old side follows no more and keeps nothing for anybody, if two people approved exactly that."""
    state = pilot.ledger.cutover_state(pilot.id)
    if state is not CutoverState.CLOSED:
        approved = decision.approved_observation(pilot, decision.NO_RETURN)
        if approved.answer is not Answer.PASS:
            raise Stop(approved.why, where=pilot.id, **dict(approved.values))
        pilot.ledger.advance(pilot.id, expected=CutoverState.COMMITTED, to=CutoverState.CLOSED, body={}, run=pilot.run)
    following.end(pilot)
    return {"state": CutoverState.CLOSED}
