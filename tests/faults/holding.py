"""The triggerer's part in a load: somebody, in another process than the mover's, holds the snapshot of its moment."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from faults.small_world import WORKLOAD

from onboarding.errors import OnboardingError
from onboarding.stages import loading, loads
from onboarding.stages.pilot import Pilot

LOOK_S = 0.1


@contextmanager
def holding(pilot: Pilot, kind: str, wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """For the block: a snapshot is open while the load needs one, another one when it begins anew."""
    over = threading.Event()

    def hold() -> None:
        held: loading.Held | None = None
        while not over.wait(LOOK_S):
            if held is None and wanted():
                held = _opened(pilot, kind)
            elif held is not None and _needed_no_more(pilot, kind, held):
                held.close()
                held = None
        if held is not None:
            held.close()

    thread = threading.Thread(target=hold)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(60)


def _opened(pilot: Pilot, kind: str) -> loading.Held | None:
    try:
        return loading.hold_snapshot(pilot, WORKLOAD, kind)
    except OnboardingError:
        return None  # asked again, as Airflow would


def _needed_no_more(pilot: Pilot, kind: str, held: loading.Held) -> bool:
    over, replaced = (
        loads.is_over(pilot, WORKLOAD, kind, held.load),
        loads.is_replaced(pilot, WORKLOAD, kind, held.load),
    )
    return over or replaced
