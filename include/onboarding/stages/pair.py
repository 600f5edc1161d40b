"""The two databases that a night is rehearsed between, both on the restored instance.

The restored one plays the source: it was just proven to be, row for row, what has to move. The scratch one plays the
target, because a target is what our engine makes: empty, then loaded, with the service's login that only reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace

from onboarding.addresses import Database
from onboarding.databases import finish as engine_finish
from onboarding.databases import indexes, rows, schema, service
from onboarding.databases import plan as engine_plan
from onboarding.databases import target as engine_target
from onboarding.databases.follow import closing as feed_closing
from onboarding.databases.follow import readiness, slots
from onboarding.databases.follow.feeds import Feed
from onboarding.databases.follow.subscription import drop as drop_subscription
from onboarding.databases.sessions import session
from onboarding.databases.snapshot import Snapshot, open_snapshot
from onboarding.manifest import DatabaseWorkload
from onboarding.stages import drill, sides
from onboarding.stages.pilot import Pilot

SCRATCH = "namrong_rehearsal"


@dataclass(frozen=True)
class Pair:
    """Logins of the instance's master to both, of the service to both, and the feeds between them."""

    workload: DatabaseWorkload
    source: Database
    target: Database
    source_service: Database
    target_service: Database
    admin: Database
    fence: int
    forward: Feed
    back: Feed

    @property
    def role(self) -> str:
        return self.workload.service_role

    @property
    def load(self) -> str:
        """Each attempt's own: a half load of another attempt is not gone on with."""
        return f"rehearsal-{self.fence}"


def pair_of(pilot: Pilot, workload: DatabaseWorkload) -> Pair:
    """The pair for one more attempt; earlier ones are fenced off."""
    source = sides.drilled(pilot, workload.name, drill.drill_id(pilot, workload.name))
    target, login = replace(source, name=SCRATCH), pilot.services[workload.name]
    here = pilot.resolve(source.host) if pilot.own_names else source.host  # as in `following`
    return Pair(
        workload=workload,
        source=source,
        target=target,
        source_service=source.as_user(login.user, login.password),
        target_service=target.as_user(login.user, login.password),
        admin=replace(source, name=sides.MAINTENANCE),
        fence=pilot.ledger.next_fence(pilot.id, f"rehearsal:{workload.name}", run=pilot.run),
        forward=Feed(f"{SCRATCH}_to", source, target, source.at(here)),
        back=Feed(f"{SCRATCH}_back", target, source, target.at(here)),
    )


def clear(pair: Pair) -> None:
    """Nothing of an earlier attempt is left, and the service may write on the side that plays the source."""
    if _is_there(pair):
        _stop_following(pair.target)
        feed_closing.close(pair.back, fence=pair.fence)
        feed_closing.close(pair.forward, fence=pair.fence)
    else:
        feed_closing.close_subscriber(pair.source, pair.back.name, fence=pair.fence)
        feed_closing.close_publisher(pair.source, pair.forward.name)
    engine_target.drop_database(pair.admin, pair.target.name, fence=pair.fence)
    service.open_for_writes(pair.source, pair.role)


def load(pair: Pair, held: Snapshot) -> int:
    """The scratch database, made and loaded by the engine under that snapshot; how many rows."""
    source, name, fence = pair.source, pair.load, pair.fence
    into = engine_target.ensure_empty_database(pair.admin, SCRATCH, load=name, fence=fence, source=source)
    schema.copy_schema(source, into, load=name, fence=fence, snapshot_id=held.id)
    shards = engine_plan.plan(source, into, pair.workload.shards, load=name, fence=fence, snapshot_id=held.id)

    def move(shard: engine_plan.Shard) -> None:
        rows.move_unit(source, into, shard, snapshot_id=held.id, load=name, fence=fence)
        indexes.build_complete(source, into, shard.unit, load=name, fence=fence, jobs=1)

    with ThreadPoolExecutor(max_workers=pair.workload.shards) as pool:
        list(pool.map(move, shards))
    login = pair.target_service
    service.ensure_service_role(into, login.user, login.password, source)
    engine_finish.finish(source, into, load=name, fence=fence)
    service.ensure_service_role(into, login.user, login.password, source)
    with session(into) as connection:
        row = connection.execute("SELECT coalesce(sum(rows), 0)::bigint FROM namrong.checkpoints").fetchone()
    return int(row[0]) if row else 0


@contextmanager
def slot_held(pair: Pair) -> Iterator[Snapshot]:
    """With `follow`: the slot that everything written from now on waits in, and the snapshot of its first moment."""
    if pair.workload.whole_rows:
        readiness.ensure_identity(pair.source)
    with closing(slots.open_slot(pair.forward)) as held:
        yield held


@contextmanager
def moment_held(pair: Pair) -> Iterator[Snapshot]:
    """With `copy`: the snapshot of a source that is frozen."""
    with closing(open_snapshot(pair.source)) as held:
        yield held


def _is_there(pair: Pair) -> bool:
    with session(pair.admin) as connection:
        found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [SCRATCH]).fetchone()
    return found is not None


def _stop_following(scratch: Database) -> None:
    """A database with a subscription cannot be dropped, whoever made it and however far it came."""
    with session(scratch) as connection:
        names = connection.execute(
            "SELECT subname FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid"
            " WHERE d.datname = current_database()"
        ).fetchall()
        for (name,) in names:
            drop_subscription(connection, name)
