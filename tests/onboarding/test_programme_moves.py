"""What is on its way: how much of what was planned has arrived, by the records of whoever moves it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from journeys import manifest, tell

from onboarding.evidence_kinds import MovedFiles, MovedRows, Moving, RunBegan
from onboarding.programme.lanes import About
from onboarding.programme.moves import Moves
from onboarding.programme.reading import Reading
from onboarding.programme.rules import load_rules
from onboarding.programme.view import Reader, view
from onboarding.records import Record
from onboarding.spoken_sizes import spoken_size
from onboarding.stages.halfway import EVERY_S, Halfway

P02 = manifest("p02")
BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)
GB = 10**9


def plan(ledger, load="rehearsal-1", **weights):
    body = {"units": sorted(weights), "bytes": sum(weights.values()), "weights": weights}
    ledger.record("p02", "load_plan", f"registry/{load}", body, run="r1")


def seen(ledger, house, language="en"):
    with Reading(ledger).current() as programme:
        reader = Reader(None, task_reasons=True)
        told = view(programme, [About.of(P02)], load_rules(), reader, language, house.clock.now, sandbox=False)
    return told["lanes"][0]["moves"]


def later(house, **length):
    house.clock.now += timedelta(**length)


@pytest.fixture
def begun(ledger, house):
    tell(ledger, "p02", RunBegan(False, False, "platform", P02.digest()))
    plan(ledger, s000=3 * GB, s001=1 * GB)
    return ledger


def test_nothing_is_on_its_way_before_it_is_planned(ledger, house):
    tell(ledger, "p02", RunBegan(False, False, "platform", P02.digest()))
    assert seen(ledger, house) == []


def test_it_comes_unit_by_unit_and_while_a_unit_is_at_work(begun, house):
    assert [one["text"] for one in seen(begun, house)] == ["registry: 0 % of 4.0 GB has arrived"]
    later(house, minutes=5)
    tell(begun, "p02", MovedRows("registry", "rehearsal-1", "s001", rows=10))
    (one,) = seen(begun, house)
    assert (one["percent"], one["left_s"]) == (25, 900)
    assert one["text"] == "registry: 25 % of 4.0 GB has arrived · about 15 min left"
    later(house, minutes=5)
    tell(begun, "p02", Moving("registry", "rows", "rehearsal-1", "s000", GB))
    (one,) = seen(begun, house)
    assert (one["percent"], one["left_s"]) == (50, 600)
    tell(begun, "p02", Moving("registry", "rows", "rehearsal-1", "s000", GB // 2))  # a later attempt, not so far yet
    assert seen(begun, house)[0]["percent"] == 50
    assert "มาถึงแล้ว 50 % จาก 4.0 GB" in seen(begun, house, "th")[0]["text"]


def test_indexes_come_after_the_last_row_and_then_nothing_is_on_its_way(begun, house):
    for unit in ("s000", "s001"):
        tell(begun, "p02", MovedRows("registry", "rehearsal-1", unit, rows=10))
    (one,) = seen(begun, house)
    assert one["percent"] == 100 and "indexes and constraints are being made" in one["text"]
    begun.record("p02", "load_finished", "registry/rehearsal-1", {"load": "rehearsal-1"}, run="r1")
    assert seen(begun, house) == []


def test_a_load_begun_anew_starts_at_nothing(begun, house):
    tell(begun, "p02", MovedRows("registry", "rehearsal-1", "s000", rows=10))
    begun.record("p02", "load_restarted", "registry/rehearsal-1", {"instead_of": "rehearsal-1"}, run="r1")
    assert seen(begun, house) == []
    plan(begun, "rehearsal-1-again1", s000=2 * GB)
    tell(begun, "p02", MovedRows("registry", "rehearsal-1", "s000", rows=10))  # late, and of the earlier one
    assert [one["percent"] for one in seen(begun, house)] == [0]


def test_planned_again_for_the_same_load_it_goes_on(begun, house):
    tell(begun, "p02", MovedRows("registry", "rehearsal-1", "s001", rows=10))
    plan(begun, s000=3 * GB, s001=1 * GB)
    assert [one["percent"] for one in seen(begun, house)] == [25]


def test_files_are_gone_from_it_with_the_last_batch(begun, house):
    begun.record("p02", "files_plan", "documents", {"batches": ["b1", "b2"], "weights": {"b1": 30, "b2": 70}}, run="r1")
    tell(begun, "p02", MovedFiles("documents", "upload", "b1", files=1))
    assert [(one["workload"], one["what"], one["percent"]) for one in seen(begun, house)] == [
        ("registry", "rows", 0), ("documents", "files", 30),
    ]  # fmt: skip
    tell(begun, "p02", MovedFiles("documents", "upload", "b2", files=1))
    assert [one["workload"] for one in seen(begun, house)] == ["registry"]


def test_another_run_begins_with_nothing(begun, house):
    tell(begun, "p02", RunBegan(False, False, "platform", P02.digest()), "r2")
    assert seen(begun, house) == []


def test_units_without_weight_count_alike():
    moves = Moves()
    moves.take(record("load_plan", "registry/x", {"weights": {"s000": 0, "s001": 0}}))
    moves.take(record("moved_rows", "registry", {"load": "x", "unit": "s000"}))
    assert moves.open["registry", "rows"].share == 0.5


def record(kind: str, subject: str, body: dict) -> Record:
    made = Record(1, BEGAN, "p02", kind, subject, "r1", "{}", "", "")
    vars(made)["body"] = body
    return made


def test_a_unit_that_takes_long_tells_how_far_it_is(monkeypatch):
    clock, told = [0.0], []
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    pilot = SimpleNamespace(record=lambda *said: told.append(said))
    halfway = Halfway(pilot, lambda size: Moving("registry", "rows", "x", "s000", size))
    for _ in range(10):
        clock[0] += EVERY_S / 4
        halfway(100)
    assert [body["bytes"] for _, _, body in told] == [400, 800]


@pytest.mark.parametrize(
    ("size", "told"),
    [(0, "0 B"), (812, "812 B"), (1_000, "1.0 kB"), (14_300_000, "14 MB"), (2_600_000_000, "2.6 GB"),
     (999_600, "1.0 MB"), (9_949_999, "9.9 MB"), (5 * 10**15, "5,000 TB")],
)  # fmt: skip
def test_sizes_as_people_read_them(size, told):
    assert spoken_size(size) == told
