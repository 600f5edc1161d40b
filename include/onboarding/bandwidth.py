"""How much of an agency's line its files may take, by the hours of its office."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import datetime

from onboarding.manifest_files import Bandwidth
from onboarding.thai_calendar import BANGKOK, WEEKEND, public_holiday, weekday

BYTES_PER_MBIT = 125_000
SAVED_S = 0.05
"""Of this much time what nobody took may be taken later: a thread that rests oversleeps by a little."""
LOOKS_EVERY_S = 1.0
"""However long somebody has to wait: by then the office may have closed."""

Take = Callable[[int], None]
"""Asks for so many bytes of the line, and comes back when they may pass. Threads share it."""


def unlimited(_: int) -> None:
    """The line is taken as it comes."""


def in_office_hours(limits: Bandwidth, now: datetime) -> bool:
    """Whether the office is at work: from `opens` to `closes` in Bangkok, on no weekend and no public holiday."""
    local = now.astimezone(BANGKOK)
    working_day = weekday(local.date()) not in WEEKEND and not public_holiday(local.date())
    return working_day and limits.opens <= local.time() < limits.closes


def bytes_per_second(limits: Bandwidth, now: datetime) -> float | None:
    """What may pass a second; None for as much as there is."""
    allowed = limits.office if in_office_hours(limits, now) else limits.night
    return None if allowed is None else float(allowed * BYTES_PER_MBIT)


def take_of(limits: Bandwidth | None, clock: Callable[[], datetime], *, shares: int = 1) -> Take:
    """The line within its limits; one of `shares` equal ones where so many processes use it at the same time."""
    return unlimited if limits is None else Meter(limits, clock, shares=shares).take


class Meter:
    """Lets bytes pass at the rate of the hour, however many threads ask; next to nothing is saved up.

    Who asks gets all of it as soon as what passed before is paid off, so that no piece is too large to pass.
    """

    def __init__(
        self,
        limits: Bandwidth,
        clock: Callable[[], datetime],
        *,
        shares: int = 1,
        ticks: Callable[[], float] = time.monotonic,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self.limits, self._clock, self._shares, self._ticks, self._rest = limits, clock, shares, ticks, rest
        self._asking = threading.Lock()
        self._owed, self._last = 0.0, ticks()

    def take(self, count: int) -> None:
        """Comes back when `count` bytes may pass."""
        while wait := self._wait(count):
            self._rest(min(wait, LOOKS_EVERY_S))

    def _wait(self, count: int) -> float:
        """Seconds until what is owed is paid off; 0 once `count` has been granted."""
        with self._asking:
            rate, now = bytes_per_second(self.limits, self._clock()), self._ticks()
            passed, self._last = now - self._last, now
            if rate is None:
                self._owed = 0.0
                return 0.0
            rate /= self._shares
            self._owed = max(-SAVED_S * rate, self._owed - passed * rate)
            if self._owed >= 1:
                return self._owed / rate
            self._owed += count
            return 0.0
