"""How many are live and where the others are: recomputed from the ledger, kept at each going live, never believed."""

from __future__ import annotations

from datetime import timedelta

import pytest
from journeys import journey, manifest, tell
from prometheus_client.parser import text_string_to_metric_families

from onboarding import approvals, gates
from onboarding.approvals import Person
from onboarding.cutover.state import CutoverState
from onboarding.errors import AskPerson, Stop
from onboarding.evidence_kinds import PROGRAMME, Counted, GoalReached, Refused, RunBegan
from onboarding.observations import Answer, Observation
from onboarding.programme import counting, progress
from onboarding.programme.exposition import exposition
from onboarding.programme.goal import load_goal
from onboarding.programme.metrics import PLACES, Measures, measure, read, read_as_of

P02 = manifest("p02")
TEN = {f"p{n:02}": P02.model_copy(update={"id": f"p{n:02}"}) for n in range(1, 11)}


def measured(ledger, pilots=TEN) -> Measures:
    found = measure(pilots.values(), read(ledger, pilots), 10)
    assert tuple(found.in_stage) == PLACES
    assert sum(found.in_stage.values()) == len(pilots)  # each pilot is in exactly one place
    assert found.in_stage["live"] == found.live
    return found


def places(of: Measures) -> dict[str, int]:
    return {name: pilots for name, pilots in of.in_stage.items() if pilots}


def go_live(ledger, clock, *pilots: str) -> None:
    for pilot in pilots:
        journey(ledger, clock, TEN[pilot])


def roll_back(ledger, pilot: str) -> None:
    state = CutoverState
    for expected, to in (
        (state.PLANNED, state.REHEARSED), (state.REHEARSED, state.FROZEN), (state.FROZEN, state.ROLLED_BACK),
    ):  # fmt: skip
        ledger.advance(pilot, expected=expected, to=to, body={})


def look(ledger, clock, pilot: str, answer: Answer, *, final: bool) -> None:
    seen = Observation("account.active", answer, None, None, clock.now, "gates.no_evidence")
    gates.observe(ledger, pilot, "account_made", gates.evaluate({"it": lambda: seen}, clock), final=final)


def test_the_goal_is_ten_and_says_who_says_so():
    assert load_goal().live == 10
    assert "memorandum" in load_goal().source


def test_nothing_began(ledger):
    assert measured(ledger) == Measures(0, 10, {name: 10 * (name == "not_begun") for name in PLACES}, 0, {})


def test_each_pilot_is_counted_where_it_is(ledger, house):
    go_live(ledger, house.clock, "p01", "p02")
    journey(ledger, house.clock, TEN["p03"], until="migration")
    progress.enter(ledger, "p04", "cutover")
    progress.failed(ledger, "p04", "cutover")
    progress.enter(ledger, "p05", "cutover")
    roll_back(ledger, "p05")
    progress.enter(ledger, "p06", "intake")
    tell(ledger, "p06", Refused("intake", "policy 1", "very_secret"))
    found = measured(ledger)
    assert places(found) == {"live": 2, "migration": 1, "cutover": 1, "rolled_back": 1, "refused": 1, "not_begun": 4}
    assert found.blocked == 2
    assert found.lead_times == {pilot: pytest.approx(420, abs=1) for pilot in ("p01", "p02")}


def test_what_is_no_pilot_of_the_programme_counts_nothing(ledger, house):
    journey(ledger, house.clock, P02.model_copy(update={"id": "p99"}))
    assert measured(ledger).live == 0


def test_blocked_is_what_only_a_person_gets_on(ledger, house):
    def blocked() -> int:
        return measured(ledger).blocked

    def trouble(action: str) -> None:
        ledger.record("p01", "trouble", "x", {"th": "ขัดข้อง", "en": "trouble", "action": action})

    progress.enter(ledger, "p01", "account")
    look(ledger, house.clock, "p01", Answer.UNKNOWN, final=False)
    assert blocked() == 0
    look(ledger, house.clock, "p01", Answer.UNKNOWN, final=True)  # ran into its deadline
    assert blocked() == 1
    look(ledger, house.clock, "p01", Answer.PASS, final=True)
    assert blocked() == 0
    trouble("retry")
    assert blocked() == 0
    trouble("stop")
    assert blocked() == 1
    progress.passed(ledger, "p01", "account")
    assert blocked() == 0
    trouble("ask")
    assert blocked() == 1
    approvals.ask(ledger, "p01", "digest", 1, [Person("1", "approver1", "approver1")])
    assert blocked() == 0  # it waits for an answer, which is the ordinary way


def test_what_was_then_is_what_was_read_then(ledger, house):
    journey(ledger, house.clock, TEN["p01"], until="cutover")
    look(ledger, house.clock, "p01", Answer.FAIL, final=True)
    then, seq = measured(ledger), ledger.head().seq
    assert then.blocked == 1
    look(ledger, house.clock, "p01", Answer.PASS, final=True)
    go_live(ledger, house.clock, "p02")
    assert measured(ledger) != then
    assert measure(TEN.values(), read_as_of(ledger, TEN, seq), 10) == then


