"""The criteria as one dated file: weights, scales, sources; and what a fact is worth on a scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from onboarding import checked_yaml
from onboarding.manifest import Bilingual
from onboarding.manifest_types import Duration, Line, Login, Slug
from onboarding.selection.candidates import Candidate

CRITERIA_FILE = Path(__file__).resolve().parents[2] / "policies" / "selection.yaml"

FULL = 1000
"""The most a fact is worth: points are whole thousandths, so that every sum is exact."""

MOST_CRITERIA = 12
"""Every corner of the weights is looked at: 2 to the power of the criteria."""

Counted = Literal["delivery_weeks", "uses_per_year", "data_gib", "dependencies", "machines"]
Named = Literal["engines", "classification", "impact"]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Between(_Part):
    """A number between the `worst` (0 points) and the `best` (all), straight or by its logarithm; never beyond."""

    kind: Literal["linear", "log"]
    fact: Counted
    worst: Annotated[float, Field(allow_inf_nan=False)]
    best: Annotated[float, Field(allow_inf_nan=False)]

    @model_validator(mode="after")
    def _has_two_ends(self) -> Self:
        if self.worst == self.best:
            raise ValueError("worst and best are the same")
        if self.kind == "log" and min(self.worst, self.best) <= 0:
            raise ValueError("a logarithm needs numbers above 0")
        return self


class Table(_Part):
    """Points (0 to 100) for each thing a fact can say; of several the lowest counts, what is not listed is 0."""

    kind: Literal["table"]
    fact: Named
    points: Mapping[Slug, Annotated[int, Field(ge=0, le=100)]]


class Share(_Part):
    """How many of the listed things are there."""

    kind: Literal["share"]
    fact: Literal["ready"]
    of: Annotated[tuple[Slug, ...], Field(min_length=1)]


class Criterion(_Part):
    """One question to every candidate."""

    id: Slug
    name: Bilingual
    weight: Annotated[int, Field(gt=0, le=1000)]
    scale: Annotated[Between | Table | Share, Field(discriminator="kind")]
    source: Line
    grade: Literal["V", "S", "P"]
    """V: read in the source; S: seen as an excerpt; P: a choice of ours."""
    dated: date
    """The source's date; of a choice, when it was made."""


class Criteria(_Part):
    """The whole file; `version` goes into every decision."""

    version: Line
    places: Annotated[int, Field(ge=1, le=200)]
    places_source: Line
    swing_percent: Annotated[int, Field(ge=1, le=99)]
    """How far each weight is moved, up and down, to see whether the list stays the same."""
    confirmed_by: Annotated[tuple[Login, ...], Field(min_length=1)]
    """Who may be asked to confirm the list; never who triggered the run."""
    confirmation_fresh_for: Duration
    """How old a confirmation may be when the list is recorded."""
    criteria: Annotated[tuple[Criterion, ...], Field(min_length=1, max_length=MOST_CRITERIA)]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> Self:
        ids = [criterion.id for criterion in self.criteria]
        if len(ids) != len(set(ids)):
            raise ValueError("two criteria share an id")
        return self


def load_criteria(path: Path = CRITERIA_FILE) -> Criteria:
    """The criteria as the file has them now. Raises BadFile."""
    return checked_yaml.load(path, Criteria)


def fact(candidate: Candidate, name: str) -> object:
    """What the candidate says of itself: a number, a word, or several words."""
    if name in ("classification", "impact"):
        return getattr(candidate.data, name)
    return getattr(candidate.facts, name)


def worth(criterion: Criterion, candidate: Candidate) -> int:
    """Points of one candidate on one scale, 0 to FULL; halves go to the even number."""
    scale, said = criterion.scale, fact(candidate, criterion.scale.fact)
    if isinstance(scale, Table):
        words = (said,) if isinstance(said, str) else said
        return min(scale.points.get(word, 0) for word in words) * FULL // 100  # type: ignore[attr-defined]
    if isinstance(scale, Share):
        there = set(scale.of) & set(said)  # type: ignore[call-overload]
        return round(Fraction(FULL * len(there), len(set(scale.of))))
    return round(FULL * min(1.0, max(0.0, _way(scale, float(said)))))  # type: ignore[arg-type]


def _way(scale: Between, value: float) -> float:
    """How far from worst to best, 0 to 1 between them."""
    if scale.kind == "linear":
        return (value - scale.worst) / (scale.best - scale.worst)
    if value <= 0:
        return 0.0 if scale.worst < scale.best else 1.0
    return math.log(value / scale.worst) / math.log(scale.best / scale.worst)
