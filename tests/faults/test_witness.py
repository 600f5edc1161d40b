"""Nothing that the witness was told is lost or there twice, whatever the night brings; and the judge sees it if so."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import MakeDatabase, free_port
from faults.disturbing import FAULTS, drawn, staged
from faults.witness_trials import HEAD, trial
from following_servers import run

from onboarding.addresses import Database
from sandbox.witness.client import TABLES
from sandbox.witness.judge import Line, Verdict, judge

SEEDS = (1, 2, 4)
"""The last is left under its freeze for good, unless it is killed after its switch was committed."""


@pytest.mark.slow
def test_no_acknowledged_write_is_lost_or_there_twice(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # the servers run as another user
    with staged(tmp_path, free_port()) as stage:
        trials = [trial(stage, tmp_path / "calm", 0, kinds=())]
        trials += [trial(stage, tmp_path / str(seed), seed) for seed in SEEDS]
    told = "\n".join([HEAD, *(one.row() for one in trials)])
    assert all(one.verdict.clean for one in trials), f"{told}\n{[one.verdict for one in trials]}"
    assert all(len(one.verdict.waits) == (0 if one.left else 2) for one in trials), told
    assert sum(one.left for one in trials) == 1, told


def test_faults_are_drawn_from_the_seed_and_in_order() -> None:
    assert drawn(random.Random(7), FAULTS) == drawn(random.Random(7), FAULTS)
    assert {fault.kind for seed in range(60) for fault in drawn(random.Random(seed), FAULTS)} == set(FAULTS)
    assert drawn(random.Random(7), ()) == []


def line(n: int, act: str, end: str = "acked", side: str = "a", **more: int) -> Line:
    return {"n": n, "act": act, "end": end, "side": side, "sent": n, "answered": float(n), **more}


LOG = [
    line(1, "insert"), line(2, "insert", "unknown"), line(3, "update", row=1), line(4, "update", "unknown", row=1),
    line(5, "order"), line(6, "ticket"), line(7, "ticket"), line(8, "delete", row=7), line(9, "insert", "refused"),
    line(10, "insert", side="b"), line(12, "insert", side="a"),
]  # fmt: skip
AS_TOLD = """
INSERT INTO entry (number) VALUES (1), (10), (12); UPDATE account SET version = 3 WHERE id = 1;
INSERT INTO orders (number) VALUES (5); INSERT INTO order_line (of_order, number) VALUES (1, 5), (1, 5);
INSERT INTO ticket VALUES (6);
"""
SIDES = ("a", "b", "a")


def judged(database: Database, sides: Sequence[str] = SIDES) -> Verdict:
    with database.connect(autocommit=True) as active:
        return judge(LOG, active, sides)


def test_the_judge_is_content_with_what_was_told(make_database: MakeDatabase) -> None:
    database = make_database("judged")
    run(database, TABLES + AS_TOLD)
    verdict = judged(database)
    assert verdict.clean and verdict.waits == [2.0, 2.0]
    assert (verdict.acknowledged, verdict.refused, verdict.unknown) == (8, 1, 2)
    for happened in ("INSERT INTO entry (number) VALUES (2)", "UPDATE account SET version = 4 WHERE id = 1"):
        run(database, happened)  # the answer was lost: it may be there
        assert judged(database).clean
    assert judged(database, ("a", "b")).both_sides == ["a → b → a"]


@pytest.mark.parametrize(
    ("planted", "kind"),
    [
        ("DELETE FROM entry WHERE number = 10", "lost"),
        ("INSERT INTO entry (number) VALUES (1)", "duplicated"),
        ("INSERT INTO entry (number) VALUES (9)", "duplicated"),
        ("INSERT INTO entry (number) VALUES (77)", "duplicated"),
        ("INSERT INTO entry (number) VALUES (2), (2)", "duplicated"),
        ("UPDATE account SET version = 0 WHERE id = 1", "lost"),
        ("DELETE FROM order_line WHERE id = 1", "lost"),
        ("INSERT INTO orders (number) VALUES (5)", "duplicated"),
        ("DELETE FROM ticket WHERE number = 6", "lost"),
        ("INSERT INTO ticket VALUES (7)", "lost"),
    ],
)
def test_the_judge_sees_every_planted_fault(make_database: MakeDatabase, planted: str, kind: str) -> None:
    database = make_database("judged")
    run(database, TABLES + AS_TOLD)
    run(database, planted)
    verdict = judged(database)
    assert len(getattr(verdict, kind)) == 1 and not verdict.clean
