"""How close either side is behind the other, whether it can stay so, and what is still to be proven equal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from onboarding.cutover.state import CutoverState
from onboarding.databases.follow import drift, lag
from onboarding.databases.follow.feeds import Feed
from onboarding.errors import Stop
from onboarding.observations import Answer, Observation, judged
from onboarding.stages import feeds, sides, watching
from onboarding.stages.feeds import Feeds
from onboarding.stages.pilot import Pilot

LIMIT = lag.Limit()
RETAINED_BYTES = 16 * 1024**3
"""What a slot may make a server keep before people are asked."""

ROUNDS = 10


def observe_near(pilot: Pilot, workload: str) -> Observation:
    """Whether the target is that close behind, so many looks in a row, each proven by a marker."""
    return _observe_lag(pilot, workload, "near", lambda both: both.forward)


def observe_way_back(pilot: Pilot, workload: str) -> Observation:
    """Whether the source is that close behind the target, after the switch."""
    return _observe_lag(pilot, workload, "way_back", lambda both: both.back)


def observe_schema(pilot: Pilot, workload: str) -> Observation:
    """Whether both sides still have the same tables: what was changed meanwhile does not flow."""
    found = drift.drift(feeds.present(pilot, workload).forward)
    return judged("schema", found, [], pilot.clock(), why="following.drifted", differing="; ".join(found))


def observe_room(pilot: Pilot, workload: str) -> Observation:
    """Whether the source's disk bears what the slot makes it keep."""
    both = feeds.present(pilot, workload)
    found = lag.demand_room(both.forward, limit_bytes=RETAINED_BYTES)
    kept = max(found.retained, watching.demand_room(pilot, workload, both.load, limit_bytes=RETAINED_BYTES))
    return Observation("room", Answer.PASS, {"bytes": kept}, {"bytes": RETAINED_BYTES}, pilot.clock())


def demand_room(pilot: Pilot, *, limit_bytes: int = RETAINED_BYTES) -> dict[str, int]:
    """What each followed database makes a server keep, in bytes, whether its journey goes on, waits or has stopped.

    Raises AskPerson when it is more than is borne; Stop when a slot was lost: what it kept can never be applied.
    """
    kept: dict[str, int] = {}
    for workload in feeds.followed(pilot):
        for load in feeds.standing(pilot, workload):
            both = feeds.of_load(pilot, workload, load)
            standing = [feed for feed in (both.forward, both.back) if lag.has_slot(feed)]
            found = [lag.demand_room(feed, limit_bytes=limit_bytes).retained for feed in standing]
            found.append(watching.demand_room(pilot, workload, load, limit_bytes=limit_bytes))
            kept[workload] = max(kept.get(workload, 0), *found)
    return kept


def observe_changed(pilot: Pilot, workload: str) -> Observation:
    """Whether few changes are still to be proven equal, so that the freeze is short, and none certainly differs."""
    both = feeds.present(pilot, workload)
    return watching.observe(pilot, workload, both.load, lambda: lag.sample(both.forward).seconds is not None)


def catch_up(pilot: Pilot) -> None:
    """Right before the freeze: what changed while people and probes took their time is proven now, and not frozen.

    Not for ever: what is left is proven under the freeze.
    """
    if sides.has_switched(pilot) or pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:
        return
    for workload in pilot.manifest.databases:
        for _ in range(ROUNDS):
            seen = observe_changed(pilot, workload.name)
            if seen.answer is Answer.FAIL:
                raise Stop(seen.why, where=workload.name, **dict(seen.values))
            if seen.answer is Answer.PASS:
                break


def _observe_lag(pilot: Pilot, workload: str, check: str, which: Callable[[Feeds], Feed]) -> Observation:
    feed = which(feeds.present(pilot, workload))
    samples = [lag.sample(feed) for _ in range(lag.CONSECUTIVE)]
    late = [one for one in samples if one.seconds is None]
    worst: dict[str, Any] = {
        "bytes": max(one.bytes for one in samples),
        "seconds": None if late else max(one.seconds or 0.0 for one in samples),
    }
    expected = {"bytes": LIMIT.bytes, "seconds": LIMIT.seconds, "samples": lag.CONSECUTIVE}
    answer = Answer.PASS if lag.caught_up(samples, LIMIT) else Answer.UNKNOWN
    values = {"bytes": worst["bytes"], "seconds": "?" if late else worst["seconds"], "limit": LIMIT.seconds}
    return Observation(check, answer, worst, expected, pilot.clock(), "following.behind", values)
