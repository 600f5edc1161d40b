"""How many pilots were live when: the points of the burn-up chart."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from onboarding.programme.standing import Standing


@dataclass(frozen=True)
class Point:
    """From `at` on, `live` pilots were live."""

    at: datetime
    live: int


def burn_up(standings: Iterable[Standing]) -> tuple[Point, ...]:
    """From the first journey's begin (0) on, one point per change; empty before any journey began."""
    known = list(standings)
    begun = [standing.reached["begun"].at for standing in known if "begun" in standing.reached]
    if not begun:
        return ()
    points = [Point(min(begun), 0)]
    for at, change in sorted(change for standing in known for change in standing.went_live):
        points.append(Point(at, points[-1].live + change))
    return tuple(points)
