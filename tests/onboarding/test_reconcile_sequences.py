"""Where a sequence stands against its source, also when a replica shows it further on than it may be."""

from __future__ import annotations

import pytest

from onboarding.reconcile.sequences import Position, Rule, problems, undecided


def position(number: int, *, doubt: int = 0, increment: int = 1, extreme: int | None = None) -> Position:
    return Position((), increment, number, None, extreme, doubt)


@pytest.mark.parametrize(
    ("before", "after", "rule", "answer"),
    [
        (position(100), position(100), "exactly", "equal"),
        (position(100), position(99), "at_least", "behind"),
        (position(100), position(101), "at_least", "equal"),
        (position(100), position(101), "exactly", "ahead"),
        (position(100, doubt=32), position(100), "at_least", "equal"),
        (position(100, doubt=32), position(99), "at_least", "unknown"),
        (position(100, doubt=32), position(68), "at_least", "unknown"),
        (position(100, doubt=32), position(67), "at_least", "behind"),
        (position(100, doubt=32), position(100), "exactly", "unknown"),
        (position(100, doubt=32), position(101), "exactly", "ahead"),
        (position(100), position(100, doubt=32), "at_least", "unknown"),
        (position(100), position(132, doubt=32), "at_least", "equal"),
        (position(-100, doubt=32, increment=-1), position(-99, increment=-1), "at_least", "unknown"),
        (position(-100, doubt=32, increment=-1), position(-67, increment=-1), "at_least", "behind"),
        (position(-100, doubt=32, increment=-1), position(-100, increment=-1), "at_least", "equal"),
        (position(1000, doubt=32, increment=10), position(680, increment=10), "at_least", "unknown"),
        (position(1000, doubt=32, increment=10), position(670, increment=10), "at_least", "behind"),
        (position(100, extreme=99), position(90, extreme=89), "past_column", "equal"),
        (position(100, extreme=99), position(90, extreme=90), "past_column", "below_column"),
        (position(100, doubt=32), position(90), "past_column", "equal"),
    ],
)
def test_where_a_replica_leaves_two_answers_there_is_none(
    before: Position, after: Position, rule: Rule, answer: str
) -> None:
    found = [*problems(before, after, rule)] + ["unknown"] * undecided(before, after, rule)
    assert (found or ["equal"]) == [answer]
