"""The count of live pilots as evidence: one record per pilot that went live, one more when the goal is reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onboarding.errors import AskPerson, Stop
from onboarding.evidence_kinds import PROGRAMME, Counted, GoalReached, StageEvent
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.programme.metrics import KINDS, PilotRecords, measure, read, read_as_of
from onboarding.programme.progress import LIVE
from onboarding.records import Record


def count(ledger: Ledger, manifests: Mapping[str, Manifest], goal: int, pilot: str, *, run: str = "") -> Counted:
    """The programme's figures of the moment when `pilot` went live, kept in the ledger.

    Safe to repeat: one record per going live and set of manifests. Raises Stop when the ledger does not say live.
    """
    event = _went_live(ledger.records(pilot=pilot, kind=KINDS))
    if pilot not in manifests or event is None:
        raise Stop("programme.not_live", where=pilot)
    counted = _count(manifests, read_as_of(ledger, manifests, event.seq), goal, event)
    kept = (Counted.of(one) for one in ledger.records(pilot=PROGRAMME, kind=Counted.KIND, subject=pilot))
    if not any((one.as_of, list(one.manifests)) == (counted.as_of, list(counted.manifests)) for one in kept):
        ledger.record(PROGRAMME, *counted.as_record(), run=run)
    return counted


def is_counted_by(ledger: Ledger, counted: Counted, run: str) -> bool:
    """Whether this run was the first to count the pilot's going live: what is told once is told by that one."""
    kept = ledger.records(pilot=PROGRAMME, kind=Counted.KIND, subject=counted.pilot)
    return next(one for one in kept if one.body["as_of"] == counted.as_of).run == run


def to_count_again(ledger: Ledger, counted: Counted) -> Sequence[str]:
    """The other live pilots, when the set of manifests is not the one that was counted among before.

    Airflow begins its own count of partitions anew when their set changes; these are told to it again.
    """
    before = [
        Counted.of(one)
        for one in ledger.records(pilot=PROGRAMME, kind=Counted.KIND)
        if (one.subject, one.body["as_of"]) != (counted.pilot, counted.as_of)
    ]
    if not before or set(before[-1].manifests) == set(counted.manifests):
        return ()
    return [pilot for pilot in counted.live if pilot != counted.pilot]


def reach_goal(ledger: Ledger, manifests: Mapping[str, Manifest], goal: int, *, run: str = "") -> GoalReached:
    """Records that the goal is reached, once, if the ledger says so now: what Airflow counted proves nothing.

    Raises AskPerson when fewer are live.
    """
    went_live = _live(manifests, read(ledger, manifests))
    if len(went_live) < goal:
        raise AskPerson("programme.goal_not_reached", live=len(went_live), goal=goal)
    in_order = sorted(went_live.items(), key=lambda one: one[1].seq)[:goal]
    last, event = in_order[-1]
    kept = ledger.latest(PROGRAMME, GoalReached.KIND)
    if kept is not None and GoalReached.of(kept).goal == goal:
        return GoalReached.of(kept)
    reached = GoalReached(goal, [pilot for pilot, _ in in_order], last, event.at)
    ledger.record(PROGRAMME, *reached.as_record(), run=run)
    return reached


def _count(manifests: Mapping[str, Manifest], records: PilotRecords, goal: int, event: Record) -> Counted:
    measures = measure(manifests.values(), records, goal)
    return Counted(
        pilot=event.pilot,
        as_of=event.seq,
        live=list(_live(manifests, records)),
        goal=goal,
        in_stage=measures.in_stage,
        blocked=measures.blocked,
        lead_time_s=measures.lead_times.get(event.pilot),
        manifests=sorted(manifests),
    )


def _live(manifests: Mapping[str, Manifest], records: PilotRecords) -> dict[str, Record]:
    """Each pilot that is live by its records, with the record that made it so."""
    events = {pilot: _went_live(records[pilot]) for pilot in sorted(manifests)}
    return {pilot: event for pilot, event in events.items() if event is not None}


def _went_live(records: Sequence[Record]) -> Record | None:
    """The event by which the pilot is live; None when it is not. One told again counts from the first time."""
    found: Record | None = None
    for record in records:
        if record.kind == StageEvent.KIND:
            live = StageEvent.of(record) == LIVE
            found = (found or record) if live else None
        elif record.kind == "refused" or (record.kind == "cutover" and record.body["to"] == "ROLLED_BACK"):
            found = None
    return found
