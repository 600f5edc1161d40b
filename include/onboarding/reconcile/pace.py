"""How much of the time one stream may keep a server at work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Pace:
    """Work that takes t seconds is followed by t · (1 / share - 1) seconds of rest before the next begins.

    The rest is taken when there is something to do again: the last piece of work is followed by none.
    """

    def __init__(
        self,
        share: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`share` is above 0 and at most 1. Raises ValueError."""
        if not 0 < share <= 1:
            raise ValueError(f"a share of the time is above 0 and at most 1, and not {share}")
        self._rest, self._clock, self._sleep = 1 / share - 1, clock, sleep
        self._free_at = clock()

    @contextmanager
    def work(self) -> Iterator[None]:
        """One piece of work, begun when the rest owed for the one before it is over."""
        owed = self._free_at - self._clock()
        if owed > 0:
            self._sleep(owed)
        began = self._clock()
        try:
            yield
        finally:
            ended = self._clock()
            self._free_at = ended + (ended - began) * self._rest
