"""Times as people in Thailand read them."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from onboarding.messages import Language, text
from onboarding.thai_calendar import BANGKOK

BUDDHIST_ERA = 543


def spoken_day(day: date, language: Language) -> str:
    """`13 เม.ย. 2569` or `13 Apr 2026`."""
    year = day.year + (BUDDHIST_ERA if language == "th" else 0)
    return f"{day.day} {text(f'programme.months.m{day.month}', language)} {year}"


def spoken(at: datetime, language: Language) -> str:
    """`13 เม.ย. 2569 10:00:01` or `13 Apr 2026 10:00:01`, in Bangkok."""
    local = at.astimezone(BANGKOK)
    return f"{spoken_day(local.date(), language)} {local:%H:%M:%S}"


def spoken_length(length: timedelta, language: Language) -> str:
    """A duration in its two largest units: `1 h 20 min`, `2 d`, `3 s`."""
    seconds = max(0, round(length.total_seconds()))
    amounts = {"days": seconds // 86_400, "hours": seconds // 3_600 % 24, "minutes": seconds // 60 % 60}
    amounts["seconds"] = seconds % 60
    units = list(amounts)
    first = next((place for place, unit in enumerate(units) if amounts[unit]), len(units) - 1)
    told = [
        text(f"programme.units.{unit}", language, n=amounts[unit]) for unit in units[first : first + 2] if amounts[unit]
    ]
    return " ".join(told) or text("programme.units.seconds", language, n=0)
