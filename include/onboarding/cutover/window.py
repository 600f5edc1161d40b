"""When a cutover may begin: the agency's window, its blackout days and Thailand's public holidays."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from onboarding.manifest import Window
from onboarding.observations import Answer, Observation
from onboarding.thai_calendar import BANGKOK, public_holiday, weekday

SIGHT_DAYS = 45
"""How far ahead a window is looked for; the longest run of holidays is far shorter."""
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
    stretches = _open_stretches(window, local.date(), timedelta(days=SIGHT_DAYS))
    longest = max((end - begin for begin, end in stretches), default=timedelta())
    expected = {
        "weekdays": list(window.weekdays),
        "opens": window.opens.isoformat(),
        "closes": window.closes.isoformat(),
        "needed_s": round(needed.total_seconds(), 3),
    }
    if needed > longest:
        values = {"needed": str(needed), "length": str(longest)}
        return Observation("cutover.window", Answer.FAIL, str(longest), expected, now, "window.too_short", values)
    if any(begin <= local and local + needed <= end for begin, end in stretches):
        return Observation("cutover.window", Answer.PASS, local.isoformat(), expected, now)
    opens = min((begin for begin, end in stretches if begin > local and end - begin >= needed), default=None)
    reason = _reason(window, local.date()) or "outside the hours"
    values = {"reason": reason, "opens": opens.isoformat() if opens else "?"}
    return Observation("cutover.window", Answer.UNKNOWN, reason, expected, now, "window.closed", values)


def _open_stretches(window: Window, today: date, sight: timedelta) -> list[tuple[datetime, datetime]]:
    """The open hours from yesterday on, touching ones joined: a window may run over midnight."""
    stretches: list[tuple[datetime, datetime]] = []
    for offset in range(-1, sight.days):
        day = today + timedelta(days=offset)
        if _reason(window, day):
            continue
        begin = datetime.combine(day, window.opens, BANGKOK)
        over_midnight = window.closes <= window.opens
        end = datetime.combine(day + timedelta(days=over_midnight), window.closes, BANGKOK)
        if stretches and stretches[-1][1] >= begin:
            stretches[-1] = (stretches[-1][0], end)
        else:
            stretches.append((begin, end))
    return stretches


def _reason(window: Window, day: date) -> str:
    """Why a window that would begin on this day does not open; empty when it does."""
    if day in window.blackout:
        return f"blackout {day.isoformat()}"
    holiday = public_holiday(day)
    if holiday and not window.on_holidays:
        return f"public holiday: {holiday}"
    if weekday(day) not in window.weekdays:
        return f"closed on {weekday(day)}"
    return ""
