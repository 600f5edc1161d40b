"""A whole PostgreSQL database moved to another server and proven there, by one process that holds the snapshot itself.

The moment that is proven is the moment that was moved: the verifier reads the source under the mover's own snapshot,
so the source may go on taking writes. What was written there afterwards is not on the target, and nobody says it is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from onboarding.addresses import Database
from onboarding.alone import Progress, Tell
from onboarding.databases import plan as engine_plan
from onboarding.databases import target as engine_target
from onboarding.databases.assess import assess, offers
from onboarding.databases.copying import all_shards
from onboarding.databases.finish import finish
from onboarding.databases.indexes import build_complete
from onboarding.databases.plan import Shard
from onboarding.databases.roles import bring_default_privileges, bring_grants, ensure_roles
from onboarding.databases.rows import move_unit
from onboarding.databases.schema import copy_schema
from onboarding.databases.sequences import set_sequences
from onboarding.databases.sessions import session
from onboarding.databases.snapshot import Snapshot, exported, open_snapshot, sees
from onboarding.databases.status import Status, clean_up, standing
from onboarding.errors import Stop
from onboarding.readiness import Finding
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.report import Comparison

MAINTENANCE = "postgres"
LOAD = "alone"
SHARDS_PER_JOB = 4  # so that streams end together, and a bar has something to show


@dataclass(frozen=True)
class Moved:
    """What was found equal or not, and how long each step took, in seconds."""

    found: Comparison
    rows: int
    bytes: int
    seconds: dict[str, float]

    @property
    def proven(self) -> bool:
        return self.found.equal


def obstacles(source: Database, target: Database, jobs: int) -> list[Finding]:
    """What stands in the way of a copy, worst first; a database nobody serves has no service to freeze."""
    return assess(source, None, target=offers(_admin(target)), shards=jobs)


def move_database(source: Database, target: Database, *, jobs: int, resume: bool, tell: Tell) -> Moved:
    """The database `target.name` made on the target's server with everything the source has, then compared.

    `target` is a login that may make databases and roles. A database of that name that holds anything is left alone
    (Stop), unless an unfinished move of ours left it: then it is made anew or, with `resume`, what has arrived stays
    if the source stood still since. A move that was killed after its proof left no trace of its own: with `resume` such
    a database is compared, and is as good as moved when it is equal. `jobs` streams copy, and as many more connections
    on either side compare.
    """
    clock = _Clock(tell)
    with closing(open_snapshot(source)) as held:
        if resume and _is_foreign(target):
            clock.begin("prove")
            found = compare_databases(source, target, jobs=jobs, source_snapshot=exported(held.id))
            if not found.equal:
                raise Stop("alone.not_empty", where=str(target))
            return Moved(found, 0, 0, clock.end())
        load, fence = _attempt(target, held, resume, tell)
        clock.begin("schema")
        into = engine_target.ensure_empty_database(_admin(target), target.name, load=load, fence=fence, source=source)
        copy_schema(source, into, load=load, fence=fence, snapshot_id=held.id)
        shards = engine_plan.plan(source, into, jobs * SHARDS_PER_JOB, load=load, fence=fence, snapshot_id=held.id)
        clock.begin("rows")
        arrived = _copy(source, into, shards, _Attempt(held, load, fence, jobs), tell)
        clock.begin("finish")
        roles = ensure_roles(source, into)  # first, because policies and views name them
        finish(source, into, load=load, fence=fence, jobs=jobs)
        bring_grants(source, into, roles)
        bring_default_privileges(source, into)
        set_sequences(source, into)
        clock.begin("prove")
        found = compare_databases(source, into, jobs=jobs, source_snapshot=exported(held.id))
    if found.equal:
        _leave_no_notes(into, load, fence)
    return Moved(found, arrived.rows, arrived.bytes, clock.end())


def _admin(target: Database) -> Database:
    return replace(target, name=MAINTENANCE)


def _attempt(target: Database, held: Snapshot, resume: bool, tell: Tell) -> tuple[str, int]:
    """The name of the load that goes on or begins, and a fence above everybody's."""
    unfinished = _unfinished(target)
    taken = engine_target.take(_admin(target), target.name)
    if resume and unfinished is not None and unfinished.load == taken.load:
        if unfinished.seen in ("", sees(held.id)):
            return taken.load, taken.fence
        tell(Progress("anew"))
    return f"{LOAD}{taken.fence}", taken.fence


