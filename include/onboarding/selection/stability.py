"""Whether the list depends on the weights: each moved alone, all of them together, and by how much it would take.

A chosen candidate is ahead of one that is out by a sum that is linear in the weights, so it is smallest at a corner of
the box in which every weight may move: lowered where the chosen one is better, raised where it is worse. With all
weights moved by the share e against it, the lead is `L - e * A`: L the lead now, A the sum of weight times difference
without its sign. The two change places beyond e = L / A, their margin. This is exact for the whole box, not a sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product

from onboarding.selection.criteria import Criteria
from onboarding.selection.scoring import Assessed, Points, Ranked, Weights, chosen, weights_of


@dataclass(frozen=True)
class Pair:
    """A chosen candidate, one that is out, and the per cent that all weights must move against the first to swap them.

    100 means that no such weights exist; 0 that the two are equal now. `twins` have the same points on every criterion:
    no weights tell them apart, only the rule for ties does.
    """

    chosen: str
    out: str
    margin_percent: Fraction
    twins: bool


@dataclass(frozen=True)
class Change:
    """What moving one weight alone does to the list."""

    criterion: str
    percent: int
    enters: tuple[str, ...]
    leaves: tuple[str, ...]


@dataclass(frozen=True)
class Stability:
    """`pairs` are those that can change places within the swing, the closest first; `closest` is the closest of all."""

    swing_percent: int
    stable: bool
    closest: Pair | None
    pairs: tuple[Pair, ...]
    alone: tuple[Change, ...]
    corners: int
    other_lists: int
    """At how many corners of all weights together the list is another one."""
    kept: Mapping[str, int]
    """Candidate -> at how many corners it has a place."""


def stability(ranked: Sequence[Ranked], criteria: Criteria) -> Stability:
    """The list under every weight moved by `swing_percent`, up and down, alone and together."""
    assessed = [one.assessed for one in ranked if one.place != "refused"]
    weights, swing = weights_of(criteria), criteria.swing_percent
    now = frozenset(one.id for one in ranked if one.place == "chosen")
    pairs = sorted(_pairs(ranked, weights), key=lambda pair: (pair.margin_percent, pair.chosen, pair.out))
    close = tuple(pair for pair in pairs if pair.margin_percent <= swing)
    lists = [chosen(assessed, moved, criteria.places) for moved in corners(weights, swing)]
    return Stability(
        swing,
        all(pair.twins for pair in close),
        pairs[0] if pairs else None,
        close,
        tuple(_alone(assessed, criteria, now)),
        len(lists),
        sum(one != now for one in lists),
        {one.id: sum(one.id in names for names in lists) for one in assessed},
    )


def margin(ahead: Points, behind: Points, weights: Weights) -> Fraction:
    """Per cent by which all weights must move against `ahead` until `behind` has as much; 0 for equal points."""
    parts = [weight * (ahead[criterion] - behind[criterion]) for criterion, weight in weights.items()]
    apart = sum(map(abs, parts))
    return Fraction(100 * sum(parts), apart) if apart else Fraction(0)


def corners(weights: Weights, swing: int) -> Iterator[Weights]:
    """Every combination of each weight moved down or up, in hundredths of the weights' own unit."""
    for signs in product((-1, 1), repeat=len(weights)):
        yield {name: weight * (100 + sign * swing) for (name, weight), sign in zip(weights.items(), signs, strict=True)}


def _pairs(ranked: Sequence[Ranked], weights: Weights) -> Iterator[Pair]:
    for one in ranked:
        for other in ranked:
            if (one.place, other.place) == ("chosen", "out"):
                ahead, behind = one.assessed.points, other.assessed.points
                yield Pair(one.id, other.id, margin(ahead, behind, weights), ahead == behind)


def _alone(assessed: Sequence[Assessed], criteria: Criteria, now: frozenset[str]) -> Iterator[Change]:
    weights = weights_of(criteria)
    for criterion in weights:
        for percent in (-criteria.swing_percent, criteria.swing_percent):
            moved = {name: weight * (100 + (percent if name == criterion else 0)) for name, weight in weights.items()}
            then = chosen(assessed, moved, criteria.places)
            if then != now:
                yield Change(criterion, percent, tuple(sorted(then - now)), tuple(sorted(now - then)))
