"""The programme's own two runs around the journeys: the list of pilots before them, the goal after the last."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from launcher import approving
from launcher.rest import Airflow
from launcher.screen import Screen
from launcher.watching import FINISHED
from onboarding.ledger import Ledger
from onboarding.selection.standing import refused_candidates, standing_selection

SELECT, REACH_GOAL = "select_pilots", "reach_goal"
POLL_S = 1.0
FIRES_WITHIN_S = 90.0

Hear = Callable[[float], object]
"""Waits so many seconds, and raises when something that is needed has died."""


def select(
    platform: Airflow, approvers: Sequence[approving.Approver], ledger: Ledger, screen: Screen, hear: Hear
) -> bool:
    """Runs the selection until people, or the demo's approvers, confirmed its list; whether they did."""

    def say(login: str, question: str, _option: str) -> None:
        screen.say("approval", login=login, question=question)

    run = platform.trigger(SELECT)
    screen.say("triggered", dag=SELECT, run=run)
    if not approvers:
        screen.say("choosing.left_to_people")
    while (state := platform.run_state(SELECT, run)) not in FINISHED:
        approving.answer_all(approvers, frozenset({SELECT}), say)
        hear(POLL_S)
    selected = standing_selection(ledger)
    if state != "success" or selected is None:
        screen.say("choosing.none", state=state)
        return False
    refused = ", ".join(sorted(refused_candidates(ledger))) or "-"
    screen.say("choosing.chosen", count=len(selected.chosen), chosen=", ".join(selected.chosen), refused=refused)
    return True


def goal_fired(platform: Airflow, screen: Screen, hear: Hear) -> bool:
    """Whether Airflow's own count of live pilots reached the goal, and the ledger agreed: `reach_goal` succeeded."""
    deadline = time.monotonic() + FIRES_WITHIN_S
    while time.monotonic() < deadline:
        states = platform.run_states([REACH_GOAL])
        if (state := next(iter(states.values()), "")) in FINISHED:
            screen.say("choosing.goal", state=state)
            return state == "success"
        hear(POLL_S)
    screen.say("choosing.goal", state="-")
    return False