@dataclass(frozen=True)
class _Unfinished:
    """A load of ours that was not proven, and the transactions its rows are of; empty before its schema."""

    load: str
    seen: str


def _unfinished(target: Database) -> _Unfinished | None:
    """What an earlier call left; None where there is no database, or an empty one. Raises Stop for anybody else's."""
    if _is_foreign(target):
        raise Stop("alone.not_empty", where=str(target))
    if not _is_there(target):
        return None
    with session(target) as connection:
        if connection.execute(HAS_NOTES).fetchone() != (True,):
            return None
        load, seen = connection.execute("SELECT load, coalesce(snapshot, '') FROM namrong.load").fetchall()[0]
    if not load.startswith(LOAD):
        raise Stop("alone.a_pilots", where=str(target), load=load)
    return _Unfinished(load, seen)


def _is_there(target: Database) -> bool:
    with session(_admin(target)) as connection:
        return connection.execute("SELECT FROM pg_database WHERE datname = %s", [target.name]).fetchone() is not None


def _is_foreign(target: Database) -> bool:
    """Whether the database holds anything, and no notes of ours say what that is."""
    if not _is_there(target):
        return False
    with session(target) as connection:
        noted = connection.execute(HAS_NOTES).fetchone() == (True,)
        return not noted and connection.execute(HOLDS_ANYTHING).fetchone() == (True,)


HAS_NOTES = "SELECT to_regclass('namrong.load') IS NOT NULL"
HOLDS_ANYTHING = """
WITH own AS (SELECT oid, nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema')
SELECT EXISTS (SELECT FROM pg_class WHERE relnamespace IN (SELECT oid FROM own))
    OR EXISTS (SELECT FROM pg_proc WHERE pronamespace IN (SELECT oid FROM own))
    OR EXISTS (SELECT FROM own WHERE nspname <> 'public')
    OR EXISTS (SELECT FROM pg_largeobject_metadata)
"""


@dataclass(frozen=True)
class _Attempt:
    """The snapshot, the load and its fence, and how many streams."""

    held: Snapshot
    load: str
    fence: int
    jobs: int


def _copy(source: Database, into: Database, shards: Sequence[Shard], attempt: _Attempt, tell: Tell) -> Status:
    """Every shard, and the indexes of each table whose last row it brought."""

    def copy(shard: Shard) -> None:
        move_unit(source, into, shard, snapshot_id=attempt.held.id, load=attempt.load, fence=attempt.fence)
        build_complete(source, into, shard.unit, load=attempt.load, fence=attempt.fence, jobs=attempt.jobs)

    with session(into, autocommit=True) as watching:

        def look() -> None:
            here = standing(watching, attempt.load)
            tell(Progress("rows", here.parts, here.planned_parts, here.rows, here.bytes))

        all_shards(shards, attempt.jobs, copy, look)
        return standing(watching, attempt.load)


def _leave_no_notes(into: Database, load: str, fence: int) -> None:
    clean_up(into, load=load, fence=fence)
    with session(into) as connection:
        connection.execute("DROP SCHEMA IF EXISTS namrong")


class _Clock:
    """Tells which step begins, and keeps how long each took."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._began: list[tuple[str, float]] = []

    def begin(self, step: str) -> None:
        self._began.append((step, time.monotonic()))
        self._tell(Progress(step))

    def end(self) -> dict[str, float]:
        """Seconds by step."""
        ends = [at for _, at in self._began[1:]] + [time.monotonic()]
        return {step: round(end - at, 3) for (step, at), end in zip(self._began, ends, strict=True)}
