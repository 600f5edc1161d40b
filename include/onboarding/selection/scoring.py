"""Points, rank and the list, from candidates, criteria and policy alone: the same files give the same list.

Refusal comes before every score: what may not leave the agency has no points at all. Of two candidates with the same
sum, the one with more points on the heaviest criterion goes first, then on the next heaviest (of equally heavy ones in
the file's order), last the lower id.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Literal

from onboarding.errors import Stop
from onboarding.observations import Answer, Observation
from onboarding.policy import Policy, observe_policy
from onboarding.selection.candidates import Candidate, Candidates
from onboarding.selection.criteria import Criteria, worth

Place = Literal["chosen", "out", "refused"]

HARD_STOP = "policy.classification"
"""The only rule that no paper can satisfy; the others are conditions, which the gate `intake` asks for again."""

Weights = Mapping[str, int]
Points = Mapping[str, int]


@dataclass(frozen=True)
class Assessed:
    """One candidate: its points by criterion (0 to 1000), or the rule that refuses it; conditions still open."""

    id: str
    points: Points
    refused: Observation | None
    conditions: tuple[Observation, ...]


@dataclass(frozen=True)
class Ranked:
    """One candidate's place. `total` is exact: the sum of weight times points; `tied` has the same one."""

    assessed: Assessed
    place: Place
    rank: int | None
    total: int
    tied: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        return self.assessed.id


def assess(candidates: Candidates, criteria: Criteria, policy: Policy, now: datetime) -> tuple[Assessed, ...]:
    """Every candidate on every scale, in order of id. What policy stops for good gets no points."""
    return tuple(
        _assessed(candidate, criteria, policy, now)
        for candidate in sorted(candidates.candidates, key=lambda candidate: candidate.id)
    )


def _assessed(candidate: Candidate, criteria: Criteria, policy: Policy, now: datetime) -> Assessed:
    failed = [seen for seen in observe_policy(candidate, policy, now) if seen.answer is not Answer.PASS]
    refused = next((seen for seen in failed if seen.check == HARD_STOP), None)
    points = {} if refused else {one.id: worth(one, candidate) for one in criteria.criteria}
    return Assessed(candidate.id, points, refused, tuple(seen for seen in failed if seen is not refused))


def weights_of(criteria: Criteria) -> Weights:
    """Criterion -> weight, in the file's order."""
    return {criterion.id: criterion.weight for criterion in criteria.criteria}


def total(points: Points, weights: Weights) -> int:
    """The sum of weight times points."""
    return sum(weight * points[criterion] for criterion, weight in weights.items())


def order(assessed: Iterable[Assessed], weights: Weights) -> list[Assessed]:
    """Best first, ties settled as the module says; the refused are left out."""
    heaviest = sorted(weights, key=lambda criterion: -weights[criterion])

    def place(one: Assessed) -> tuple[int, list[int], str]:
        return -total(one.points, weights), [-one.points[criterion] for criterion in heaviest], one.id

    return sorted((one for one in assessed if one.refused is None), key=place)


def chosen(assessed: Iterable[Assessed], weights: Weights, places: int) -> frozenset[str]:
    """The ids that get a place."""
    return frozenset(one.id for one in order(assessed, weights)[:places])


def rank(assessed: Sequence[Assessed], criteria: Criteria) -> tuple[Ranked, ...]:
    """Everybody's place: the chosen, who is out, who was refused. Raises Stop when there are not enough to choose."""
    weights = weights_of(criteria)
    ordered = order(assessed, weights)
    if len(ordered) < criteria.places:
        raise Stop("selection.too_few", ranked=len(ordered), places=criteria.places)
    totals = {one.id: total(one.points, weights) for one in ordered}
    ranked = [
        Ranked(
            one,
            "chosen" if number <= criteria.places else "out",
            number,
            totals[one.id],
            tuple(other for other in totals if other != one.id and totals[other] == totals[one.id]),
        )
        for number, one in enumerate(ordered, 1)
    ]
    refused = [Ranked(one, "refused", None, 0) for one in assessed if one.refused is not None]
    return (*ranked, *refused)


def score(total: int, weights: Weights) -> float:
    """A total as people read it: 0 to 100, two decimals."""
    return float(round(Fraction(total, 10 * sum(weights.values())), 2))
