"""The night and the way back as steps between the two databases of each pair: by the modules that the real one uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

from onboarding.databases import deadline, sequences, service
from onboarding.databases import freeze as engine_freeze
from onboarding.databases.follow import closing, drift, lag, subscription, turn
from onboarding.databases.follow.drain import drain as drain_feed
from onboarding.databases.sample_writes import Written, write_samples
from onboarding.errors import Stop
from onboarding.observations import Answer
from onboarding.reconcile.databases import compare_databases
from onboarding.reconcile.report import Comparison
from onboarding.stages import naming, naming_by_weights, pair, proving_files, uploading
from onboarding.stages.pair import Pair
from onboarding.stages.pilot import Pilot

Act = Callable[[], Mapping[str, Any]]
NEAR_WITHIN_S = 60
DRAIN_PATIENCE = timedelta(minutes=2)


def follow(pilot: Pilot, pairs: Sequence[Pair]) -> list[tuple[str, Act]]:
    """With `follow`: copied and followed while it writes, frozen for the last of it, and home again without loss."""
    reads = pilot.manifest.cutover.traffic.reads
    return [
        ("copy", lambda: _load(pairs, pair.slot_held)),
        ("begin_following", lambda: _begin(pairs)),
        ("write", lambda: _written(pairs, [write_samples(one.source_service) for one in pairs])),
        ("near", lambda: _near(pairs)),
        *([("ramp_reads", lambda: naming_by_weights.rehearse_readers(pilot, reads))] if reads else []),
        ("freeze", lambda: _freeze(pilot, pairs)),
        ("drain", lambda: _drain(pilot, pairs)),
        ("files", lambda: _files(pilot)),
        ("sequences", lambda: _sequences(pairs)),
        ("prove", lambda: _prove(pilot, pairs)),
        ("arm", lambda: _arm(pairs)),
        *naming.who_leads(pilot).rehearsal(pilot),
        ("release", lambda: _release(pairs)),
        *_way_back(pilot, pairs),
    ]


def copy(pilot: Pilot, pairs: Sequence[Pair]) -> list[tuple[str, Act]]:
    """With `copy`: frozen from before the load until release."""
    return [
        ("freeze", lambda: _freeze(pilot, pairs)),
        ("load", lambda: _load(pairs, pair.moment_held)),
        ("files", lambda: _files(pilot)),
        ("sequences", lambda: _sequences(pairs)),
        ("prove", lambda: _prove(pilot, pairs)),
        *naming.who_leads(pilot).rehearsal(pilot),
        ("release", lambda: _release(pairs)),
        *_way_back(pilot, pairs),
    ]


def _way_back(pilot: Pilot, pairs: Sequence[Pair]) -> list[tuple[str, Act]]:
    there: list[Written] = []
    home: list[tuple[str, Act]] = [("drain_home", lambda: _drain_home(pilot, pairs))] if pilot.manifest.follows else []
    return [
        ("write_there", lambda: _written(pairs, there)),
        ("close_target", lambda: _close_target(pairs)),
        *home,
        ("measure_loss", lambda: _measure_loss(pilot, pairs, there)),
        ("turn_back", lambda: _turn_back(pilot, pairs)),
    ]


def _load(pairs: Sequence[Pair], holding: Callable[[Pair], Any]) -> dict[str, int]:
    with ExitStack() as held:
        return {"rows": sum(pair.load(one, held.enter_context(holding(one))) for one in pairs)}


def _begin(pairs: Sequence[Pair]) -> dict[str, int]:
    for one in pairs:
        subscription.ensure_subscription(one.forward, fence=one.fence)
        subscription.enable(one.forward, fence=one.fence)
        turn.prepare(one.back, fence=one.fence)
    return {"feeds": len(pairs)}


def _written(pairs: Sequence[Pair], written: list[Written]) -> dict[str, int]:
    """By the service's own login; an empty list is filled with what it writes on the side that plays the target."""
    if not written:
        written += [write_samples(one.target_service) for one in pairs]
    return {"rows": sum(one.rows for one in written)}


def _near(pairs: Sequence[Pair]) -> dict[str, float]:
    worst, limit = 0.0, lag.Limit()
    for one in pairs:
        patience = time.monotonic() + NEAR_WITHIN_S
        while not lag.caught_up(samples := [lag.sample(one.forward) for _ in range(lag.CONSECUTIVE)], limit):
            if time.monotonic() > patience:
                last = samples[-1]
                values = {"bytes": last.bytes, "seconds": last.seconds or "?", "limit": limit.seconds}
                raise Stop("following.behind", where=one.workload.name, **values)
        worst = max(worst, *(sample.seconds or 0.0 for sample in samples))
    return {"lag_s": worst}


