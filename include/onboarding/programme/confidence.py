"""How confident the programme is that a pilot will be live: five levels, by rules over what the ledger tells.

| level         | the first that holds                                                                                |
|---------------|-----------------------------------------------------------------------------------------------------|
| none          | `ended` refused · `not_begun` no journey yet                                                        |
| 1 low         | `unaccounted` the verifier misses rows or files                                                     |
| 5 high        | `live`                                                                                              |
| 1 low         | `rolled_back` the way back was gone · `stage_failed` · `rehearsal_too_long` for the agreed freeze   |
| 2 medium-low  | `check_failed` · `trouble` a task that somebody must mend · `rejected` the newest answer was a no   |
| 3 medium      | `far_overdue` more than twice as long in the stage as expected                                      |
| 4 medium-high | `overdue` longer in the stage than expected · `retrying` a task is tried again · `not_rehearsed`    |
| 5 high        | `on_track` rehearsed, it fits, and nothing stands against it                                        |

How long a stage may take stands in include/policies/programme.yaml.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from onboarding.programme.rules import Rules
from onboarding.programme.standing import Standing
from onboarding.programme.waits import Wait


@dataclass(frozen=True)
class Confidence:
    """A level from 1 (low) to 5 (high), None where there is nothing to be confident about, and the rule's name."""

    level: int | None
    why: str


@dataclass(frozen=True)
class _Case:
    standing: Standing
    waits: tuple[Wait, ...]
    rules: Rules
    compressed: bool
    now: datetime


def confidence(
    standing: Standing, waits: tuple[Wait, ...], rules: Rules, now: datetime, *, compressed: bool
) -> Confidence:
    """The first rule that holds."""
    case = _Case(standing, waits, rules, compressed, now)
    return next((Confidence(level, why) for level, why, holds in _rules(case) if holds), Confidence(5, "on_track"))


def _rules(case: _Case) -> Iterator[tuple[int | None, str, bool]]:
    standing, waits = case.standing, case.waits
    yield None, "ended", standing.state == "refused"
    yield None, "not_begun", standing.state == "not_begun"
    yield 1, "unaccounted", any(unaccounted for _, unaccounted in standing.compared.values())
    yield 5, "live", standing.state == "live"
    yield 1, "rolled_back", standing.state == "rolled_back"
    yield 1, "stage_failed", standing.state == "failed"
    yield 1, "rehearsal_too_long", standing.rehearsal_fits is False
    yield 2, "check_failed", any(wait.what == "check" and wait.failed for wait in waits)
    yield 2, "trouble", any(wait.what == "trouble" and wait.failed for wait in waits)
    yield 2, "rejected", standing.rejected
    yield from _by_time(case)
    yield 4, "retrying", any(wait.what == "trouble" for wait in waits)
    yield 4, "not_rehearsed", standing.rehearsal_fits is None


def _by_time(case: _Case) -> Iterator[tuple[int, str, bool]]:
    stage, since = case.standing.stage, case.standing.since
    if stage is None or since is None:
        return
    expected: timedelta = case.rules.stage_may_take(stage, compressed=case.compressed)
    yield 3, "far_overdue", case.now - since > 2 * expected
    yield 4, "overdue", case.now - since > expected