def test_a_going_live_is_counted_as_it_was_and_once(ledger, house):
    go_live(ledger, house.clock, "p03", "p01")
    late = [counting.count(ledger, TEN, 10, pilot, run=f"run of {pilot}") for pilot in ("p01", "p03", "p01")]
    assert [(one.pilot, one.live) for one in late[:2]] == [("p01", ["p01", "p03"]), ("p03", ["p03"])]
    assert late[2] == late[0]
    kept = [Counted.of(record) for record in ledger.records(pilot=PROGRAMME)]
    assert kept == late[:2]
    assert kept[0].lead_time_s == pytest.approx(420, abs=1)
    assert kept[0].in_stage["live"] == 2 and kept[0].manifests == list(TEN)
    assert counting.is_counted_by(ledger, late[2], "run of p01")
    assert not counting.is_counted_by(ledger, late[2], "another run")


def test_an_event_that_the_ledger_does_not_know_counts_nothing(ledger, house):
    go_live(ledger, house.clock, "p01")
    progress.enter(ledger, "p02", "live")
    for pilot in ("p02", "p03", "p99", ""):
        with pytest.raises(Stop) as refusal:
            counting.count(ledger, TEN, 10, pilot)
        assert refusal.value.key == "programme.not_live"
    assert ledger.records(pilot=PROGRAMME) == []


def test_a_pilot_that_went_back_and_live_again_is_counted_again(ledger, house):
    go_live(ledger, house.clock, "p01")
    first = counting.count(ledger, TEN, 10, "p01")
    roll_back(ledger, "p01")
    with pytest.raises(Stop):
        counting.count(ledger, TEN, 10, "p01")
    go_live(ledger, house.clock, "p01")
    second = counting.count(ledger, TEN, 10, "p01")
    assert second.as_of > first.as_of
    assert len(ledger.records(kind=Counted.KIND)) == 2


def test_another_set_of_manifests_has_the_others_told_again_once(ledger, house):
    def counted(pilot: str, pilots: dict) -> list[str]:
        return list(counting.to_count_again(ledger, counting.count(ledger, pilots, 10, pilot)))

    nine = {pilot: TEN[pilot] for pilot in list(TEN)[:9]}
    go_live(ledger, house.clock, "p01", "p02")
    assert [counted(pilot, nine) for pilot in ("p01", "p02")] == [[], []]
    go_live(ledger, house.clock, "p03")
    assert counted("p03", TEN) == ["p01", "p02"]
    assert counted("p03", TEN) == ["p01", "p02"]  # killed before Airflow heard of it, and repeated
    assert [counted(pilot, TEN) for pilot in ("p01", "p02")] == [[], []]  # told again, they tell nobody
    go_live(ledger, house.clock, "p04")
    assert counted("p04", TEN) == []


def test_the_goal_is_reached_at_the_tenth_by_the_ledger_and_recorded_once(ledger, house):
    *nine, tenth = TEN
    go_live(ledger, house.clock, *nine)
    with pytest.raises(AskPerson) as refusal:
        counting.reach_goal(ledger, TEN, 10)
    assert "9 of 10" in refusal.value.render("en") and "9" in refusal.value.render("th")
    assert ledger.records(kind=GoalReached.KIND) == []

    go_live(ledger, house.clock, tenth)
    at = ledger.latest(tenth, "stage").at
    house.clock.now += timedelta(days=1)
    for run in ("r1", "r2"):
        reached = counting.reach_goal(ledger, TEN, 10, run=run)
        assert reached == GoalReached(10, list(TEN), tenth, at)
    assert [record.run for record in ledger.records(pilot=PROGRAMME, kind=GoalReached.KIND)] == ["r1"]


@pytest.mark.parametrize("how", ["rolled back", "refused"])
def test_one_that_is_live_no_more_is_none_of_the_ten(ledger, house, how):
    go_live(ledger, house.clock, *TEN)
    if how == "refused":
        tell(ledger, "p04", Refused("live", "somebody", "no"))
    else:
        roll_back(ledger, "p04")
    with pytest.raises(AskPerson):
        counting.reach_goal(ledger, TEN, 10)


def test_prometheus_reads_what_was_measured(ledger, house):
    go_live(ledger, house.clock, "p01")
    progress.enter(ledger, "p02", "soak")
    text = exposition(measured(ledger))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert {family.type for family in families.values()} == {"gauge"}
    assert all(family.documentation for family in families.values())
    single = {name: families[name].samples[0].value for name in ("pilots_live", "pilots_goal", "pilots_blocked")}
    assert single == {"pilots_live": 1, "pilots_goal": 10, "pilots_blocked": 0}
    stages = {one.labels["stage"]: one.value for one in families["pilots_in_stage"].samples}
    assert stages == measured(ledger).in_stage
    (lead,) = families["pilots_lead_time_seconds"].samples
    assert (lead.labels, lead.value) == ({"pilot": "p01"}, pytest.approx(420, abs=1))
    assert text.endswith("\n")


def test_a_label_may_hold_anything():
    odd = 'a"b\\c\nd'
    text = exposition(Measures(0, 10, {odd: 3}, 0, {}))
    families = {family.name: family for family in text_string_to_metric_families(text)}
    (sample,) = families["pilots_in_stage"].samples
    assert (sample.labels, sample.value) == ({"stage": odd}, 3)


def test_the_sandbox_record_of_a_run_is_no_turn(ledger):
    tell(ledger, "p01", RunBegan(True, True, "platform", "digest"))
    assert places(measured(ledger)) == {"not_begun": 10}
