"""When a cutover may begin: the agency's window, its blackout days and Thailand's public holidays."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import holidays

from onboarding.manifest import Window
from onboarding.observations import Answer, Observation

BANGKOK = ZoneInfo("Asia/Bangkok")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MARGIN = 1.5
"""Rehearsed times count half as much again: runbooks' usual buffer."""


def time_needed(freeze: timedelta, way_back: timedelta) -> timedelta:
    """How long the night takes by the rehearsal, way back and margin included."""
    return (freeze + way_back) * MARGIN


def observe_window(window: Window, needed: timedelta, now: datetime) -> Observation:
    """Pass when now lies in the window and `needed` still fits before it closes; else unknown: it will open.

    Fails when no window can ever hold what the rehearsal measured.
    """
    local = now.astimezone(BANGKOK)
    length = datetime.combine(local, window.closes) - datetime.combine(local, window.opens)
    expected = {
        "weekdays": list(window.weekdays),
        "opens": window.opens.isoformat(),
        "closes": window.closes.isoformat(),
        "needed_s": round(needed.total_seconds(), 3),
    }
    if needed > length:
        return Observation(
            "cutover.window",
            Answer.FAIL,
            str(length),
            expected,
            now,
            "window.too_short",
            {"needed": str(needed), "length": str(length)},
        )
    reason = _closed_because(window, local, needed)
    answer = Answer.UNKNOWN if reason else Answer.PASS
    return Observation("cutover.window", answer, reason or local.isoformat(), expected, now, "window.closed", {"reason": reason})


def _closed_because(window: Window, local: datetime, needed: timedelta) -> str:
    holiday = holidays.country_holidays("TH", years=local.year).get(local.date())
    if local.date() in window.blackout:
        return f"blackout {local.date().isoformat()}"
    if holiday and not window.on_holidays:
        return f"public holiday: {holiday}"
    if WEEKDAYS[local.weekday()] not in window.weekdays:
        return f"closed on {WEEKDAYS[local.weekday()]}"
    opens = datetime.combine(local, window.opens, BANGKOK)
    closes = datetime.combine(local, window.closes, BANGKOK)
    if local < opens:
        return f"opens at {window.opens.isoformat()}"
    if local + needed > closes:
        return f"{needed} no longer fits before {window.closes.isoformat()}"
    return ""
