"""A lane per pilot, worst first, and how many pilots reached what.

Worst first is this order; within a line the next one decides:

| first  | what                 | before what                                             |
|--------|----------------------|---------------------------------------------------------|
| group  | on its way, stuck    | not begun, then live, then refused                      |
| level  | a lower confidence   | a higher one                                            |
| person | waits for a person   | waits for a machine, for time, or for nothing           |
| since  | longer in its stage  | shorter                                                 |
| id     | a lower id           | a higher one                                            |
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from onboarding.evidence_kinds import Stage
from onboarding.manifest import Manifest
from onboarding.programme.confidence import Confidence, confidence
from onboarding.programme.lead_times import Span, spans, whole
from onboarding.programme.rules import Owner, Rules
from onboarding.programme.standing import Standing
from onboarding.programme.waits import Wait, waits_of

MILESTONES: Mapping[str, Stage] = {
    "approved": "intake", "account_ready": "account", "migrated": "migration", "validated": "validation",
}  # fmt: skip
"""Each counts the pilots whose stage was passed at least once; refused ones are counted as refused alone."""


@dataclass(frozen=True)
class About:
    """What a manifest says of its pilot, as far as everybody who may see the pilot may read it."""

    id: str
    name: Mapping[str, str]
    agency: Mapping[str, str]
    fictional: bool
    compressed: bool
    request: Mapping[str, Any]

    @classmethod
    def of(cls, manifest: Manifest) -> About:
        """From the manifest on file."""
        request = manifest.request.model_dump(mode="json") if manifest.request else {}
        return cls(
            manifest.id, manifest.name.model_dump(), manifest.agency.name.model_dump(), manifest.fictional,
            manifest.compressed, request,
        )  # fmt: skip

    @classmethod
    def recorded(cls, content: Mapping[str, Any]) -> About:
        """From the copy in the ledger, for a pilot whose manifest is on file no more."""
        return cls(
            content["id"], content["name"], content["agency"]["name"], bool(content["fictional"]),
            bool(content.get("compressed")), content.get("request") or {},
        )  # fmt: skip


@dataclass(frozen=True)
class Lane:
    """One pilot as the programme view shows it."""

    about: About
    standing: Standing
    request: Mapping[str, Any]
    waits: tuple[Wait, ...]
    confidence: Confidence
    spans: tuple[Span, ...]
    whole: Span | None

    @property
    def move(self) -> Owner | None:
        """Whose move it is; None when nobody's: live and refused."""
        if self.standing.state in ("live", "refused"):
            return None
        if self.standing.state in ("not_begun", "rolled_back"):
            return "platform"
        return self.waits[0].owner if self.waits else "programme"


def lane(about: About, standing: Standing | None, rules: Rules, now: datetime) -> Lane:
    """A pilot's lane; `standing` is None before its first record."""
    known = standing or Standing(about.id)
    request = known.request or about.request
    received = date.fromisoformat(request["received"]) if request else None
    waits = () if known.state == "live" else waits_of(known.waits, rules)
    level = confidence(known, waits, rules, now, compressed=about.compressed)
    return Lane(about, known, request, waits, level, spans(known, received, now), whole(known))


def worst_first(lanes: Iterable[Lane]) -> list[Lane]:
    """By the table above."""
    return sorted(lanes, key=_badness)


def _badness(lane: Lane) -> tuple[int, int, bool, float, str]:
    group = {"not_begun": 1, "live": 2, "refused": 3}.get(lane.standing.state, 0)
    needs_somebody = bool(lane.waits) and lane.waits[0].needs_somebody
    since = lane.standing.since.timestamp() if lane.standing.since else 0.0
    return group, lane.confidence.level or 0, not needs_somebody, since, lane.about.id


def counts(lanes: Iterable[Lane], refused_candidates: Collection[str] = ()) -> dict[str, int]:
    """How many are identified, approved, account_ready, migrated, validated, live, refused: each by itself."""
    standings = [lane.standing for lane in lanes]
    refused = {one.pilot for one in standings if one.state == "refused"}
    going = [standing for standing in standings if standing.pilot not in refused]
    reached = {name: sum(stage in one.reached for one in going) for name, stage in MILESTONES.items()}
    return {
        "identified": len(standings),
        **reached,
        "live": sum(one.state == "live" for one in standings),
        "refused": len(refused | set(refused_candidates)),
    }
