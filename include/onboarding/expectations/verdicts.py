"""What an expectation's two answers mean together."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal

from onboarding.observations import Answer, Observation

Verdict = Literal["held", "broken", "already_so", "mended", "unknown"]
VERDICTS: tuple[Verdict, ...] = ("held", "broken", "already_so", "mended", "unknown")


@dataclass(frozen=True)
class SideAnswer:
    """What one side said: met or not (None: it could not say, `problem` names the error), by how many rows not."""

    met: bool | None
    unexpected: int | None = None
    of: int | None = None
    problem: str = ""


@dataclass(frozen=True)
class Outcome:
    """One expectation of the manifest, asked of both sides."""

    expect: str
    table: str
    column: str
    personal: bool
    source: SideAnswer
    target: SideAnswer

    @property
    def verdict(self) -> Verdict:
        """`broken` is the move's doing: met before and not after, or missed by more rows than before."""
        before, after = self.source, self.target
        if before.met is None or after.met is None:
            return "unknown"
        if before.met:
            return "held" if after.met else "broken"
        if after.met:
            return "mended"
        worse = before.unexpected is not None and after.unexpected is not None and after.unexpected > before.unexpected
        return "broken" if worse else "already_so"

    @property
    def title(self) -> str:
        """The expectation and what it is about, without values."""
        about = f"{self.table}.{self.column}" if self.column else self.table
        return f"{self.expect} {about}"

    def as_json(self) -> dict[str, Any]:
        """Counts and names; no value of any row."""
        return asdict(self) | {"verdict": self.verdict}


@dataclass(frozen=True)
class ExpectationResult:
    """Every expectation of a workload. `docs` are the HTML pages' paths below the folder they were written to."""

    outcomes: tuple[Outcome, ...]
    docs: tuple[str, ...] = ()
    seconds: float = 0.0

    def count(self, verdict: Verdict) -> int:
        """How many expectations came out so."""
        return sum(outcome.verdict == verdict for outcome in self.outcomes)

    @property
    def counts(self) -> dict[str, int]:
        """How many expectations came out as what."""
        return {verdict: self.count(verdict) for verdict in VERDICTS}

    @property
    def held(self) -> bool:
        """The move broke nothing, and nothing is unknown. What was broken before counts as known, not as mended."""
        return not (self.count("broken") or self.count("unknown"))

    def as_json(self) -> dict[str, Any]:
        """Counts per verdict and each outcome; no value of any row."""
        return {
            "held": self.held,
            "counts": self.counts,
            "outcomes": [outcome.as_json() for outcome in self.outcomes],
            "docs": list(self.docs),
            "seconds": self.seconds,
        }

    def observations(self, at: datetime) -> list[Observation]:
        """What a gate asks: did the move break an expectation. Old sins pass, and are counted in `observed`."""
        broken, unknown = (
            [outcome.title for outcome in self.outcomes if outcome.verdict == verdict]
            for verdict in ("broken", "unknown")
        )
        answer = Answer.FAIL if broken else Answer.UNKNOWN if unknown else Answer.PASS
        why = {Answer.FAIL: "expectations.broken", Answer.UNKNOWN: "expectations.unknown"}.get(answer, "")
        observed = {"broken": len(broken), "unknown": len(unknown), "already_so": self.count("already_so")}
        values = {"named": "; ".join(broken or unknown), "count": len(broken or unknown)}
        return [Observation("expectations_held", answer, observed, {"broken": 0, "unknown": 0}, at, why, values)]
