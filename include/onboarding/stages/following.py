"""Databases that are followed: the target keeps up with the source, and after the switch the source with the target.

Every load has feeds of its own, one each way (`databases.follow`). The ledger knows which were opened (`feed_opened`)
and which are gone again (`feed_closed`): a slot must not outlive its pilot.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from onboarding.addresses import Database
from onboarding.cutover.state import CutoverState
from onboarding.databases import sequences
from onboarding.databases.follow import closing, drift, lag, readiness, slots, subscription, turn
from onboarding.databases.follow.drain import drain as drain_feed
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.freeze import frozen_at
from onboarding.databases.snapshot import Snapshot
from onboarding.errors import Stop
from onboarding.observations import Answer, Observation, judged
from onboarding.readiness import Finding
from onboarding.reconcile import Comparison
from onboarding.stages import sides, watching
from onboarding.stages.loads import REHEARSAL, begin_anew, load_name
from onboarding.stages.pilot import Pilot

LIMIT = lag.Limit()
RETAINED_BYTES = 16 * 1024**3
"""What a slot may make a server keep before people are asked."""


ROUNDS = 10


@dataclass(frozen=True)
class Feeds:
    """Both directions of one load."""

    load: str
    forward: Feed
    back: Feed


def feeds(pilot: Pilot, workload: str, load: str) -> Feeds:
    """The feeds of one load of one database: "namrong_p02_registry_1f3a5c7e_to" and "…_back" on both servers."""
    stem = watching.stem(pilot, workload, load)
    source, target = sides.source(pilot, workload), sides.target(pilot, workload)
    return Feeds(
        load,
        Feed(f"{stem}_to", source, target, _reached(pilot, source)),
        Feed(f"{stem}_back", target, source, _reached(pilot, target)),
    )


def open_slot(pilot: Pilot, workload: str, load: str) -> Snapshot:
    """From here on the source keeps every change for this load; the snapshot is of that very moment."""
    if pilot.database_workload(workload).whole_rows:
        readiness.ensure_identity(sides.source(pilot, workload))
    pilot.record("feed_opened", workload, {"load": load})
    watching.open_source(pilot, workload, load)  # first: what the snapshot does not see, the watch does
    return slots.open_slot(feeds(pilot, workload, load).forward)


def begin(pilot: Pilot) -> dict[str, str]:
    """Let what was written since the copy flow after, and make the way back ready, still off; nothing once frozen."""
    if sides.has_switched(pilot) or pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:
        return {}
    for workload in pilot.manifest.databases:
        both, fence = _present(pilot, workload.name), _fence(pilot, workload.name)
        subscription.ensure_subscription(both.forward, fence=fence)
        subscription.enable(both.forward, fence=fence)
        turn.prepare(both.back, fence=fence)
        pilot.record("following", workload.name, {"load": both.load, "slot": both.forward.name})
    return {workload.name: _present(pilot, workload.name).load for workload in pilot.manifest.databases}


def has_begun(pilot: Pilot) -> bool:
    """Whether changes are applied already: then no moment is left that both sides could be compared at, unfrozen."""
    return pilot.manifest.follows and all(_flows(pilot, workload.name) for workload in pilot.manifest.databases)


def _flows(pilot: Pilot, workload: str) -> bool:
    began = pilot.ledger.latest(pilot.id, "following", workload)
    return began is not None and began.body["load"] in _standing(pilot, workload)


def drain(pilot: Pilot) -> None:
    """Under the freeze: everything that was ever committed is applied, and both schemas are still alike."""
    for workload in pilot.manifest.databases:
        both = _present(pilot, workload.name)
        frozen = frozen_at(sides.source(pilot, workload.name), workload.service_role)
        if frozen is None:
            raise Stop("cutover.writes_go_on", where=workload.name, observed="not frozen")
        drained = drain_feed(both.forward, frozen_at=frozen, fence=_fence(pilot, workload.name))
        if found := drift.drift(both.forward):
            raise Stop("following.drifted", where=workload.name, differing="; ".join(found))
        body = {"frozen_at": frozen.isoformat(), "drained_at": drained.at.isoformat(), "position": drained.position}
        pilot.record("drained", workload.name, body)


def arm(pilot: Pilot) -> None:
    """Frozen and found equal: from the first write on the target on, the source follows it."""
    for workload in pilot.manifest.databases:
        both = _present(pilot, workload.name)
        armed = turn.arm(both.forward, both.back, fence=_fence(pilot, workload.name))
        pilot.record("armed", workload.name, {"load": both.load, "position": armed.position})


def close_forward(pilot: Pilot) -> None:
    """After the switch: the source keeps no more for the target, and nothing is watched any more."""
    for workload in pilot.manifest.databases:
        watching.close(pilot, workload.name, _present(pilot, workload.name).load)
        closing.close(_present(pilot, workload.name).forward, fence=_fence(pilot, workload.name))


def bring_home(pilot: Pilot) -> None:
    """The target takes no writes: the source has them all, and its sequences go on from there."""
    for workload in pilot.manifest.databases:
        both = _present(pilot, workload.name)
        source, target = sides.source(pilot, workload.name), sides.target(pilot, workload.name)
        closed = frozen_at(target, workload.service_role)
        if closed is None:
            raise Stop("cutover.loss_has_grown", where=workload.name)
        drained = drain_feed(both.back, frozen_at=closed, fence=_fence(pilot, workload.name))
        sequences.set_sequences(target, source)
        pilot.record("drained_home", workload.name, {"closed_at": closed.isoformat(), "at": drained.at.isoformat()})


def follow_home_again(pilot: Pilot) -> None:
    """The way back was not taken: the source follows the target as before."""
    for workload in pilot.manifest.databases:
        subscription.enable(_present(pilot, workload.name).back, fence=_fence(pilot, workload.name), again=True)


def settle(pilot: Pilot) -> None:
    """After the switch: waits until what was written on a followed target by now is on the source too.

    Not for ever: what does not arrive is a difference for whoever compares. (A way back that is drained takes nothing.)
    """
    for workload in followed(pilot):
        lag.sample(_present(pilot, workload).back)


def abandon(pilot: Pilot) -> None:
    """The journey ends here: no slot stays, and whoever begins again begins with a load of its own."""
    for workload in pilot.manifest.databases:
        for load in _standing(pilot, workload.name):
            begin_anew(pilot, workload.name, load)
        let_go(pilot, workload.name)


def end(pilot: Pilot) -> None:
    """Nothing is followed any more, in either direction."""
    for workload in pilot.manifest.databases:
        let_go(pilot, workload.name)


def let_go(pilot: Pilot, workload: str, *, keep: str = "") -> None:
    """No slot, subscription or publication of this database's loads but `keep`'s is left. Safe to call again."""
    for load in _standing(pilot, workload):
        if load == keep:
            continue
        both = feeds(pilot, workload, load)
        try:
            for feed in (both.back, both.forward):
                closing.close(feed, fence=_fence(pilot, workload))
        finally:
            watching.close(pilot, workload, load)
        pilot.record("feed_closed", workload, {"load": load})


def assess(pilot: Pilot, workload: str) -> list[Finding]:
    """What of the source cannot be followed; asked in intake, before there is a target."""
    source = sides.source(pilot, workload)
    allowed = pilot.database_workload(workload).whole_rows
    return [*readiness.assess_tables(source, full_allowed=allowed), *readiness.assess_server(source)]


def assess_ways(pilot: Pilot, workload: str) -> list[Finding]:
    """What of target and network cannot: each server must reach the other, there and back."""
    both = feeds(pilot, workload, load_name(pilot, workload, REHEARSAL))
    found = readiness.assess_server(both.forward.subscriber)
    return [*found, *readiness.assess_way(both.forward), *readiness.assess_way(both.back)]


def followed(pilot: Pilot) -> list[str]:
    """The databases of which something is followed, in either direction."""
    return [workload.name for workload in pilot.manifest.databases if _standing(pilot, workload.name)]


def observe_near(pilot: Pilot, workload: str) -> Observation:
    """Whether the target is that close behind, so many looks in a row, each proven by a marker."""
    return _observe_lag(pilot, workload, "near", lambda both: both.forward)


def observe_way_back(pilot: Pilot, workload: str) -> Observation:
    """Whether the source is that close behind the target, after the switch."""
    return _observe_lag(pilot, workload, "way_back", lambda both: both.back)


def observe_schema(pilot: Pilot, workload: str) -> Observation:
    """Whether both sides still have the same tables: what was changed meanwhile does not flow."""
    found = drift.drift(_present(pilot, workload).forward)
    return judged("schema", found, [], pilot.clock(), why="following.drifted", differing="; ".join(found))


def observe_room(pilot: Pilot, workload: str) -> Observation:
    """Whether the source's disk bears what the slot makes it keep."""
    both = _present(pilot, workload)
    found = lag.demand_room(both.forward, limit_bytes=RETAINED_BYTES)
    kept = max(found.retained, watching.demand_room(pilot, workload, both.load, limit_bytes=RETAINED_BYTES))
    return Observation("room", Answer.PASS, {"bytes": kept}, {"bytes": RETAINED_BYTES}, pilot.clock())


