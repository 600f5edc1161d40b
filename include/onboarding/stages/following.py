"""Databases that are followed: the target keeps up with the source, and after the switch the source with the target.

How far behind it is, and what keeps it from it: `keeping_up`. Which feeds there are: `feeds`.
"""

from __future__ import annotations

from onboarding.cutover.state import CutoverState
from onboarding.databases import sequences
from onboarding.databases.follow import closing, drift, lag, readiness, slots, subscription, turn
from onboarding.databases.follow.drain import drain as drain_feed
from onboarding.databases.freeze import frozen_at
from onboarding.databases.snapshot import Snapshot
from onboarding.errors import Stop
from onboarding.readiness import Finding
from onboarding.reconcile.report import Comparison
from onboarding.stages import feeds, sides, watching
from onboarding.stages.loads import REHEARSAL, begin_anew, load_name
from onboarding.stages.pilot import Pilot


def open_slot(pilot: Pilot, workload: str, load: str) -> Snapshot:
    """From here on the source keeps every change for this load; the snapshot is of that very moment."""
    if pilot.database_workload(workload).whole_rows:
        readiness.ensure_identity(sides.source(pilot, workload))
    pilot.record("feed_opened", workload, {"load": load})
    watching.open_source(pilot, workload, load)  # first: what the snapshot does not see, the watch does
    return slots.open_slot(feeds.of_load(pilot, workload, load).forward)


def begin(pilot: Pilot) -> dict[str, str]:
    """Let what was written since the copy flow after, and make the way back ready, still off; nothing once frozen."""
    if sides.has_switched(pilot) or pilot.ledger.cutover_state(pilot.id) is CutoverState.FROZEN:
        return {}
    for workload in pilot.manifest.databases:
        both, fence = feeds.present(pilot, workload.name), feeds.fence(pilot, workload.name)
        subscription.ensure_subscription(both.forward, fence=fence)
        subscription.enable(both.forward, fence=fence)
        turn.prepare(both.back, fence=fence)
        pilot.record("following", workload.name, {"load": both.load, "slot": both.forward.name})
    return {workload.name: feeds.present(pilot, workload.name).load for workload in pilot.manifest.databases}


def drain(pilot: Pilot) -> None:
    """Under the freeze: everything that was ever committed is applied, and both schemas are still alike."""
    for workload in pilot.manifest.databases:
        both = feeds.present(pilot, workload.name)
        frozen = frozen_at(sides.source(pilot, workload.name), workload.service_role)
        if frozen is None:
            raise Stop("cutover.writes_go_on", where=workload.name, observed="not frozen")
        drained = drain_feed(both.forward, frozen_at=frozen, fence=feeds.fence(pilot, workload.name))
        if found := drift.drift(both.forward):
            raise Stop("following.drifted", where=workload.name, differing="; ".join(found))
        body = {"frozen_at": frozen.isoformat(), "drained_at": drained.at.isoformat(), "position": drained.position}
        pilot.record("drained", workload.name, body)


def arm(pilot: Pilot) -> None:
    """Frozen and found equal: from the first write on the target on, the source follows it."""
    for workload in pilot.manifest.databases:
        both = feeds.present(pilot, workload.name)
        armed = turn.arm(both.forward, both.back, fence=feeds.fence(pilot, workload.name))
        pilot.record("armed", workload.name, {"load": both.load, "position": armed.position})


def close_forward(pilot: Pilot) -> None:
    """After the switch: the source keeps no more for the target, and nothing is watched any more."""
    for workload in pilot.manifest.databases:
        watching.close(pilot, workload.name, feeds.present(pilot, workload.name).load)
        closing.close(feeds.present(pilot, workload.name).forward, fence=feeds.fence(pilot, workload.name))


def bring_home(pilot: Pilot) -> None:
    """The target takes no writes: the source has them all, and its sequences go on from there."""
    for workload in pilot.manifest.databases:
        both = feeds.present(pilot, workload.name)
        source, target = sides.source(pilot, workload.name), sides.target(pilot, workload.name)
        closed = frozen_at(target, workload.service_role)
        if closed is None:
            raise Stop("cutover.loss_has_grown", where=workload.name)
        drained = drain_feed(both.back, frozen_at=closed, fence=feeds.fence(pilot, workload.name))
        sequences.set_sequences(target, source)
        pilot.record("drained_home", workload.name, {"closed_at": closed.isoformat(), "at": drained.at.isoformat()})


def follow_home_again(pilot: Pilot) -> None:
    """The way back was not taken: the source follows the target as before."""
    for workload in pilot.manifest.databases:
        both = feeds.present(pilot, workload.name)
        subscription.enable(both.back, fence=feeds.fence(pilot, workload.name), again=True)


def settle(pilot: Pilot) -> None:
    """After the switch: waits until what was written on a followed target by now is on the source too.

    Not for ever: what does not arrive is a difference for whoever compares. (A way back that is drained takes nothing.)
    """
    for workload in feeds.followed(pilot):
        lag.sample(feeds.present(pilot, workload).back)


def abandon(pilot: Pilot) -> None:
    """The journey ends here: no slot stays, and whoever begins again begins with a load of its own."""
    for workload in pilot.manifest.databases:
        for load in feeds.standing(pilot, workload.name):
            begin_anew(pilot, workload.name, load)
        let_go(pilot, workload.name)


def end(pilot: Pilot) -> None:
    """Nothing is followed any more, in either direction."""
    for workload in pilot.manifest.databases:
        let_go(pilot, workload.name)


def let_go(pilot: Pilot, workload: str, *, keep: str = "") -> None:
    """No slot, subscription or publication of this database's loads but `keep`'s is left. Safe to call again."""
    for load in feeds.standing(pilot, workload):
        if load == keep:
            continue
        if sides.target_is_gone(pilot, workload):
            _close_at_source(pilot, workload, load)
        else:
            _close_both_sides(pilot, workload, load)
        pilot.record("feed_closed", workload, {"load": load})


def _close_both_sides(pilot: Pilot, workload: str, load: str) -> None:
    both = feeds.of_load(pilot, workload, load)
    try:
        for feed in (both.back, both.forward):
            closing.close(feed, fence=feeds.fence(pilot, workload))
    finally:
        watching.close(pilot, workload, load)


def _close_at_source(pilot: Pilot, workload: str, load: str) -> None:
    """An instance that somebody removed must not make the agency's server keep its log for ever."""
    source, (there, back) = sides.source(pilot, workload), feeds.names(pilot, workload, load)
    watching.close_at_source(pilot, workload, load)
    closing.close_publisher(source, there)
    closing.close_subscriber(source, back, fence=feeds.fence(pilot, workload))


def assess(pilot: Pilot, workload: str) -> list[Finding]:
    """What of the source cannot be followed; asked in intake, before there is a target."""
    source = sides.source(pilot, workload)
    allowed = pilot.database_workload(workload).whole_rows
    return [*readiness.assess_tables(source, full_allowed=allowed), *readiness.assess_server(source)]


def assess_ways(pilot: Pilot, workload: str) -> list[Finding]:
    """What of target and network cannot: each server must reach the other, there and back."""
    both = feeds.of_load(pilot, workload, load_name(pilot, workload, REHEARSAL))
    found = readiness.assess_server(both.forward.subscriber)
    return [*found, *readiness.assess_way(both.forward), *readiness.assess_way(both.back)]


def prove(pilot: Pilot, workload: str) -> Comparison | str:
    """Under the freeze: everything that changed since the full proof, compared; or why everything has to be."""
    return watching.prove(pilot, workload, feeds.present(pilot, workload).load)
