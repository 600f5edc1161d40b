"""The proposal: places, reasons and stability as one JSON document, and the digest that the answer is bound to."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from onboarding.checked_yaml import BadFile
from onboarding.errors import Stop
from onboarding.observations import Observation
from onboarding.policy import POLICY_FILE, Policy, load_policy
from onboarding.records import canonical
from onboarding.selection import scoring
from onboarding.selection.candidates import CANDIDATES_FILE, Candidates, load_candidates
from onboarding.selection.criteria import CRITERIA_FILE, Criteria, load_criteria
from onboarding.selection.scoring import Points, Ranked, Weights
from onboarding.selection.stability import Pair, Stability, stability


@dataclass(frozen=True)
class Files:
    """What a selection rests on: candidates, criteria, data-classification policy, as they are now."""

    candidates: Candidates
    criteria: Criteria
    policy: Policy

    @property
    def versions(self) -> dict[str, str]:
        return {
            "candidates": self.candidates.version,
            "criteria": self.criteria.version,
            "policy": self.policy.version,
        }

    def digest(self) -> str:
        """SHA-256 (hex) of the three files' content; comments and key order do not count."""
        content = {
            "candidates": self.candidates.model_dump(mode="json"),
            "criteria": self.criteria.model_dump(mode="json"),
            "policy": self.policy.model_dump(mode="json"),
        }
        return hashlib.sha256(canonical(content)).hexdigest()


def read_files(candidates: Path = CANDIDATES_FILE, criteria: Path = CRITERIA_FILE, policy: Path = POLICY_FILE) -> Files:
    """The three files. Raises Stop for one that is no good, with place and remedy."""
    try:
        return Files(load_candidates(candidates), load_criteria(criteria), load_policy(policy))
    except BadFile as bad:
        raise Stop("selection.bad_file", problems=bad.problems[0].render("en")) from bad


def propose(files: Files, now: datetime) -> dict[str, Any]:
    """The proposal, the same for the same files whenever it is made. Raises Stop when there are too few to choose."""
    assessed = scoring.assess(files.candidates, files.criteria, files.policy, now)
    ranked = scoring.rank(assessed, files.criteria)
    return {
        "files": files.digest(),
        "versions": files.versions,
        "places": files.criteria.places,
        "candidates": [_entry(one, ranked, files) for one in ranked],
        "stability": _stability(stability(ranked, files.criteria)),
    }


def digest(proposal: Mapping[str, Any]) -> str:
    """What a confirmation is bound to: the files and all that was made of them, SHA-256 (hex)."""
    return hashlib.sha256(canonical(proposal)).hexdigest()


def chosen(proposal: Mapping[str, Any]) -> list[str]:
    """The ids that have a place, best first."""
    return [entry["id"] for entry in proposal["candidates"] if entry["place"] == "chosen"]


def entry_of(proposal: Mapping[str, Any], candidate: str) -> Mapping[str, Any] | None:
    """One candidate's part of the proposal."""
    return next((entry for entry in proposal["candidates"] if entry["id"] == candidate), None)


def _entry(one: Ranked, ranked: Sequence[Ranked], files: Files) -> dict[str, Any]:
    weights = scoring.weights_of(files.criteria)
    return {
        "id": one.id,
        "place": one.place,
        "rank": one.rank,
        "score": None if one.place == "refused" else scoring.score(one.total, weights),
        "points": dict(one.assessed.points),
        "tied": list(one.tied),
        "reason": _reason(one, ranked, files, weights),
        "conditions": [{"key": seen.why, "values": dict(seen.values)} for seen in one.assessed.conditions],
    }


def _reason(one: Ranked, ranked: Sequence[Ranked], files: Files, weights: Weights) -> dict[str, Any]:
    """A catalogue key and its values; criteria by their ids."""
    if one.assessed.refused is not None:
        return {"key": "selection.reason.refused", "values": _refusal(one.assessed.refused)}
    points = one.assessed.points
    in_order = [other for other in ranked if other.rank is not None]
    last = in_order[files.criteria.places - 1]
    values: dict[str, Any] = {"rank": one.rank, "ranked": len(in_order), "score": _told(one.total, weights)}
    if one.place == "chosen":
        return {"key": "selection.reason.chosen", "values": values | _stands_out(points, in_order, weights)}
    behind = {name: weight * (last.assessed.points[name] - points[name]) for name, weight in weights.items()}
    values |= {"last": last.id, "last_score": _told(last.total, weights)}
    key = "selection.reason.out_by_tie" if one.total == last.total else "selection.reason.out"
    return {"key": key, "values": values | {"weakest": max(behind, key=behind.__getitem__)}}


def _told(total: int, weights: Weights) -> str:
    return f"{scoring.score(total, weights):.2f}"


def _stands_out(points: Points, ranked: Sequence[Ranked], weights: Weights) -> dict[str, str]:
    """The criteria on which it is furthest ahead of the ranked candidates' average, and furthest behind."""
    ahead = {
        name: weight * (len(ranked) * points[name] - sum(other.assessed.points[name] for other in ranked))
        for name, weight in weights.items()
    }
    return {"strongest": max(ahead, key=ahead.__getitem__), "weakest": min(ahead, key=ahead.__getitem__)}


def _refusal(seen: Observation) -> dict[str, Any]:
    return {"found": seen.values["found"], "version": seen.values["version"]}


def _stability(seen: Stability) -> dict[str, Any]:
    return {
        "swing_percent": seen.swing_percent,
        "stable": seen.stable,
        "closest": _pair(seen.closest) if seen.closest else None,
        "pairs": [_pair(pair) for pair in seen.pairs],
        "alone": [
            asdict(change) | {"enters": list(change.enters), "leaves": list(change.leaves)} for change in seen.alone
        ],
        "corners": seen.corners,
        "other_lists": seen.other_lists,
        "kept": dict(seen.kept),
    }


def _pair(pair: Pair) -> dict[str, Any]:
    """Rounded down: a margin is never told larger than it is."""
    tenths = pair.margin_percent * 10 // 1
    margin = float(Fraction(tenths, 10))
    return {"chosen": pair.chosen, "out": pair.out, "margin_percent": margin, "twins": pair.twins}