def observe_changed(pilot: Pilot, workload: str) -> Observation:
    """Whether few changes are still to be proven equal, so that the freeze is short, and none certainly differs."""
    both = _present(pilot, workload)
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


def prove(pilot: Pilot, workload: str) -> Comparison | str:
    """Under the freeze: everything that changed since the full proof, compared; or why everything has to be."""
    return watching.prove(pilot, workload, _present(pilot, workload).load)


def _observe_lag(pilot: Pilot, workload: str, check: str, which: Callable[[Feeds], Feed]) -> Observation:
    feed = which(_present(pilot, workload))
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


def _present(pilot: Pilot, workload: str) -> Feeds:
    """The feeds of the load that stands. Raises Stop when there is none."""
    standing = _standing(pilot, workload)
    if not standing:
        raise Stop("following.no_feed", where=workload)
    return feeds(pilot, workload, standing[-1])


def _standing(pilot: Pilot, workload: str) -> list[str]:
    """Loads whose feeds were opened and not closed since, oldest first."""
    opened: dict[str, None] = {}
    for record in pilot.ledger.records(pilot=pilot.id, kind=("feed_opened", "feed_closed"), subject=workload):
        load = str(record.body["load"])
        opened.pop(load, None)
        if record.kind == "feed_opened":
            opened[load] = None
    return list(opened)


def _fence(pilot: Pilot, workload: str) -> int:
    return pilot.ledger.next_fence(pilot.id, f"feed:{workload}", run=pilot.run)


def _reached(pilot: Pilot, database: Database) -> Database:
    """As the other server reaches it: by its name, or, where only we can look that up, by its address."""
    return replace(database, host=pilot.resolve(database.host)) if pilot.own_names else database
