"""The window gate with an injected clock: holidays, blackout, closing time."""

from datetime import UTC, date, datetime, time, timedelta

import pytest

from onboarding.cutover.window import observe_window, time_needed
from onboarding.manifest import Window
from onboarding.observations import Answer
from onboarding.thai_calendar import BANGKOK

OFFICE = Window(weekdays=("mon", "tue", "wed", "thu", "fri"), opens=time(20), closes=time(23))
NIGHT = Window(weekdays=("sat",), opens=time(22), closes=time(4))
ALWAYS = Window(
    weekdays=("mon", "tue", "wed", "thu", "fri", "sat", "sun"), opens=time(0), closes=time(0), on_holidays=True
)
HOUR = timedelta(hours=1)


def at(*when: int) -> datetime:
    return datetime(*when, tzinfo=BANGKOK).astimezone(UTC)


@pytest.mark.parametrize(
    ("window", "now", "answer"),
    [
        (OFFICE, at(2026, 11, 24, 21), Answer.PASS),
        (OFFICE, at(2026, 11, 24, 19, 59), Answer.UNKNOWN),
        (OFFICE, at(2026, 11, 24, 22, 1), Answer.UNKNOWN),  # an hour no longer fits
        (OFFICE, at(2026, 11, 22, 21), Answer.UNKNOWN),  # a Sunday
        (OFFICE, at(2026, 4, 13, 21), Answer.UNKNOWN),  # Songkran
        (ALWAYS, at(2026, 4, 13, 3), Answer.PASS),
        (ALWAYS, at(2026, 4, 13, 23, 59), Answer.PASS),
        (NIGHT, at(2026, 11, 22, 2), Answer.PASS),  # Sunday morning of Saturday's window
        (NIGHT, at(2026, 11, 22, 3, 30), Answer.UNKNOWN),
        (ALWAYS.model_copy(update={"blackout": (date(2026, 4, 13),)}), at(2026, 4, 13, 3), Answer.UNKNOWN),
    ],
)
def test_the_window_opens_only_when_it_may(window: Window, now: datetime, answer: Answer) -> None:
    assert observe_window(window, HOUR, now).answer is answer


def test_a_night_longer_than_any_window_fails_at_once() -> None:
    assert observe_window(OFFICE, 4 * HOUR, at(2026, 11, 24, 20)).answer is Answer.FAIL


def test_way_back_and_margin_count() -> None:
    assert time_needed(timedelta(minutes=10), timedelta(minutes=10)) == timedelta(minutes=30)
