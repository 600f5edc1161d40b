"""The night's gates: the window open, the target near, the name led over by people, everything switched."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from onboarding import traffic
from onboarding.cutover.state import CutoverState
from onboarding.cutover.window import observe_window
from onboarding.databases import deadline, freeze
from onboarding.evidence_kinds import Freeze, Rehearsal, Release
from onboarding.gates import Check
from onboarding.observations import Answer, Observation, judged
from onboarding.stages import decision, feeds, frozen, health, keeping_up, naming, sides
from onboarding.stages.gates.questions import Checks, as_seen, is_switched, recorded, until_switched, ways_back
from onboarding.stages.pilot import Pilot
from onboarding.stages.proof import PROVEN_AT


@until_switched
def window(pilot: Pilot) -> Checks:
    """Is the agency's window open, and does the night with its way back still fit into it?"""
    checks: dict[str, Check] = {
        "cutover.window": lambda: observe_window(pilot.manifest.cutover.window, _needed(pilot), pilot.clock())
    }
    if feeds.has_begun(pilot) and pilot.ledger.cutover_state(pilot.id) is not CutoverState.FROZEN:
        for workload in pilot.manifest.databases:  # a window may be weeks away: no slot lies unread until then
            checks[f"room.{workload.name}"] = partial(keeping_up.observe_room, pilot, workload.name)
            checks[f"changed.{workload.name}"] = partial(keeping_up.observe_changed, pilot, workload.name)
    return checks


@until_switched
def deciding(pilot: Pilot) -> Checks:
    """Have people decided? Until then: is what changed proven equal as it comes, and does the source's disk bear it?"""
    decided = _decided(pilot)
    checks: dict[str, Check] = {"decided": partial(as_seen, decided)}
    if decided.answer is Answer.PASS:
        return checks
    for workload in pilot.manifest.databases:  # it may take them weeks: no slot lies unread until then
        checks[f"room.{workload.name}"] = partial(keeping_up.observe_room, pilot, workload.name)
        checks[f"changed.{workload.name}"] = partial(keeping_up.observe_changed, pilot, workload.name)
    return checks


@until_switched
def near(pilot: Pilot) -> Checks:
    """Is the target seconds behind, alike, proven but for little, does the source's disk bear it, an old TTL gone?"""
    if pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:  # drained: nothing flows any more
        return {"frozen": partial(_frozen, pilot)}
    checks: dict[str, Check] = {}
    for workload in pilot.manifest.databases:
        checks[f"near.{workload.name}"] = partial(keeping_up.observe_near, pilot, workload.name)
        checks[f"schema.{workload.name}"] = partial(keeping_up.observe_schema, pilot, workload.name)
        checks[f"room.{workload.name}"] = partial(keeping_up.observe_room, pilot, workload.name)
        checks[f"changed.{workload.name}"] = partial(keeping_up.observe_changed, pilot, workload.name)
    return checks | dict(naming.who_leads(pilot).before_freeze(pilot))


@until_switched
def named(pilot: Pilot) -> Checks:
    """Has the agency changed its record, does the target answer by it, and is the source still frozen?"""
    return {
        "named": lambda: naming.who_leads(pilot).observe(pilot, traffic.TARGET),
        "in_time": lambda: _in_time(pilot),
        "health": lambda: health.observe(pilot),
    }


def switched(pilot: Pilot) -> Checks:
    """Does the name lead to the target alone, does the target answer, and is the source frozen for good?"""
    checks: dict[str, Check] = {"switched": partial(is_switched, pilot)}
    began, released = (pilot.ledger.latest(pilot.id, kind, "cutover") for kind in (Freeze.KIND, Release.KIND))
    begun, ended = began.seq if began else 0, released.at if released else None
    for workload in pilot.manifest.databases:
        # Young when the target was released: asked again next year, the proof is still the one that counted.
        checks |= recorded(pilot, "reconciled", workload.name, after=begun, moment=PROVEN_AT, at=ended)
        login = sides.source_service(pilot, workload.name)
        checks[f"frozen.{workload.name}"] = partial(freeze.observe_frozen, login)
        home = sides.source(pilot, workload.name)
        checks[f"permanent.{workload.name}"] = partial(deadline.observe_permanent, home, workload.service_role)
    checks["traffic"] = lambda: naming.who_leads(pilot).observe(pilot, traffic.TARGET)
    checks["health"] = lambda: health.observe(pilot)
    return checks | ways_back(pilot)


def _decided(pilot: Pilot) -> Observation:
    """Whether everybody who was asked said yes to what is true now, or somebody said no."""
    approved = decision.approved_observation(pilot, decision.CUTOVER).answer is Answer.PASS
    decided = approved or decision.is_refused(pilot) or pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN
    answer = Answer.PASS if decided else Answer.UNKNOWN
    return Observation("decided", answer, decided, True, pilot.clock(), "decision.undecided")


def _in_time(pilot: Pilot) -> Observation:
    """Whether every source is still frozen, within what was agreed. Sees to it that somebody keeps the deadline."""
    frozen.demand(pilot)
    return judged("in_time", "frozen", "frozen", pilot.clock())


def _frozen(pilot: Pilot) -> Observation:
    return judged("frozen", pilot.ledger.cutover_state(pilot.id), CutoverState.FROZEN, pilot.clock())


def _needed(pilot: Pilot) -> timedelta:
    """What the rehearsal measured, margin included; without one, nothing fits."""
    found = pilot.ledger.latest(pilot.id, Rehearsal.KIND, "cutover")
    return timedelta(seconds=Rehearsal.of(found).window_s) if found else timedelta.max
