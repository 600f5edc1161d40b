"""Thailand's clock and public holidays: one calendar for the night of a cutover and for the hours of an office."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from zoneinfo import ZoneInfo

BANGKOK = ZoneInfo("Asia/Bangkok")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKEND = frozenset({"sat", "sun"})


def weekday(day: date) -> str:
    """`mon` … `sun`."""
    return WEEKDAYS[day.weekday()]


def public_holiday(day: date) -> str:
    """The public holiday's name; empty on any other day. By the Python library `holidays`, substitutes included."""
    return _holidays(day.year).get(day, "")


@cache
def _holidays(year: int) -> Mapping[date, str]:
    import holidays  # most of who asks for Bangkok's time asks for no holiday

    return holidays.country_holidays("TH", years=year)
