"""What the programs of services in use were told, against what is there: they rest while it is counted."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from launcher.journeys import RunningCheckout
from onboarding.cutover.state import CutoverState
from onboarding.manifest import Manifest
from onboarding.stages import sides
from onboarding.stages.pilot import Pilot
from sandbox.agencies.database import WITNESS
from sandbox.agencies.in_use import at_rest
from sandbox.witness.judge import Verdict, judge, read

RESTS_WITHIN_S = 30.0

Logs = Mapping[str, Path]


@contextmanager
def resting(world: RunningCheckout, manifests: Mapping[str, Manifest]) -> Iterator[Logs]:
    """The log of every program by its pilot; none of them writes meanwhile."""
    deadline = time.monotonic() + RESTS_WITHIN_S
    with ExitStack() as held:
        yield {
            pilot: held.enter_context(at_rest(folder, patience=lambda: time.monotonic() < deadline))
            for pilot in manifests
            if (folder := world.program(pilot)) is not None
        }


def judged(pilot: Pilot, log: Path) -> dict[str, Any]:
    """Transactions that were acknowledged, and how many of them are lost, there twice, or on the wrong side.

    `waited_s` is the longest that the program could not write for when its side changed; None when it never did.
    """
    workload = pilot.manifest.databases[0].name
    source, active = sides.source_service(pilot, workload), sides.source_service(pilot, workload)
    hosts = [source.resolve(source.host)]
    for move in pilot.ledger.records(pilot=pilot.id, kind="cutover"):
        to, before = CutoverState(move.body["to"]), CutoverState(move.body["from"])
        if to is CutoverState.SWITCHED:
            active = sides.target_service(pilot, workload)
        elif to is CutoverState.ROLLED_BACK and before in sides.SWITCHED:
            active = source
        else:
            continue
        hosts.append(active.resolve(active.host))
    with active.connect(autocommit=True) as connection:
        connection.execute(f"SET search_path = {WITNESS}".encode())
        return _told(judge(read(log), connection, hosts))


def _told(verdict: Verdict) -> dict[str, Any]:
    return {
        "acknowledged": verdict.acknowledged,
        "lost": len(verdict.lost),
        "duplicated": len(verdict.duplicated),
        "both_sides": len(verdict.both_sides),
        "waited_s": max(verdict.waits, default=None),
    }


def shortfalls(document: Mapping[str, Any]) -> Iterator[str]:
    """What the programs were told and is not so."""
    for pilot in document["pilots"]:
        for what in ("lost", "duplicated", "both_sides"):
            if count := pilot.get("witness", {}).get(what):
                yield f"{pilot['id']}: witness: {what} {count}"
