"""The burn-up as points of an inline SVG: no library, nothing that a strict Content-Security-Policy refuses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

WIDTH, HEIGHT = 600, 200
TOP = 12
"""Room above the goal's line, for a number at its dot."""


@dataclass(frozen=True)
class Chart:
    """`line` and `area` are SVG paths in a box of WIDTH by HEIGHT, `dots` the changes, `goal_y` the goal's line."""

    line: str
    area: str
    dots: tuple[tuple[float, float, Mapping[str, Any]], ...]
    goal_y: float
    levels: tuple[float, ...]
    width: int = WIDTH
    height: int = HEIGHT


def chart(points: Sequence[Mapping[str, Any]], goal: int, now: datetime) -> Chart | None:
    """Steps from the first journey's begin to now; None before there is anything to draw."""
    if not points:
        return None
    times = [datetime.fromisoformat(point["at"]) for point in points]
    begin, whole = times[0], max((now - times[0]).total_seconds(), 1.0)
    top: int = max(goal, *(point["live"] for point in points), 1)

    def x(at: datetime) -> float:
        return round(min((at - begin).total_seconds() / whole, 1) * WIDTH, 1)

    def y(live: int) -> float:
        return round(HEIGHT - live / top * (HEIGHT - TOP), 1)

    steps = " ".join(f"H{x(at)} V{y(point['live'])}" for at, point in zip(times, points, strict=True))
    line = f"M0 {HEIGHT} {steps} H{WIDTH}"
    dots = tuple((x(at), y(point["live"]), point) for at, point in zip(times[1:], points[1:], strict=True))
    levels = tuple(y(live) for live in range(1, top))
    return Chart(line, f"{line} V{HEIGHT} Z", dots, y(goal), levels if top <= 20 else ())
