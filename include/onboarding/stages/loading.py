"""One load of one database: from a single snapshot of the source into an empty database, unit by unit.

With `copy` the first load is the rehearsal of the second: it tells how long the freeze will last. With `follow` the
first one is all there is: what is written after its snapshot flows after (`following`).

When its moment is lost (`moment`), the units leave out what they have not begun, and `finish_load` makes the whole load
anew, clean, under another name.
"""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from onboarding.databases import finish as engine_finish
from onboarding.databases import indexes, locks, rows, schema, sequences, service, status, target
from onboarding.databases import plan as engine_plan
from onboarding.databases.copying import all_shards
from onboarding.databases.plan import Shard
from onboarding.errors import LeftOut, TryAgain
from onboarding.evidence_kinds import MovedRows, Moving
from onboarding.stages import feeds, following, frozen, moment, sides
from onboarding.stages.halfway import Halfway
from onboarding.stages.loads import (
    FINAL,
    begin_anew,
    held_snapshot,
    is_lost,
    is_settled,
    load_name,
    was_validated,
)
from onboarding.stages.moment import BEGINS_ANEW, told_when_lost
from onboarding.stages.pilot import Pilot

INDEX_JOBS = 2
STREAMS = 2
"""Of a load that `finish_load` makes anew in its one process."""


def prepare_load(pilot: Pilot, workload: str, kind: str) -> list[str]:
    """Make the empty database, copy its schema, and plan the units; returns their names."""
    _begin_anew_if_lost(pilot, workload, kind)
    begin_anew_if_unproven(pilot, workload, kind)
    load = load_name(pilot, workload, kind)
    if is_settled(pilot, workload, kind, load):
        return _planned(pilot, f"{workload}/{load}")
    with told_when_lost(pilot, workload, load, TryAgain):
        return _prepare(pilot, workload, kind, load)


def _prepare(pilot: Pilot, workload: str, kind: str, load: str) -> list[str]:
    subject = f"{workload}/{load}"
    if kind == FINAL:
        frozen.demand(pilot)
    source = sides.source(pilot, workload)
    locks.demand_readable(source)
    if pilot.ledger.latest(pilot.id, "load_started", subject) is None:
        pilot.record("load_started", subject, {"load": load})
    following.let_go(pilot, workload, keep=load)  # a database that subscribes cannot be dropped
    fence = pilot.ledger.next_fence(pilot.id, f"database:{workload}", run=pilot.run)
    into = target.ensure_empty_database(
        sides.admin(pilot, workload), source.name, load=load, fence=fence, source=source
    )
    held = moment.await_held(pilot, workload, load)
    schema.copy_schema(source, into, load=load, fence=fence, snapshot_id=held)
    shards = engine_plan.plan(
        source, into, pilot.database_workload(workload).shards, load=load, fence=fence, snapshot_id=held
    )
    units = {shard.unit: shard.as_json() for shard in shards}
    weights = {shard.unit: shard.bytes for shard in shards}
    pilot.record("load_plan", subject, {"units": sorted(units), "bytes": sum(weights.values()), "weights": weights})
    return sorted(units)


def copy_rows(pilot: Pilot, unit: str, workload: str, kind: str) -> dict[str, int]:
    """Copy the rows of one unit, what has arrived not again; make the indexes of each table that is complete then."""
    load = load_name(pilot, workload, kind)
    if is_settled(pilot, workload, kind, load):
        return {"rows": 0, "bytes": 0}
    if kind == FINAL:
        frozen.demand(pilot)
    if is_lost(pilot, workload, load):
        raise LeftOut(BEGINS_ANEW, where=f"{workload}/{load}/{unit}")
    shard = engine_plan.kept(sides.target(pilot, workload)).get(unit)
    if shard is None:  # of an earlier load's plan
        raise LeftOut(BEGINS_ANEW, where=f"{workload}/{load}/{unit}")
    with told_when_lost(pilot, workload, load, LeftOut):
        return _copy_unit(pilot, workload, load, shard)


def _copy_unit(pilot: Pilot, workload: str, load: str, shard: Shard) -> dict[str, int]:
    source, into = sides.source(pilot, workload), sides.target(pilot, workload)
    fence = pilot.ledger.next_fence(pilot.id, f"database:{workload}", run=pilot.run)
    began = time.monotonic()
    told = Halfway(pilot, lambda size: Moving(workload, "rows", load, shard.unit, size))
    with _place_at(pilot, workload):
        held = moment.await_held(pilot, workload, load)  # not before there is a place: one may wait long for it
        rows.move_unit(source, into, shard, snapshot_id=held, load=load, fence=fence, told=told)
    seconds = round(time.monotonic() - began, 3)
    indexes.build_complete(source, into, shard.unit, load=load, fence=fence, jobs=INDEX_JOBS)
    arrived = status.unit_status(into, shard.unit)
    pilot.record(*MovedRows(workload, load, shard.unit, *arrived, seconds).as_record())
    return {"rows": arrived[0], "bytes": arrived[1]}


