"""Tasks killed in the middle of their work, and their supervisors: the demonstration ends as if nobody had."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from checkouts import make_checkout
from faults.kills import HEAD, MODES, TELLING, Order, orders, run


def test_the_telling_tasks_come_first() -> None:
    drawn = orders(["child"], 10, ["p02", "p05"], random.Random(1))
    assert {order.leaf for order in drawn[: len(TELLING)]} == set(TELLING)
    assert [order.pilot for order in drawn[:4]] == ["p02", "p05", "p02", "p05"]
    assert drawn == orders(["child"], 10, ["p02", "p05"], random.Random(1))


@pytest.mark.slow
def test_killed_tasks_and_killed_supervisors_change_nothing(tmp_path: Path) -> None:
    """One supervisor so early that Airflow has not heard of its task, one whose orphan wakes late.

    The triggerer dies under the freeze, while a load goes on under the snapshot that it holds. p02 is copied, p03 is
    followed while its own program writes: not one acknowledged write may be lost or there twice.
    """
    ordered = [
        Order("supervisor", "p02", "request_account", 0.0),
        Order("child", "p02", "copy_rows", 0.4),
        Order("stalled", "p02", "copy_rows", 0.3),
        Order("child", "p02", "freeze", 0.2),
        Order("supervisor", "p02", "shift_traffic", 2.0),
        Order("triggerer", "p02", "cutover.copy_registry.copy_rows", 0.1),
        Order("child", "p03", "switch_over", 1.0),
    ]
    outcome = run(make_checkout(tmp_path / "checkout"), ordered, ["p02", "p03"], 0.02)
    table = "\n".join([HEAD, *(kill.row() for kill in outcome.kills)])
    assert not list(outcome.wrong(len(ordered))), f"{table}\n{outcome.output}"
    assert {kill.mode for kill in outcome.kills} == set(MODES) - {"scheduler"}
    (told,) = [pilot["witness"] for pilot in outcome.report["pilots"] if "witness" in pilot]
    assert told["acknowledged"] > 0 and told["lost"] == told["duplicated"] == told["both_sides"] == 0, told
