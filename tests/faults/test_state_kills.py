"""Killed anywhere in the cutover's machine, the next attempt finds out where the world is, and goes on or goes back.

Here a few of the cases, drawn by a seed; all of them: `python tests/faults/state_kills.py`.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator

import pytest
from faults.small_world import BY_HAND, COPIED, FOLLOWED
from faults.stage import Stage, in_memory, staged
from faults.state_kills import SCENARIOS, Case, cases, known_points, points_now, run
from postgres_programs import postgres_programs  # noqa: F401  (a fixture)

from onboarding.cutover.state import MOVES, CutoverState

SEED, DRAWN = 7, {FOLLOWED: 4, COPIED: 2, BY_HAND: 1}


def drawn() -> list[Case]:
    """Some of all but the rehearsal's, which take longest; in their order, so that few moments have to be put back."""
    found, chance = [], random.Random(SEED)
    for world, count in DRAWN.items():
        known = [case for case in cases() if case.scenario != "rehearse" and SCENARIOS[case.scenario].world == world]
        found += [known[place] for place in sorted(chance.sample(range(len(known)), count))]
    return found


@pytest.fixture(scope="module")
def stage(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    postgres_programs: None,  # noqa: F811
) -> Iterator[Stage]:
    """A world of the kind that is asked for."""
    folder = in_memory(tmp_path_factory.mktemp("stage"))
    folder.chmod(0o755)  # the servers run as another user
    with staged(folder, request.param) as made:
        yield made
    shutil.rmtree(folder)


def test_every_state_and_every_move_is_in_a_case() -> None:
    points = [point for found in known_points().values() for point in found]
    assert {point.partition("-")[0] for point in points} == {*CutoverState}
    moved = {
        (S, to)
        for S in CutoverState
        for to in MOVES[S]
        if any(p.startswith(S) and p.endswith(f"> {to}") for p in points)
    }
    assert {(one, to) for one in CutoverState for to in MOVES[one]} - moved == OF_ANOTHER_REHEARSAL


OF_ANOTHER_REHEARSAL = {
    (CutoverState.REHEARSED, CutoverState.REHEARSED),
    (CutoverState.ROLLED_BACK, CutoverState.REHEARSED),
}
"""The same function as from PLANNED, by the same points."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "scenario"), [(told.world, name) for name, told in SCENARIOS.items()], indirect=["stage"]
)
def test_no_step_does_anything_that_is_no_point_of_a_case(stage: Stage, scenario: str) -> None:
    """What is found here and is new: `python tests/faults/state_kills.py --points`, and then all cases of it."""
    assert set(points_now(stage, scenario)) - set(known_points()[scenario]) == set()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("stage", "case"),
    [pytest.param(SCENARIOS[case.scenario].world, case, id=str(case)) for case in drawn()],
    indirect=["stage"],
)
def test_killed_there_nothing_is_lost_and_one_side_writes(stage: Stage, case: Case) -> None:
    run(stage, case)
