"""A stream keeps a server at work for a share of the time, and rests for the remainder."""

from __future__ import annotations

import pytest

from onboarding.reconcile.pace import Pace


class Clock:
    """A clock that only moves when somebody works or sleeps."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


def worked(pace: Pace, clock: Clock, *lengths: float) -> list[float]:
    for length in lengths:
        with pace.work():
            clock.now += length
    return clock.slept


@pytest.mark.parametrize(("share", "slept"), [(1, []), (0.5, [2, 6]), (0.25, [6, 18]), (0.1, [18, 54])])
def test_the_rest_is_what_the_share_leaves_and_the_last_is_not_taken(share: float, slept: list[float]) -> None:
    clock = Clock()
    found = worked(Pace(share, clock=clock, sleep=clock.sleep), clock, 2, 6, 3)
    assert found == pytest.approx(slept)


def test_time_without_work_is_rest() -> None:
    clock = Clock()
    pace = Pace(0.5, clock=clock, sleep=clock.sleep)
    worked(pace, clock, 4)
    clock.now += 3
    assert worked(pace, clock, 1) == [1]


def test_work_that_fails_is_work() -> None:
    clock = Clock()
    pace = Pace(0.5, clock=clock, sleep=clock.sleep)
    with pytest.raises(RuntimeError), pace.work():
        clock.now += 5
        raise RuntimeError
    assert worked(pace, clock, 1) == [5]


@pytest.mark.parametrize("share", [0, -1, 1.01, float("nan")])
def test_a_share_is_a_share(share: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Pace(share)