def _freeze(pilot: Pilot, pairs: Sequence[Pair]) -> dict[str, int]:
    for one in pairs:
        within = pilot.manifest.cutover.freeze_budget
        engine_freeze.freeze(one.source, one.role, within=within, attempt=one.load)
        seen = engine_freeze.observe_frozen(one.source_service)
        if seen.answer is not Answer.PASS:
            raise Stop("cutover.writes_go_on", where=one.workload.name, observed=str(seen.observed))
    return {"refused": len(pairs)}


def _drain(pilot: Pilot, pairs: Sequence[Pair]) -> dict[str, int]:
    for one in pairs:
        frozen = engine_freeze.frozen_at(one.source, one.role)
        if frozen is None:
            raise Stop("cutover.writes_go_on", where=one.workload.name, observed="not frozen")
        drain_feed(one.forward, frozen_at=frozen, fence=one.fence, patience=_patience(pilot))
        if found := drift.drift(one.forward):
            raise Stop("following.drifted", where=one.workload.name, differing="; ".join(found))
    return {"drained": len(pairs)}


def _patience(pilot: Pilot) -> timedelta:
    """A drain that outlasts the agreed freeze would be called off."""
    return min(pilot.manifest.cutover.freeze_budget, DRAIN_PATIENCE)


def _sequences(pairs: Sequence[Pair]) -> dict[str, int]:
    return {"sequences": sum(sequences.set_sequences(one.source, one.target) for one in pairs)}


def _prove(pilot: Pilot, pairs: Sequence[Pair]) -> dict[str, int]:
    """Rows between the pair; files as they are: nothing is written to tell how long they take to be read."""
    rows = 0
    for one in pairs:
        found = _compared(one, exactly=True)
        if not found.equal:
            differing = [f"{seen.check} {seen.values}" for seen in found.observations(pilot.clock()) if seen.why]
            raise Stop("rehearsing.not_equal", where=one.workload.name, differing="; ".join(differing))
        rows += found.source_rows
    files = [proving_files.prove_changed(pilot, one).source_files for one in pilot.manifest.files]
    return {"rows": rows, "files": sum(files), "differing": 0}


def _files(pilot: Pilot) -> dict[str, int]:
    """To the pilot's own bucket: that is where they go in the night as well."""
    return {"files": sum(uploading.send_changes(pilot).values())}


def _compared(one: Pair, *, exactly: bool) -> Comparison:
    rule: Any = "exactly" if exactly else "at_least"
    return compare_databases(one.source, one.target, expect_writes_closed_for=one.role, sequences=rule)


def _arm(pairs: Sequence[Pair]) -> dict[str, int]:
    for one in pairs:
        turn.arm(one.forward, one.back, fence=one.fence)
    return {"armed": len(pairs)}


def _release(pairs: Sequence[Pair]) -> dict[str, int]:
    for one in pairs:
        deadline.make_permanent(one.source, one.role, attempt=one.load)
        service.open_for_writes(one.target, one.role)
        if one.workload.engine == "follow":
            closing.close(one.forward, fence=one.fence)
    return {"released": len(pairs)}


def _close_target(pairs: Sequence[Pair]) -> dict[str, int]:
    for one in pairs:
        service.close_for_writes(one.target, one.role)
    return {"closed": len(pairs)}


def _drain_home(pilot: Pilot, pairs: Sequence[Pair]) -> dict[str, int]:
    for one in pairs:
        closed = engine_freeze.frozen_at(one.target, one.role)
        if closed is None:
            raise Stop("cutover.loss_has_grown", where=one.workload.name)
        drain_feed(one.back, frozen_at=closed, fence=one.fence, patience=_patience(pilot))
        sequences.set_sequences(one.target, one.source)
    return {"drained": len(pairs)}


def _measure_loss(pilot: Pilot, pairs: Sequence[Pair], written: Sequence[Written]) -> dict[str, int]:
    """With `follow` nothing may be lost; with `copy` the measure has to find every table that was written to."""
    lost = 0
    for one, there in zip(pairs, written, strict=True):
        found = _compared(one, exactly=False)
        differing = {table.table for table in found.tables if table.unaccounted}
        wrong = differing if pilot.manifest.follows else set(there.tables) - differing
        if wrong or found.unknown:
            named = "; ".join([*sorted(wrong), *found.unknown])
            raise Stop("rehearsing.loss_mistaken", where=one.workload.name, tables=named)
        lost += found.unaccounted_rows
    return {"rows": lost}


def _turn_back(pilot: Pilot, pairs: Sequence[Pair]) -> dict[str, int]:
    naming.who_leads(pilot).turn_rehearsal_back(pilot)
    for one in pairs:
        engine_freeze.unfreeze(one.source, one.role)
        if one.workload.engine == "follow":
            closing.close(one.back, fence=one.fence)
    return {"released": len(pairs)}
