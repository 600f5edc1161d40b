"""One service's way through the modules of `follow`, step by step, as a journey would call them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from datetime import datetime, timedelta

from following_servers import Pair

from onboarding.databases import freeze, sequences, service
from onboarding.databases.finish import finish
from onboarding.databases.follow import drain, lag, slots, subscription, turn
from onboarding.databases.follow.drift import drift
from onboarding.databases.plan import plan
from onboarding.databases.rows import move_unit
from onboarding.databases.schema import copy_schema
from onboarding.databases.target import ensure_empty_database

LIMIT = lag.Limit(bytes=4 * 1024 * 1024, seconds=5.0)


def copy(pair: Pair, fence: int) -> None:
    """The whole database under the slot's own snapshot, the service's login on the target (which writes nothing)."""
    source, into, load = pair.source, pair.target, f"load-{fence}"
    with closing(slots.open_slot(pair.forward)) as held:
        ensure_empty_database(pair.admin, into.name, load=load, fence=fence, source=source)
        copy_schema(source, into, load=load, fence=fence, snapshot_id=held.id)
        for shard in plan(source, into, 2, load=load, fence=fence, snapshot_id=held.id):
            move_unit(source, into, shard, snapshot_id=held.id, load=load, fence=fence)
    login = pair.service
    service.ensure_service_role(into, login.user, login.password, source)
    finish(source, into, load=load, fence=fence)
    service.ensure_service_role(into, login.user, login.password, source)


def follow(pair: Pair, fence: int) -> None:
    subscription.ensure_subscription(pair.forward, fence=fence)
    subscription.enable(pair.forward, fence=fence)
    turn.prepare(pair.back, fence=fence)


def catch_up(pair: Pair, consecutive: int = 3, most: int = 60) -> Sequence[lag.Lag]:
    samples: list[lag.Lag] = []
    while not lag.caught_up(samples, LIMIT, consecutive=consecutive):
        assert len(samples) < most, samples[-5:]
        samples.append(lag.sample(pair.forward))
    return samples


def freeze_source(pair: Pair, within: timedelta | None = None, attempt: str = "") -> datetime:
    return freeze.freeze(pair.source, pair.service.user, within=within, attempt=attempt).at


def drain_and_arm(pair: Pair, frozen_at: datetime, fence: int) -> None:
    drain.drain(pair.forward, frozen_at=frozen_at, fence=fence)
    found = drift(pair.forward)
    assert found == [], found
    sequences.set_sequences(pair.source, pair.target)
    turn.arm(pair.forward, pair.back, fence=fence)


def call_off(pair: Pair, fence: int) -> None:
    turn.disarm(pair.forward, pair.back, fence=fence)
    freeze.unfreeze(pair.source, pair.service.user)
    turn.prepare(pair.back, fence=fence)


def open_target(pair: Pair) -> None:
    service.open_for_writes(pair.target, pair.service.user)


def freeze_target(pair: Pair) -> datetime:
    return service.close_for_writes(pair.target, pair.service.user).at


def return_home(pair: Pair, frozen_at: datetime, fence: int) -> None:
    drain.drain(pair.back, frozen_at=frozen_at, fence=fence)
    sequences.set_sequences(pair.target, pair.source)


def open_source(pair: Pair) -> None:
    freeze.unfreeze(pair.source, pair.service.user)
