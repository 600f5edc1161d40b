"""Every state of the cutover, every point where a step of it can be killed, and what the next attempt makes of it.

    python tests/faults/state_kills.py                     # all of them
    python tests/faults/state_kills.py --of switch --every 7
    python tests/faults/state_kills.py --points            # what is to be written to points.json

Three worlds: one that is followed, one that is copied, one that is copied and whose name a person leads.

A case puts the world back to a moment, lets an attempt run into its kill, and then the next one go on to the end (or,
where there is a way, go back). All the while a clerk writes on both sides. Then: the state, one side that takes writes
and one only, no epoch in which both did, every acknowledged write on that side once; and after a switch all of it at
home as well, by the way back. (Of a copied world the way back gives up what was measured, and nothing else.)
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).resolve().parents[up] / room) for up, room in ((2, "include"), (1, ""))]

from faults.holding import holding
from faults.kill_points import AFTER, BEFORE
from faults.small_world import BY_HAND, COPIED, FOLLOWED, SHARDS
from faults.stage import KILLED, Clerk, Stage, in_memory, staged

from onboarding.cutover.state import CutoverState as S
from onboarding.stages.loads import FINAL
from sandbox.postgres import bin_dir

POINTS = Path(__file__).with_name("points.json")
SOURCE, TARGET = "source", "target"
HOME_WITHIN_S = 20
ON, BACK = "goes on", "goes back"

BEGIN = ("cutover.begin_following", "cutover.ramp_reads")
SWITCH = ("cutover.switch_over",)
HOME = ("way_back.close_target", "way_back.measure_loss", "approve_way_back", "way_back.turn_back")
GIVE_UP = ("no_return.describe", "approve_no_return", "no_return.give_up_way_back")
DECLARE = ("soaked", "live.declare")
ABANDON = ("abandoning.abandon reason", "abandoning.free_agency", "abandoning.take_back")
UNITS = [f"loading.copy_rows s{unit:03}" for unit in range(SHARDS)]
LOADED = ("cutover.freeze", "loading.prepare_load", *UNITS, "loading.finish_load", "cutover.prove")
COPY = (*LOADED, "cutover.shift_traffic", "cutover.release")
HAND = ("cutover.ask_for_name", "turn_name", "cutover.release")
HAND_HOME = (*HOME, "turn_name")

Kill = tuple[str, str]

MOMENTS: dict[str, tuple[str, Sequence[str], Kill | None]] = {
    "rehearsed": ("copied", ["rehearsed"], None),
    "proven": ("rehearsed", LOADED, None),
    "led over": ("rehearsed", COPY, ("FROZEN-release: source deadline.make_permanent", BEFORE)),
    "copied there": ("rehearsed", COPY, None),
    "asked": ("proven", HAND[:2], None),
    "there by hand": ("proven", HAND, None),
    "near": ("rehearsed", BEGIN, None),
    "armed": ("near", SWITCH, ("FROZEN-release: source deadline.make_permanent", BEFORE)),
    "switched": ("near", SWITCH, None),
    "closed": ("switched", HOME[:1], None),
    "committed": ("switched", DECLARE, None),
}
"""Moments that a world can be put back to: what is done since an earlier one, and where that is killed."""


@dataclass(frozen=True)
class Scenario:
    """From a moment on: the steps, where they end, who takes writes before and then; and how to go back instead."""

    moment: str
    steps: Sequence[str]
    ends: S
    writes: tuple[str, str]
    then: Sequence[str] = ()
    back: Sequence[str] = ()
    ends_back: Sequence[S] = ()
    too_late: Sequence[S] = ()
    """In these states going back does nothing, and what was begun is ended."""
    world: str = FOLLOWED


SCENARIOS = {
    "rehearse": Scenario("copied", ["rehearsing.rehearse"], S.REHEARSED, (SOURCE, SOURCE)),
    "begin": Scenario("rehearsed", BEGIN, S.SWITCHED, (SOURCE, TARGET), then=SWITCH),
    "switch": Scenario(
        "near", SWITCH, S.SWITCHED, (SOURCE, TARGET),
        back=["cutover.stand_down"], ends_back=[S.REHEARSED, S.ROLLED_BACK], too_late=[S.SWITCHED],
    ),
    "stand down": Scenario("armed", ["cutover.stand_down"], S.ROLLED_BACK, (SOURCE, SOURCE)),
    "declare": Scenario("switched", DECLARE, S.COMMITTED, (TARGET, TARGET)),
    "way back": Scenario(
        "switched", HOME, S.ROLLED_BACK, (TARGET, SOURCE),
        back=["way_back.stay"], ends_back=[S.SWITCHED], too_late=[S.ROLLED_BACK],
    ),
    "late way back": Scenario(
        "committed", HOME, S.ROLLED_BACK, (TARGET, SOURCE),
        back=["way_back.stay"], ends_back=[S.COMMITTED], too_late=[S.ROLLED_BACK],
    ),
    "stay": Scenario("closed", ["way_back.stay"], S.SWITCHED, (TARGET, TARGET)),
    "give up": Scenario("committed", GIVE_UP, S.CLOSED, (TARGET, TARGET)),
    "copy": Scenario(
        "rehearsed", COPY, S.SWITCHED, (SOURCE, TARGET), world=COPIED,
        back=["cutover.stand_down"], ends_back=[S.REHEARSED, S.ROLLED_BACK], too_late=[S.SWITCHED],
    ),
    "stand down a copy": Scenario("led over", ["cutover.stand_down"], S.ROLLED_BACK, (SOURCE, SOURCE), world=COPIED),
    "way back of a copy": Scenario(
        "copied there", HOME, S.ROLLED_BACK, (TARGET, SOURCE), world=COPIED,
        back=["way_back.stay"], ends_back=[S.SWITCHED], too_late=[S.ROLLED_BACK],
    ),
    "by hand": Scenario(
        "proven", HAND, S.SWITCHED, (SOURCE, TARGET), world=BY_HAND,
        back=["cutover.stand_down"], ends_back=[S.ROLLED_BACK], too_late=[S.SWITCHED],
    ),
    "stand down by hand": Scenario("asked", ["cutover.stand_down"], S.ROLLED_BACK, (SOURCE, SOURCE), world=BY_HAND),
    "abandon": Scenario("near", ABANDON, S.PLANNED, (SOURCE, SOURCE)),
    "abandon a night": Scenario("armed", ABANDON, S.PLANNED, (SOURCE, SOURCE)),
    "abandon a rehearsed copy": Scenario("rehearsed", ABANDON, S.PLANNED, (SOURCE, SOURCE), world=COPIED),
    "abandon a copy": Scenario("led over", ABANDON, S.PLANNED, (SOURCE, SOURCE), world=COPIED),
    "abandon by hand": Scenario("asked", ABANDON, S.PLANNED, (SOURCE, SOURCE), world=BY_HAND),
    "way back by hand": Scenario(
        "there by hand", HAND_HOME, S.ROLLED_BACK, (TARGET, SOURCE), world=BY_HAND,
        back=["way_back.stay"], ends_back=[S.SWITCHED], too_late=[S.ROLLED_BACK],
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One kill and what follows."""

    scenario: str
    point: str
    moment: str
    then: str

    def __str__(self) -> str:
        place, _, what = self.point.partition(": ")
        return f"{place}-{self.moment} [{what}] {self.scenario}, {self.then}"


