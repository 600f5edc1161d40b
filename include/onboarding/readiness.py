"""What stands in a move's way: findings with a severity and a remedy, and the waivers that somebody signed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from onboarding.messages import Language, text

if TYPE_CHECKING:
    from onboarding.manifest import Waiver

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True)
class Finding:
    """One thing found before a move. Its words are `readiness.<id>.what` and `.remedy`, filled from `values`."""

    id: str
    severity: Severity
    where: str
    values: Mapping[str, Any]

    def what(self, language: Language) -> str:
        """What was found, in one language."""
        return text(f"readiness.{self.id}.what", language, where=self.where, **self.values)

    def remedy(self, language: Language) -> str:
        """What the agency or the operator does about it."""
        return text(f"readiness.{self.id}.remedy", language, where=self.where, **self.values)

    def as_json(self) -> dict[str, Any]:
        """As it goes into the ledger: JSON types only."""
        return asdict(self) | {"values": dict(self.values)}


@dataclass(frozen=True)
class Waived:
    """A finding that somebody took upon themselves, until the day of the waiver's expiry."""

    finding: Finding
    waiver: Waiver


@dataclass(frozen=True)
class Readiness:
    """What is still open, and what was waived by whom."""

    open: tuple[Finding, ...]
    waived: tuple[Waived, ...]

    @property
    def critical(self) -> tuple[Finding, ...]:
        """The open findings that close the gate."""
        return tuple(finding for finding in self.open if finding.severity == "critical")


def apply_waivers(findings: Iterable[Finding], waivers: Sequence[Waiver], today: date) -> Readiness:
    """The findings sorted into open and waived.

    A waiver names a finding's id, or `id:where` for one place only; it holds through the day on which it expires.
    """
    still_open: list[Finding] = []
    waived: list[Waived] = []
    for finding in findings:
        waiver = _waiver_for(finding, waivers, today)
        if waiver is None:
            still_open.append(finding)
        else:
            waived.append(Waived(finding, waiver))
    return Readiness(tuple(still_open), tuple(waived))


def _waiver_for(finding: Finding, waivers: Sequence[Waiver], today: date) -> Waiver | None:
    names = {finding.id, f"{finding.id}:{finding.where}"}
    return next((waiver for waiver in waivers if waiver.finding in names and today <= waiver.expires), None)
