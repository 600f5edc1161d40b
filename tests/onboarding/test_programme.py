"""Every figure comes out of the ledger, and each of them can turn bad."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from journeys import journey, manifest, move, prove, tell

from onboarding import approvals, gates
from onboarding.approvals import Person
from onboarding.cutover.state import CutoverState
from onboarding.evidence import Anchor
from onboarding.evidence_kinds import Freeze, MovedRows, Reconciled, Refused, Release, StageEvent
from onboarding.observations import Answer, Observation
from onboarding.programme import progress
from onboarding.programme.commands import show_report, verify_evidence
from onboarding.programme.figures import KINDS, figures
from onboarding.programme.report import report, shortfalls
from onboarding.programme.table import cells, headings, lines, rows

P02, P05 = manifest("p02"), manifest("p05")


def of(ledger, pilot=P02):
    return figures(pilot, ledger.records(pilot=pilot.id, kind=KINDS))


def test_the_report_of_a_whole_journey(ledger, house):
    journey(ledger, house.clock, P02)
    document = report(ledger, [], [P02])
    workload_rows, workload_files = 30 * len(P02.databases), 5 * len(P02.files)
    assert json.loads(json.dumps(document)) == {
        "goal": 1, "live": 1, "refused": 0,
        "unaccounted_rows": 0, "unaccounted_files": 0, "duplicate_side_effects": 0,
        "seconds": pytest.approx(420, abs=1), "sandbox": True,
        "ledger": {"records": ledger.head().seq, "head": ledger.head().hash, "verified": True},
        "pilots": [{
            "id": "p02", "state": "live", "lead_time_s": pytest.approx(420, abs=1),
            "freeze_s": pytest.approx(10, abs=0.1),
            "rows": workload_rows, "files": workload_files, "rehearsal_s": 12.5, "rollback_rehearsal_s": 3.25,
            "task_instances": 42,
        }],
    }  # fmt: skip
    assert shortfalls(document) == []


def test_an_empty_ledger_reports_that_nothing_began(ledger):
    document = report(ledger, [], [P02, P05])
    assert (document["goal"], document["live"], document["seconds"], document["sandbox"]) == (2, 0, None, False)
    assert {pilot["state"] for pilot in document["pilots"]} == {"not_begun"}
    assert shortfalls(document) == ["live"]


def test_a_row_that_the_verifier_misses_is_in_the_report(ledger, house):
    journey(ledger, house.clock, P02)
    prove(ledger, P02, unaccounted=1)
    document = report(ledger, [], [P02])
    assert (document["unaccounted_rows"], document["unaccounted_files"]) == (len(P02.databases), len(P02.files))
    assert shortfalls(document) == ["unaccounted_rows", "unaccounted_files"]
    prove(ledger, P02)
    assert shortfalls(report(ledger, [], [P02])) == []


def test_what_was_moved_after_the_last_proof_is_unaccounted(ledger):
    prove(ledger, P02)
    move(ledger, P02, "final", 30)
    assert (of(ledger).unaccounted_rows, of(ledger).unaccounted_files) == (30 * len(P02.databases), 5 * len(P02.files))


def test_live_without_a_proof_is_never_zero(ledger):
    progress.passed(ledger, "p02", "live")
    assert of(ledger).unaccounted_rows == len(P02.databases) > 0
    assert of(ledger).unaccounted_files == len(P02.files) > 0


def test_one_pilots_proof_says_nothing_about_another(ledger, house):
    for pilot in (P02, P05):
        journey(ledger, house.clock, pilot)
    tell(ledger, "p05", Reconciled(P05.files[0].name, "files", "report", 5, 2))
    document = report(ledger, [], [P02, P05])
    assert (document["live"], document["unaccounted_files"]) == (2, 2)
    assert of(ledger, P02).unaccounted_files == 0


def test_a_rewritten_ledger_is_in_the_report(ledger, house):
    journey(ledger, house.clock, P02)
    anchor = Anchor(ledger.head().seq + 1, "0" * 64, ledger.now())
    document = report(ledger, [], [P02], anchors=[anchor])
    assert document["ledger"]["verified"] is False
    assert shortfalls(document) == ["verified"]


def test_a_creating_call_without_an_intent_is_in_the_report(ledger, house):
    journey(ledger, house.clock, P02)
    entry = {
        "seq": 1, "account": "1" * 12, "service": "s3", "action": "CreateBucket", "params": {"Bucket": "b"},
        "status": 200, "error": None,
    }  # fmt: skip
    document = report(ledger, [entry], [P02])
    assert document["duplicate_side_effects"] == 1
    assert shortfalls(document) == ["duplicate_side_effects"]


def test_a_repeated_unit_counts_once_and_the_newest_load_counts(ledger):
    for load, unit, moved in (("one", "a", 5), ("one", "b", 5), ("two", "a", 7), ("two", "a", 8), ("two", "b", 2)):
        tell(ledger, "p02", MovedRows(P02.databases[0].name, load, unit, moved))
    assert of(ledger).rows == 10


def test_the_freeze_counts_from_the_first_refusal_to_the_release(ledger, house):
    start = house.clock.now

    def at(seconds: int):
        return start + timedelta(seconds=seconds)

    tell(ledger, "p02", Freeze(at(0)))
    assert of(ledger).freeze_s is None
    tell(ledger, "p02", Freeze(at(5)))  # a retry that froze what was frozen
    tell(ledger, "p02", Release(at(9), "source"))
    tell(ledger, "p02", Release(at(30), "source"))
    assert of(ledger).freeze_s == 9.0
    tell(ledger, "p02", Freeze(at(100)))
    tell(ledger, "p02", Release(at(104), "target"))
    assert of(ledger).freeze_s == 4.0


def test_states(ledger):
    states = [of(ledger).state]
    for stage in progress.STAGES:
        progress.enter(ledger, "p02", stage)
        states.append(of(ledger).state)
    progress.passed(ledger, "p02", "live")
    states.append(of(ledger).state)
    assert states == [
        "not_begun", "intake", "account", "migration", "validation", "cutover", "soak", "soak", "live",
    ]  # fmt: skip


def test_ends_that_are_not_live(ledger):
    progress.enter(ledger, "p02", "cutover")
    tell(ledger, "p02", Refused("cutover", "approver1", "not now"))
    assert of(ledger).state == "refused"
    assert report(ledger, [], [P02])["refused"] == 1
    progress.enter(ledger, "p02", "cutover", run="r2")
    assert of(ledger).state == "cutover"
    progress.failed(ledger, "p02", "cutover", run="r2")
    assert of(ledger).state == "failed"

    state = CutoverState
    for expected, to in (
        (state.PLANNED, state.REHEARSED),
        (state.REHEARSED, state.FROZEN),
        (state.FROZEN, state.ROLLED_BACK),
    ):
        ledger.advance("p02", expected=expected, to=to, body={})
    assert of(ledger).state == "rolled_back"


def test_a_stage_event_is_told_once_per_run_and_since_is_the_first(ledger, house):
    progress.enter(ledger, "p02", "intake", run="r1")
    first = house.clock.now
    house.clock.now += timedelta(hours=1)
    progress.enter(ledger, "p02", "intake", run="r1")
    progress.enter(ledger, "p02", "intake", run="r2")
    assert len(ledger.records(kind="stage")) == 2
    here = progress.where(ledger, "p02")
    assert (here.stage, here.state, here.since) == ("intake", "entered", first)


def test_what_a_pilot_waits_for(ledger, house):
    def waits() -> list[str]:
        return [wait.render("en") for wait in progress.where(ledger, "p02").waits_for]

    def look(answer: Answer) -> None:
        seen = Observation("trail", answer, None, None, house.clock.now, "gates.no_evidence")
        passing = replace(seen, check="key", answer=Answer.PASS, why="")
        gates.observe(
            ledger, "p02", "account", gates.evaluate({"trail": lambda: seen, "key": lambda: passing}, house.clock)
        )

    assert waits() == []
    progress.enter(ledger, "p02", "account")
    look(Answer.UNKNOWN)
    assert waits() == ["account/trail: there is no evidence yet"]
    look(Answer.PASS)
    assert waits() == []

    progress.enter(ledger, "p02", "cutover")
    people = [Person("1", login, login) for login in ("approver1", "approver2")]
    approvals.ask(ledger, "p02", "d", 1, people)
    assert waits() == ["approval 1 by one of approver1, approver2"]
    approvals.record(ledger, "p02", "d", "approver1", "approve", automated=False, ordinal=1, requester="platform")
    assert waits() == []
    approvals.ask(ledger, "p02", "d", 2, people[1:])
    assert "approver2" in progress.where(ledger, "p02").waits_for[0].render("th")

    ledger.record("p02", "trouble", "freeze", {"th": "ขัดข้อง", "en": "in trouble", "action": "ask"})
    assert waits()[-1] == "in trouble"
    progress.passed(ledger, "p02", "live")
    assert waits() == []


def test_lead_times_run_from_first_entry_to_first_pass(ledger, house):
    journey(ledger, house.clock, P02)
    progress.passed(ledger, "p02", "intake", run="late")
    took = progress.lead_times(ledger.records(pilot="p02"))
    assert list(took) == list(progress.STAGES)
    assert all(timedelta(seconds=60) <= length < timedelta(seconds=61) for length in took.values())


def test_kinds_come_back_as_they_were_written(ledger, house):
    for evidence in (
        Freeze(house.clock.now), Refused("intake", "policy", "secret"), StageEvent("soak", "entered"),
        Reconciled("registry", "rows", "final", 5, 0, {"tables": 3}),
    ):  # fmt: skip
        tell(ledger, "p02", evidence)
        (record,) = ledger.records(after=ledger.head().seq - 1)
        assert type(evidence).of(record) == evidence


@pytest.mark.parametrize("language", ["th", "en"])
def test_the_live_table(ledger, house, language):
    journey(ledger, house.clock, P02, until="migration")
    waiting, idle = rows(ledger, [P02, P05], language)
    assert (waiting.pilot, waiting.state, waiting.rows) == ("p02", "migration", 20 * len(P02.databases))
    assert (idle.state, idle.since, idle.waits_for) == ("not_begun", None, ())
    for row in (waiting, idle):
        assert len(cells(row, house.clock.now, language)) == len(headings(language))
    assert len(lines([waiting, idle], house.clock.now, language)) == 3


@pytest.mark.parametrize("language", ["th", "en"])
def test_what_the_commands_say(ledger, house, language):
    journey(ledger, house.clock, P02)
    said: list[str] = []
    assert show_report(report(ledger, [], [P02]), language, said.append) == 0
    assert verify_evidence(ledger, None, "", language, said.append) == 0
    prove(ledger, P02, unaccounted=3)
    assert show_report(report(ledger, [], [P02]), language, said.append) == 1

    with house.owner.connect() as owner:
        owner.execute("ALTER TABLE ledger.records DISABLE TRIGGER append_only")
        owner.execute("DELETE FROM ledger.records WHERE seq = 7")
    assert verify_evidence(ledger, None, "", language, said.append) == 1
    assert any("✘" in line and "7" in line for line in said)


def test_people_who_read_sql_see_the_same(ledger, house):
    journey(ledger, house.clock, P02)
    ledger.next_fence("p02", "registry")
    ledger.advance("p02", expected=CutoverState.PLANNED, to=CutoverState.REHEARSED, body={"n": 1})
    approvals.record(ledger, "p02", "d", "approver1", "approve", automated=True, ordinal=1, requester="platform")
    with house.owner.connect() as owner:

        def ask(query: str):
            return owner.execute(query).fetchall()

        ((pilot, stage, state, lead, rows_seen),) = ask(
            "SELECT pilot, stage, state, lead_time, rows_reconciled FROM ledger.programme"
        )
        assert (pilot, stage, state, rows_seen) == ("p02", "live", "passed", 30 * len(P02.databases))
        assert lead.total_seconds() == pytest.approx(of(ledger).lead_time_s, abs=0.001)
        assert ask("SELECT count(*) FROM ledger.stage_events") == [(14,)]
        assert ask("SELECT count(*) FROM ledger.stage_times WHERE lead_time > '59 s'") == [(7,)]
        assert ask("SELECT token FROM ledger.fences") == [(1,)]
        assert ask("SELECT moved_from, moved_to, epoch FROM ledger.cutover_transitions") == [
            ("PLANNED", "REHEARSED", 1)
        ]
        assert ask("SELECT approver, automated FROM ledger.approvals") == [("approver1", True)]