def known_points() -> dict[str, list[str]]:
    found: dict[str, list[str]] = json.loads(POINTS.read_text())
    return found


def cases() -> list[Case]:
    """All of them, in the order of the night."""
    return [
        Case(name, point, moment, then)
        for name, points in known_points().items()
        for point in points
        for moment in (BEFORE, AFTER)
        for then in ((ON, BACK) if SCENARIOS[name].back else (ON,))
    ]


def bring(stage: Stage, moment: str) -> None:
    """The world as it was at that moment; made the first time."""
    if not stage.is_kept("copied"):
        stage.keep("copied")
    if stage.is_kept(moment):
        stage.put_back(moment)
        return
    before, steps, kill = MOMENTS[moment]
    bring(stage, before)
    with _held(stage):
        ended = stage.attempt(steps, kill)
    assert ended == (KILLED if kill else 0), (moment, ended)
    stage.keep(moment)


def points_now(stage: Stage, scenario: str) -> list[str]:
    """What a run that nobody disturbs does to the world."""
    told = SCENARIOS[scenario]
    bring(stage, told.moment)
    clerk = Clerk(stage.world)
    with clerk.at_work(), _held(stage):
        assert told.moment in NOBODY_WRITES or clerk.goes_on(told.writes[0])
        return stage.points(told.steps)


NOBODY_WRITES = ("armed", "closed", "proven", "led over", "asked")


@contextmanager
def _held(stage: Stage) -> Iterator[None]:
    """While a copied world is frozen, somebody holds the snapshot of its last load."""
    if stage.world.kind == FOLLOWED:
        yield
        return
    pilot = stage.world.pilot()
    with closing(pilot.ledger), holding(pilot, FINAL, lambda: pilot.ledger.cutover_state(pilot.id) is S.FROZEN):
        yield