def finish_load(pilot: Pilot, workload: str, kind: str) -> dict[str, Any]:
    """Build indexes and constraints, set the service's login up (read only), and let the snapshot go.

    Of a load whose snapshot was lost on the way, everything is moved anew first.
    """
    if is_settled(pilot, workload, kind, load_name(pilot, workload, kind)):
        return {}
    if kind == FINAL:
        frozen.demand(pilot)
    if not _has_arrived(pilot, workload, load_name(pilot, workload, kind)):
        _load_whole(pilot, workload, kind)
    load = load_name(pilot, workload, kind)
    subject = f"{workload}/{load}"
    source, into = sides.source(pilot, workload), sides.target(pilot, workload)
    fence = pilot.ledger.next_fence(pilot.id, f"database:{workload}", run=pilot.run)
    sequences.set_sequences(source, into)  # at once, while nobody can have switched: later, only under the freeze
    login = pilot.services[workload]
    # Before, because row security policies name the role; after, because views are replaced by `finish`.
    service.ensure_service_role(into, login.user, login.password, source)
    finished = engine_finish.finish(source, into, load=load, fence=fence)
    service.ensure_service_role(into, login.user, login.password, source)
    began = pilot.ledger.latest(pilot.id, "load_started", subject)
    seconds = (pilot.clock() - began.at).total_seconds() if began else 0.0
    arrived = status.status(into, load)
    body = {"load": load, "rows": arrived.rows, "bytes": arrived.bytes, "seconds": round(seconds, 3)}
    pilot.record("load_finished", subject, body | {"made": finished.made})
    return body


def begin_anew_if_unproven(pilot: Pilot, workload: str, kind: str) -> None:
    """A followed load that was not proven while its snapshot was held can be no more: the source has moved on.

    Asked when a journey comes to the load, before anything of it is done; a triggerer that only started again finds
    the load finished and leaves it so.
    """
    if kind == FINAL or not pilot.manifest.follows or sides.has_switched(pilot):
        return
    load = load_name(pilot, workload, kind)
    finished = pilot.ledger.latest(pilot.id, "load_finished", f"{workload}/{load}")
    if finished is None or feeds.has_begun(pilot) or was_validated(pilot, after=finished.seq):
        return
    if not held_snapshot(pilot, workload, load):
        begin_anew(pilot, workload, load)


def _begin_anew_if_lost(pilot: Pilot, workload: str, kind: str) -> None:
    load = load_name(pilot, workload, kind)
    if is_lost(pilot, workload, load) and not is_settled(pilot, workload, kind, load):
        begin_anew(pilot, workload, load)


def _has_arrived(pilot: Pilot, workload: str, load: str) -> bool:
    """Whether every part that was planned is on the target."""
    planned = pilot.ledger.latest(pilot.id, "load_plan", f"{workload}/{load}")
    if planned is None or is_lost(pilot, workload, load):
        return False
    here = status.status(sides.target(pilot, workload), load)
    return here.parts == here.planned_parts


def _place_at(pilot: Pilot, workload: str) -> AbstractContextManager[object]:
    """One of the streams that the agency's server bears, where the manifest says how many these are."""
    most, source = pilot.database_workload(workload).source_streams, sides.source(pilot, workload)
    return nullcontext() if most is None else pilot.ledger.lease(f"{source.host}:{source.port}", most)


def _load_whole(pilot: Pilot, workload: str, kind: str) -> None:
    """Every row under one snapshot, in this process; units have no part in it. What has arrived is not moved again."""
    prepare_load(pilot, workload, kind)
    load = load_name(pilot, workload, kind)
    shards = list(engine_plan.kept(sides.target(pilot, workload)).values())
    with told_when_lost(pilot, workload, load, TryAgain):
        all_shards(shards, STREAMS, lambda shard: _copy_unit(pilot, workload, load, shard), lambda: None)


def _planned(pilot: Pilot, subject: str) -> list[str]:
    planned = pilot.ledger.latest(pilot.id, "load_plan", subject)
    return list(planned.body["units"]) if planned else ["s000"]
