"""Attempts at a night's steps, each in a process of its own that may be killed at a point: `python attempts.py`.

A line of JSON on stdin is one attempt: `world` (see small_world.World), `steps`, `kill` (a point and `before` or
`after`, or null), `points` (a file to write every point to, or null). The answer is a line: how it ended. Processes are
forked from this one, which has everything imported and does nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[up] / room) for up, room in ((2, "include"), (1, ""))]

from faults.kill_points import BEFORE, ROOMS, Point, Watching, kill_at
from faults.small_world import WORKLOAD, World, rehearsed, soaked
from whole_journey import approve

from onboarding.errors import AskPerson, LeftOut, TryAgain
from onboarding.observations import Answer
from onboarding.stages import naming_by_hand
from onboarding.stages.loads import FINAL
from onboarding.stages.pilot import Pilot

TRIES = 4
"""As often as Airflow tries a task."""


def turn_name(pilot: Pilot) -> None:
    """The person at the agency does as was asked, and gate `named` sees it."""
    side = naming_by_hand.asked_for(pilot)
    cast(Any, pilot.cloud).turn(pilot.manifest.cutover.traffic.record, naming_by_hand.host(pilot, side))
    while naming_by_hand.observe(pilot, side).answer is not Answer.PASS:
        time.sleep(0.01)


BESIDE = {
    "turn_name": turn_name,
    "rehearsed": rehearsed,
    "soaked": soaked,
    "approve_way_back": lambda pilot: approve(pilot, "way_back"),
    "approve_no_return": lambda pilot: approve(pilot, "no_return"),
}
"""What people and gates do between the steps: nobody is killed there."""


def do(pilot: Pilot, name: str, watching: Watching) -> None:
    """One step of the night, by its name."""
    if name in BESIDE:
        BESIDE[name](pilot)
        watching.state = str(pilot.ledger.cutover_state(pilot.id))
        return
    module, _, rest = name.partition(".")
    verb, *unit = rest.split()
    given = [*unit, WORKLOAD, FINAL] if module == "loading" else unit
    with watching.at(verb):
        _tried(pilot, partial(getattr(ROOMS[module], verb), pilot, *given))


def _tried(pilot: Pilot, step: Callable[[], object]) -> None:
    """As Airflow and the people who answer it take what a step says."""
    for last in (*[False] * (TRIES - 1), True):
        try:
            step()
        except LeftOut:
            return
        except (TryAgain, AskPerson) as failure:
            if last:
                raise
            if isinstance(failure, AskPerson):
                turn_name(pilot)
        else:
            return


def attempt(task: dict[str, Any]) -> None:
    """The steps that are still to do, in their order; each is written down when it is done."""
    world = World.from_json(task["world"])
    pilot = world.pilot()
    known = world.folder / "done"
    done: list[str] = json.loads(known.read_text()) if known.exists() else []
    points: list[str] = []

    def note(point: Point, moment: str) -> None:
        if moment == BEFORE:
            points.append(str(point))

    sides = {
        (world.pair.source.host, world.pair.source.port): "source",
        (world.pair.target.host, world.pair.target.port): "target",
    }
    state = str(pilot.ledger.cutover_state(pilot.id))
    reached = kill_at(tuple(task["kill"])) if task["kill"] else note
    watching = Watching(state, reached, sides)
    for step in task["steps"]:
        if step not in done:
            do(pilot, step, watching)
            done.append(step)
            known.write_text(json.dumps(done))
    if task["points"]:
        Path(task["points"]).write_text(json.dumps(points))


def serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            ended = 1
            try:
                attempt(json.loads(line))
                ended = 0
            except Exception:
                traceback.print_exc()
            finally:
                sys.stderr.flush()
                os._exit(ended)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve()
