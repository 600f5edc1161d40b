"""Where a sequence stands against its source, also when a replica shows it further on than it may be."""

from __future__ import annotations

import pytest

from onboarding.reconcile.sequences import Position, problems, undecided


def position(number: int, *, doubt: int = 0, increment: int = 1) -> Position:
    return Position((), increment, number, None, doubt=doubt)


@pytest.mark.parametrize(
    ("before", "after", "frozen", "answer"),
    [
        (position(100), position(100), True, "equal"),
        (position(100), position(99), False, "behind"),
        (position(100), position(101), False, "equal"),
        (position(100), position(101), True, "ahead"),
        (position(100, doubt=32), position(100), False, "equal"),
        (position(100, doubt=32), position(99), False, "unknown"),
        (position(100, doubt=32), position(68), False, "unknown"),
        (position(100, doubt=32), position(67), False, "behind"),
        (position(100, doubt=32), position(100), True, "unknown"),
        (position(100, doubt=32), position(101), True, "ahead"),
        (position(100), position(100, doubt=32), False, "unknown"),
        (position(100), position(132, doubt=32), False, "equal"),
        (position(-100, doubt=32, increment=-1), position(-99, increment=-1), False, "unknown"),
        (position(-100, doubt=32, increment=-1), position(-67, increment=-1), False, "behind"),
        (position(-100, doubt=32, increment=-1), position(-100, increment=-1), False, "equal"),
        (position(1000, doubt=32, increment=10), position(680, increment=10), False, "unknown"),
        (position(1000, doubt=32, increment=10), position(670, increment=10), False, "behind"),
    ],
)
def test_where_a_replica_leaves_two_answers_there_is_none(
    before: Position, after: Position, frozen: bool, answer: str
) -> None:
    found = [*problems(before, after, frozen)] + ["unknown"] * undecided(before, after, frozen)
    assert (found or ["equal"]) == [answer]
