"""The runbook's actual times, from the records that a night leaves and from nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from onboarding.cutover.runbook import STEPS, Table, table
from onboarding.evidence_kinds import Freeze, Reconciled, Release, Runbook
from onboarding.records import Record, canonical

BEGAN = datetime(2027, 3, 10, 16, tzinfo=UTC)
NAME, READS = "queue.p03.example", "board.p03.example"


def planned(engine: str) -> list[dict[str, Any]]:
    mine = [step for step in STEPS if engine in step.engines and step.rehearsed]
    return [
        {"step": one.name, "phase": one.phase, "owner": one.owner, "rehearsed_s": 2.0, "planned_s": 3.0, "seen": {}}
        for one in mine
    ]


def told(engine: str, *night: tuple[float, tuple[str, str, Any]], by_hand: bool = False) -> Table:
    """The table from a rehearsal and what was recorded so many seconds after it."""
    first = (0.0, Runbook(engine, {"booking": "b"}, planned(engine)).as_record())
    records = [
        Record(seq, BEGAN + timedelta(seconds=at), "p03", kind, subject, "r1", canonical(body), "", "")
        for seq, (at, (kind, subject, body)) in enumerate((first, *night), 1)
    ]
    found = table(records, record_name=NAME, reads=READS, by_hand=by_hand)
    assert found is not None
    return found


def moved(to: str) -> tuple[str, str, Any]:
    return "cutover", "cutover", {"to": to}


def led(name: str, percent: int) -> tuple[str, str, Any]:
    return "traffic", name, {"percent": percent}


PROVEN = Reconciled("booking", "rows", "cutover", 5, 0).as_record()
NIGHT = (
    (9.0, ("fence", f"traffic:{READS}", {"token": 1})), (10.0, led(READS, 50)), (12.0, led(READS, 100)),
    (20.0, moved("FROZEN")), (20.5, Freeze(BEGAN).as_record()), (21.5, ("drained", "booking", {})),
    (22.0, ("files_sent", "cutover", {"seconds": 0.25})),
    (23.0, ("sequences_set", "cutover", {"seconds": 0.5})), (25.0, PROVEN), (26.0, ("armed", "booking", {})),
    (26.5, ("fence", f"traffic:{NAME}", {"token": 2})), (31.0, led(NAME, 100)),
    (31.5, moved("SWITCHED")), (32.0, Release(BEGAN, "target").as_record()),
)  # fmt: skip


def taken(found: Table) -> dict[str, float]:
    return {row.step.name: row.actual_s for row in found.rows if row.actual_s is not None}


def test_before_the_night_everything_is_planned_and_nothing_has_happened():
    found = told("follow")
    assert taken(found) == {}
    assert {row.step.name for row in found.rows if row.planned_s is None} == {
        "approve", "call_back", "approve_back"
    }  # fmt: skip
    assert found.totals["frozen"].planned_s == 8 * 3.0 and found.totals["frozen"].actual_s is None


def test_each_step_is_timed_by_its_own_records_and_the_rest_went_by_between_them():
    found = told("follow", *NIGHT)
    assert taken(found) == {
        "ramp_reads": 3.0, "freeze": 0.5, "drain": 1.0,
        "files": 0.25, "sequences": 0.5, "prove": 2.0, "arm": 1.0, "traffic": 4.5,
        "release": 0.5,
    }  # fmt: skip
    assert {row.step.name for row in found.rows if row.late} == {"traffic"}
    frozen = found.totals["frozen"]
    assert (frozen.actual_s, frozen.handed_over_s) == (12.0, 1.75)


def test_a_name_that_the_agency_turns_is_its_step_and_timed_by_the_question_and_the_look_that_found_it():
    found = told(
        "copy", (20.0, moved("FROZEN")), (26.0, ("name_asked", NAME, {"side": "target"})),
        (40.0, ("name_led", NAME, {"side": "target"})), by_hand=True,
    )  # fmt: skip
    (row,) = (one for one in found.rows if one.step.name == "traffic")
    assert (row.step.owner, row.actual_s) == ("agency", 14.0)
    assert found.totals["frozen"].planned_s == 7 * 3.0


def test_a_night_that_stopped_half_way_claims_no_more_than_it_did():
    found = told("follow", *NIGHT[:6])
    assert set(taken(found)) == {"ramp_reads", "freeze", "drain"}
    assert found.totals["frozen"].actual_s is None


def test_the_way_back_does_not_count_the_time_of_people():
    found = told(
        "copy", (0.0, moved("FROZEN")), (60.0, ("target_closed", "way_back", {"seconds": 1.0})),
        (65.0, ("loss", "way_back", {"seconds": 2.0})), (70.0, ("approval_asked", "way_back", {})),
        (170.0, ("approval", "way_back", {})), (171.0, moved("ROLLED_BACK")),
        (172.0, Release(BEGAN, "source").as_record()),
    )  # fmt: skip
    assert taken(found) == {"close_target": 1.0, "measure_loss": 2.0, "approve_back": 100.0, "turn_back": 1.0}
    assert found.totals["back"].actual_s == 13.0


def test_a_later_rehearsal_begins_a_new_table():
    first = told("follow", *NIGHT)
    assert first.at == BEGAN
    again = Runbook("follow", {}, planned("follow")).as_record()
    later = told("follow", *NIGHT, (90.0, again))
    assert taken(later) == {} and later.at == BEGAN + timedelta(seconds=90)
    assert replace(later.rows[0], actual_s=4.0).late
