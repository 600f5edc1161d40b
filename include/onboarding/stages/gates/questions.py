"""What the gates' questions are made of: what several of them ask, and what they ask once the target serves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial, wraps
from typing import Any

from onboarding import gates
from onboarding.cutover.state import CutoverState
from onboarding.gates import Check, observation_from
from onboarding.observations import Observation, judged
from onboarding.stages import keeping_up, sides
from onboarding.stages.pilot import Pilot

Checks = Mapping[str, Check]

Questions = Callable[[Pilot], Checks]


def until_switched(questions: Questions) -> Questions:
    """Those questions while the target is still being made ready; from the switch on, only whether it was."""

    @wraps(questions)
    def asked(pilot: Pilot) -> Checks:
        return {"switched": partial(is_switched, pilot)} if sides.has_switched(pilot) else questions(pilot)

    return asked


def is_switched(pilot: Pilot) -> Observation:
    """Whether the target serves the public, by the ledger."""
    state = pilot.ledger.cutover_state(pilot.id)
    return judged("switched", state in sides.SWITCHED, True, pilot.clock(), why="stages.not_switched", state=state)


def as_of_now(pilot: Pilot, observe: Callable[..., Observation], *about: Any) -> Observation:
    """What `observe` sees `about` something, at the moment when it is asked."""
    return observe(*about, pilot.clock())


def as_seen(seen: Observation) -> Observation:
    """What was observed already."""
    return seen


def recorded(
    pilot: Pilot, kind: str, workload: str, *, after: int, moment: str | None = None, at: datetime | None = None
) -> Checks:
    """The observations that a proof left, as checks, with its age as one more; nothing recorded is unknown.

    A proof older than the record `after` is about something else. `moment` is the one that the proof was made for;
    its age counts until `at`, by default now.
    """
    proofs = pilot.ledger.records(pilot=pilot.id, kind=kind, subject=workload, after=after)
    found = next((one for one in reversed(proofs) if moment is None or one.body["moment"] == moment), None)
    name = f"{kind}.{workload}"
    checks: dict[str, Check] = {
        name: lambda: gates.fresh(found, pilot.manifest.evidence_fresh_for, at or pilot.clock(), name)
    }
    if found is not None:
        body = found.body.get("details") or found.body
        for content in body["observations"]:
            checks[f"{name}.{content['check']}"] = partial(as_seen, observation_from(content))
    return checks


def ways_back(pilot: Pilot) -> dict[str, Check]:
    """Of databases that are followed: the source keeps up, so that the way back loses nothing, until it is given up."""
    if not pilot.manifest.follows or pilot.ledger.cutover_state(pilot.id) is CutoverState.CLOSED:
        return {}
    return {f"way_back.{w.name}": partial(keeping_up.observe_way_back, pilot, w.name) for w in pilot.manifest.databases}
