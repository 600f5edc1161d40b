"""The programme's gauges, computed from the ledger's records alone: how many are live, where the others are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from onboarding.evidence_kinds import StageEvent
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.observations import Answer
from onboarding.programme.figures import figures
from onboarding.programme.progress import STAGES
from onboarding.records import Record

PLACES = ("not_begun", *STAGES, "rolled_back", "refused")
"""Where a pilot can be: every pilot of the programme is in exactly one."""

KINDS = ("run", "stage", "refused", "cutover", "approval_asked", "approval", "trouble", "mended")
"""The kinds that are read in full; of a gate's looks only the newest is."""

PilotRecords = Mapping[str, Sequence[Record]]


@dataclass(frozen=True)
class Measures:
    """Counts of pilots; `lead_times` in seconds, of those that are live, by pilot.

    `blocked`: it stands until a person mends something (a failed gate or task, a cutover that was rolled back).
    A question that waits for its answer is the ordinary way and blocks nobody.
    """

    live: int
    goal: int
    in_stage: Mapping[str, int]
    blocked: int
    lead_times: Mapping[str, float]


def measure(manifests: Iterable[Manifest], records: PilotRecords, goal: int) -> Measures:
    """The programme's measures; `records` are each pilot's own, oldest first, and may hold more kinds than needed."""
    pilots = {manifest.id: figures(manifest, records.get(manifest.id, ())) for manifest in manifests}
    counted = Counter(place(of.state, records.get(pilot, ())) for pilot, of in pilots.items())
    lead_times = {pilot: of.lead_time_s for pilot, of in pilots.items() if of.state == "live"}
    return Measures(
        live=counted["live"],
        goal=goal,
        in_stage={name: counted[name] for name in PLACES},
        blocked=sum(is_blocked(of.state, records.get(pilot, ())) for pilot, of in pilots.items()),
        lead_times={pilot: seconds for pilot, seconds in lead_times.items() if seconds is not None},
    )


def place(state: str, records: Sequence[Record]) -> str:
    """One of PLACES. What failed is in the stage where it failed."""
    if state != "failed":
        return state
    failed_in = next(StageEvent.of(record).stage for record in reversed(records) if record.kind == StageEvent.KIND)
    return STAGES[-2] if failed_in == "live" else failed_in


def is_blocked(state: str, records: Sequence[Record]) -> bool:
    """Whether only a person gets it on: by its state, or because that is the newest word on it."""
    if state in ("live", "refused", "not_begun"):
        return False
    if state in ("failed", "rolled_back"):
        return True
    newest = records[-1]
    if newest.kind == "observation":
        return bool(newest.body["final"]) and newest.body["answer"] != Answer.PASS
    return newest.kind == "trouble" and newest.body["action"] in ("ask", "stop")


def read(ledger: Ledger, pilots: Iterable[str]) -> dict[str, list[Record]]:
    """What `measure` needs of each pilot, oldest first: its turns, and of its gates' looks the newest."""
    found = _by_pilot(ledger.records(kind=KINDS), pilots)
    for pilot, of in found.items():
        look = ledger.latest(pilot, "observation") if of else None
        if look is not None:
            of.append(look)
            of.sort(key=lambda record: record.seq)
    return found


def read_as_of(ledger: Ledger, pilots: Iterable[str], seq: int) -> dict[str, list[Record]]:
    """The same as it was when the record `seq` was the last one."""
    records = ledger.records(kind=(*KINDS, "observation"))
    return _by_pilot((record for record in records if record.seq <= seq), pilots)


def _by_pilot(records: Iterable[Record], pilots: Iterable[str]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {pilot: [] for pilot in pilots}
    for record in records:
        if record.pilot in found:
            found[record.pilot].append(record)
    return found
