"""The gates after the night: the watch over the service on the target, and the way back."""

from __future__ import annotations

from onboarding import traffic
from onboarding.cutover.state import CutoverState
from onboarding.gates import Check
from onboarding.observations import Answer, Observation, judged
from onboarding.stages import health, naming
from onboarding.stages.gates.questions import Checks, ways_back
from onboarding.stages.pilot import Pilot


def soaked(pilot: Pilot) -> Checks:
    """Has the service answered well on the target for as long as was agreed?"""
    checks: dict[str, Check] = {
        "soaked": lambda: _soaked(pilot),
        "health": lambda: health.observe(pilot),
        "traffic": lambda: naming.who_leads(pilot).observe(pilot, traffic.TARGET),
    }
    return checks | ways_back(pilot)


def turned_back(pilot: Pilot) -> Checks:
    """Does the name lead to the source alone, and does the source answer?"""
    return {
        "rolled_back": lambda: judged(
            "rolled_back", pilot.ledger.cutover_state(pilot.id), CutoverState.ROLLED_BACK, pilot.clock()
        ),
        "traffic": lambda: naming.who_leads(pilot).observe(pilot, traffic.SOURCE),
        "health": lambda: health.observe(pilot),
    }


def _soaked(pilot: Pilot) -> Observation:
    released = pilot.ledger.latest(pilot.id, "release", "cutover")
    now, agreed = pilot.clock(), pilot.manifest.soak
    if released is None or released.body["side"] != "target":
        state = {"state": pilot.ledger.cutover_state(pilot.id)}
        return Observation("soaked", Answer.FAIL, "not released", str(agreed), now, "stages.not_switched", state)
    passed = now - released.at
    answer = Answer.PASS if passed >= agreed else Answer.UNKNOWN
    values = {"passed": str(passed).split(".")[0], "agreed": str(agreed)}
    return Observation("soaked", answer, values["passed"], f">= {agreed}", now, "stages.soaking", values)