def run(stage: Stage, case: Case) -> None:
    """Raises AssertionError when anything is not as it has to be."""
    told = SCENARIOS[case.scenario]
    bring(stage, told.moment)
    clerk = Clerk(stage.world)
    with clerk.at_work(), _held(stage):
        if told.moment not in NOBODY_WRITES:
            assert clerk.goes_on(told.writes[0]), "nobody writes"
        ended = stage.attempt(told.steps, (case.point, case.moment))
        assert ended == KILLED, f"not killed: {ended}"
        assert len(who := stage.world.can_write()) <= 1, f"writes: {who}"
        ends, side = _next(stage, told, case.then)
        assert clerk.goes_on(side), f"{side} takes no writes"
    state = stage.state()
    assert state in ends, state
    assert (who := stage.world.can_write()) == [side], f"writes: {who}"
    first = [] if told.moment in NOBODY_WRITES else [told.writes[0]]
    assert clerk.epochs() == list(dict.fromkeys([*first, side])), clerk.epochs()
    given_up = clerk.taken_on(TARGET) if side == SOURCE and told.world != FOLLOWED else []
    assert (wrong := clerk.wrong_on(side, given_up=given_up)) == [], wrong[:5]
    assert len(given_up) <= (measured := _measured(stage)), f"{len(given_up)} given up, {measured} measured"
    assert clerk.strange == [], clerk.strange[:5]
    if told.steps == ABANDON:
        assert (left := stage.world.following()) == [], f"left behind: {left}"
        assert not stage.world.is_loaded(), "the next journey would go on with an old load"
    if side == TARGET and state is not S.CLOSED and told.world == FOLLOWED:
        _followed_home(clerk)


def _next(stage: Stage, told: Scenario, then: str) -> tuple[Sequence[S], str]:
    """The next attempt, to its end: which states it may end in, and who takes writes then."""
    late = stage.state() in told.too_late
    if then == BACK:
        assert stage.attempt(told.back) == 0, stage.said()
        if not late:
            return told.ends_back, told.writes[0]
    assert stage.attempt([*told.steps, *told.then]) == 0, stage.said()
    return [told.ends], told.writes[1]


def _measured(stage: Stage) -> int:
    """How many rows people were told, before they decided, that the way back would cost."""
    pilot = stage.world.pilot()
    with closing(pilot.ledger):
        told = pilot.ledger.latest(pilot.id, "loss", "way_back")
    return int(told.body["rows"]) if told is not None else 0


def _followed_home(clerk: Clerk) -> None:
    deadline = time.monotonic() + HOME_WITHIN_S
    while wrong := clerk.wrong_on(SOURCE):
        assert time.monotonic() < deadline, f"the way back lost: {wrong[:5]}"
        time.sleep(0.05)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--of", choices=sorted(SCENARIOS), action="append")
    parser.add_argument("--then", choices=(ON, BACK))
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only each N-th case")
    parser.add_argument("--first", type=int, default=0, metavar="N")
    parser.add_argument("--points", action="store_true", help="find the points anew and write them down")
    asked = parser.parse_args()
    os.environ["PATH"] = f"{bin_dir()}{os.pathsep}{os.environ['PATH']}"
    folder = in_memory(Path(tempfile.gettempdir()))
    folder.chmod(0o755)  # the servers run as another user
    try:
        if asked.points:
            return _write_points(folder, asked.of or list(SCENARIOS))
        meant = [one for one in cases() if not asked.of or one.scenario in asked.of]
        chosen = [one for one in meant if asked.then in (None, one.then)][asked.first :: asked.every]
        wrong = 0
        for world, of_it in _by_world(chosen, lambda case: case.scenario):
            with staged(_new(folder, world), world) as stage:
                wrong += sum(not _told(stage, case) for case in of_it)
    finally:
        shutil.rmtree(folder)
    print(f"{len(chosen)} cases, {wrong} wrong")
    return 1 if wrong else 0


def _told(stage: Stage, case: Case) -> bool:
    began, outcome = time.monotonic(), "ok"
    try:
        run(stage, case)
    except AssertionError as failure:
        outcome = f"WRONG {failure}"
    print(f"{time.monotonic() - began:5.1f} s  {case}: {outcome}", flush=True)
    return outcome == "ok"


Thing = TypeVar("Thing")


def _by_world(things: Sequence[Thing], scenario: Callable[[Thing], str]) -> Iterator[tuple[str, list[Thing]]]:
    """What is to be done in each world, a world after the other."""
    for world in (FOLLOWED, COPIED, BY_HAND):
        if of_it := [one for one in things if SCENARIOS[scenario(one)].world == world]:
            yield world, of_it


def _new(folder: Path, world: str) -> Path:
    made = folder / world.replace(" ", "_")
    made.mkdir()
    made.chmod(0o755)
    return made


def _write_points(folder: Path, of: Sequence[str]) -> int:
    found: dict[str, list[str]] = {}
    for world, names in _by_world(of, lambda name: name):
        with staged(_new(folder, world), world) as stage:
            found |= {name: points_now(stage, name) for name in names}
    known = {name: points for name, points in known_points().items() if name in SCENARIOS}
    POINTS.write_text(json.dumps(known | found, indent=1) + "\n")
    print({name: len(points) for name, points in found.items()})
    return 0


if __name__ == "__main__":
    sys.exit(main())
