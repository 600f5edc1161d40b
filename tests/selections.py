"""Candidates and criteria for tests: made up from a few numbers, or the shipped ones changed."""

from __future__ import annotations

import random

from onboarding.selection.candidates import Candidate, load_candidates
from onboarding.selection.criteria import Criteria, Criterion, load_criteria
from onboarding.selection.proposal import Files, read_files
from onboarding.selection.scoring import Assessed

SHIPPED = load_candidates()
CRITERIA = load_criteria()
P02 = next(one for one in SHIPPED.candidates if one.id == "p02")


def candidate(**facts: object) -> Candidate:
    """p02 with other facts."""
    return P02.model_copy(update={"facts": P02.facts.model_copy(update=facts)})


def criterion(scale: dict[str, object], weight: int = 1, name: str = "it") -> Criterion:
    return Criterion.model_validate(
        {
            "id": name, "name": {"th": "ก", "en": "a"}, "weight": weight, "scale": scale,
            "source": "a test", "grade": "P", "dated": "2026-11-22",
        }
    )  # fmt: skip


def weighing(places: int, swing: int = 20, **weights: int) -> Criteria:
    """Criteria whose scales nobody asks: the points are given."""
    scale = {"kind": "linear", "fact": "machines", "worst": 0, "best": 1}
    criteria = tuple(criterion(scale, weight, name) for name, weight in weights.items())
    return CRITERIA.model_copy(update={"places": places, "swing_percent": swing, "criteria": criteria})


def pointed(name: str, **points: int) -> Assessed:
    return Assessed(name, points, None, ())


def by_chance(chance: random.Random, *, most: int = 1000) -> tuple[list[Assessed], Criteria]:
    """A few candidates with points drawn, criteria with weights drawn; few different points make many ties."""
    names = [f"c{number}" for number in range(chance.randint(1, 6))]
    weights = {name: chance.randint(1, 30) for name in names}
    assessed = [
        pointed(f"p{number:02}", **{name: chance.randint(0, most) for name in names})
        for number in range(1, chance.randint(3, 9))
    ]
    return assessed, weighing(chance.randint(1, len(assessed)), chance.choice((5, 20, 40)), **weights)


def files(**changed: object) -> Files:
    """The shipped three files, the criteria changed."""
    shipped = read_files()
    return Files(shipped.candidates, shipped.criteria.model_copy(update=changed), shipped.policy)
