"""The triggerer's part in a load: somebody, in another process than the mover's, holds the snapshot of its moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from faults.small_world import WORKLOAD

from onboarding.errors import OnboardingError
from onboarding.stages import moment
from onboarding.stages.pilot import Pilot

LOOK_S = 0.1


@contextmanager
def holding(pilot: Pilot, kind: str, wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """For the block: a snapshot is open while the load needs one, another one when it begins anew."""
    over = threading.Event()

    def hold() -> None:
        held: moment.Held | None = None
        while not over.wait(LOOK_S):
            with suppress(OnboardingError):  # asked again, as Airflow would
                if held is not None:
                    held = moment.go_on_holding(pilot, WORKLOAD, kind, held)
                elif wanted():
                    held = moment.hold(pilot, WORKLOAD, kind)
        if held is not None:
            held.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)
