"""The moment of the source that a load is made from: who holds its snapshot open, and what is done when nobody does.

Two moments are never mixed, under the freeze neither: administrators still write there, and no later snapshot can be
known to be of the same moment (every look at the freeze takes a transaction number, other databases of the server do).
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from onboarding.databases import locks, snapshot
from onboarding.errors import OnboardingError, Stop, TryAgain
from onboarding.evidence_kinds import Refused
from onboarding.stages import following, frozen, loads, sides
from onboarding.stages.loads import FINAL
from onboarding.stages.pilot import Pilot

LOST = "databases.snapshot_gone", "databases.mixed_snapshot"
"""What is said when a load can be no more: its rows would be of two moments."""

BEGINS_ANEW = "databases.load_begins_anew"

HOLDER_WITHIN_S = 120
POLL_S = 0.3


@dataclass(frozen=True)
class Held:
    """A snapshot that is open, and the load it is for; `since` is the ledger's last record before."""

    snapshot: snapshot.Snapshot
    load: str
    since: int

    def close(self) -> None:
        """Lets go. Safe to call twice."""
        self.snapshot.close()


def hold(pilot: Pilot, workload: str, kind: str) -> Held | None:
    """Open a snapshot and write its id down; None when the load needs none any more. The caller closes it.

    Of a database that is followed it is the snapshot of the slot's first moment.
    """
    since, load = pilot.ledger.head().seq, loads.load_name(pilot, workload, kind)
    if loads.is_settled(pilot, workload, kind, load) or loads.is_given_up(pilot, workload, load):
        return None
    if kind == FINAL:
        frozen.demand(pilot)  # what is written after its moment would be lost
    source = sides.source(pilot, workload)
    locks.demand_readable(source)
    opened = following.open_slot(pilot, workload, load) if pilot.manifest.follows else snapshot.open_snapshot(source)
    pilot.record("snapshot", f"{workload}/{load}", {"id": opened.id})
    return Held(opened, load, since)


def go_on_holding(pilot: Pilot, workload: str, kind: str, held: Held) -> Held | None:
    """What is to be held from now on: the same, another one when the load was begun anew, or none.

    None, too, once the journey was ended by a no: its loads are begun anew, but by another journey.
    """
    if loads.is_over(pilot, workload, kind, held.load) or _was_ended(pilot, held):
        held.close()
        return None
    if loads.is_replaced(pilot, workload, kind, held.load):
        held.close()
        return hold(pilot, workload, kind)
    return held


def _was_ended(pilot: Pilot, held: Held) -> bool:
    refused = pilot.ledger.latest(pilot.id, Refused.KIND)
    return refused is not None and refused.seq > held.since


def await_held(pilot: Pilot, workload: str, load: str) -> str:
    """The id of the snapshot that somebody holds for the load, waited for at most two minutes."""
    deadline = time.monotonic() + HOLDER_WITHIN_S
    subject = f"{workload}/{load}"
    while (told := pilot.ledger.latest(pilot.id, "snapshot", subject)) is None:
        if time.monotonic() > deadline:
            raise TryAgain("cutover.no_snapshot", where=subject, seconds=HOLDER_WITHIN_S)
        time.sleep(POLL_S)
    return str(told.body["id"])


@contextmanager
def told_when_lost(pilot: Pilot, workload: str, load: str, then: type[OnboardingError]) -> Iterator[None]:
    """A moment that is gone is written down: whoever prepares the load next begins it anew. Raises `then`."""
    try:
        yield
    except Stop as stop:
        if stop.key not in LOST:
            raise
        pilot.record("load_lost", f"{workload}/{load}", {"load": load})
        raise then(BEGINS_ANEW, where=f"{workload}/{load}") from stop
