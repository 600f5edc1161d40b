"""How far a unit is while it is at work, told to the ledger: often enough to watch, never so often as to fill it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from onboarding.evidence_kinds import Moving
from onboarding.stages.pilot import Pilot

EVERY_S = 30.0


class Halfway:
    """Hears of bytes as they arrive, from any thread; of a unit that is done within half a minute it tells nothing."""

    def __init__(self, pilot: Pilot, about: Callable[[int], Moving]) -> None:
        self._pilot, self._about = pilot, about
        self._done, self._told_at = 0, time.monotonic()
        self._alone = threading.Lock()

    def __call__(self, size: int) -> None:
        with self._alone:
            self._done += size
            if time.monotonic() - self._told_at < EVERY_S:
                return
            self._told_at = time.monotonic()
            self._pilot.record(*self._about(self._done).as_record())
