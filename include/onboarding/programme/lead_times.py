"""How long a pilot took: request, account, first data, live; the time it waited apart from the time it was worked on.

| span         | from                                | to                                            |
|--------------|-------------------------------------|-----------------------------------------------|
| `request`    | the cloud request's day (Bangkok)   | the journey began: first stage event          |
| `account`    | the journey began                   | stage `account` passed for the first time     |
| `first_data` | stage `account` passed              | the first finished unit of rows or files      |
| `live`       | the first finished unit             | stage `live` passed for the first time        |

A span that is not over runs until now; one that has not begun is left out. Waiting is the time in which at least
one thing was open that nobody of the programme could work on: a check not passed, a question not answered, a trouble
not mended. What lies between the request and the begin is neither: the ledger knows nothing of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from onboarding.programme.standing import Reached, Standing
from onboarding.thai_calendar import BANGKOK

SPANS = (("account", "begun", "account"), ("first_data", "account", "first_data"), ("live", "first_data", "live"))
ENDED = frozenset({"refused", "rolled_back"})


@dataclass(frozen=True)
class Span:
    """One part of the way. `waited` is None where nobody counted."""

    name: str
    begun: datetime
    length: timedelta
    waited: timedelta | None
    over: bool

    @property
    def worked(self) -> timedelta | None:
        """The rest."""
        return None if self.waited is None else max(self.length - self.waited, timedelta())


def spans(standing: Standing, received: date | None, now: datetime) -> tuple[Span, ...]:
    """The spans that have begun, in their order."""
    told: list[Span] = []
    begun = standing.reached.get("begun")
    if begun is not None and received is not None:
        asked = min(datetime.combine(received, time(), BANGKOK).astimezone(UTC), begun.at)
        told.append(Span("request", asked, begun.at - asked, None, True))
    end = _end(standing, now)
    for name, first, last in SPANS:
        if first in standing.reached:
            told.append(_span(name, standing.reached[first], standing.reached.get(last), end))
    return tuple(told)


def whole(standing: Standing) -> Span | None:
    """From the first stage event to live; None for a pilot that is not live."""
    if standing.state != "live" or "begun" not in standing.reached or "live" not in standing.reached:
        return None
    return _span("whole", standing.reached["begun"], standing.reached["live"], standing.reached["live"])


def _end(standing: Standing, now: datetime) -> Reached:
    at = standing.at if standing.state in ENDED and standing.at else now
    return Reached(at, standing.waits.waited_by(at))


def _span(name: str, first: Reached, last: Reached | None, end: Reached) -> Span:
    until = last or end
    length = max(until.at - first.at, timedelta())
    return Span(name, first.at, length, min(max(until.waited - first.waited, timedelta()), length), last is not None)
