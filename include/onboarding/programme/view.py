"""The programme view as one document in one language: what its page, its JSON and its card are made of.

Counts, seconds, ISO-8601 UTC beside each text for people. No row of anybody's data: names, counts, times, reasons.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from onboarding.messages import Language, text
from onboarding.programme.burn_up import burn_up
from onboarding.programme.lanes import About, Lane, counts, lane, worst_first
from onboarding.programme.reading import Programme
from onboarding.programme.rules import Rules
from onboarding.programme.told_lanes import told_lane
from onboarding.spoken_times import spoken, spoken_length


@dataclass(frozen=True)
class Reader:
    """What somebody may see: these pilots (None: all), and whether the reasons of failed tasks too.

    Those reasons stand in the tasks' logs, which not everybody may read, and may quote what a database answered.
    """

    pilots: Collection[str] | None
    task_reasons: bool

    def may_see(self, pilot: str) -> bool:
        """Whether that pilot is among them."""
        return self.pilots is None or pilot in self.pilots


def known_pilots(programme: Programme, abouts: Iterable[About]) -> dict[str, About]:
    """Every pilot with a manifest, on file now or, once its journey began, in the ledger."""
    recorded = {pilot: one.manifest for pilot, one in programme.pilots.items() if one.manifest}
    return {pilot: About.recorded(content) for pilot, content in recorded.items()} | {one.id: one for one in abouts}


def view(
    programme: Programme,
    abouts: Iterable[About],
    rules: Rules,
    reader: Reader,
    language: Language,
    now: datetime,
    *,
    sandbox: bool,
    refused_candidates: Collection[str] = (),
) -> dict[str, Any]:
    """The document for one reader. Whoever may not see every pilot gets figures of the visible ones alone.

    `refused_candidates` never became pilots: they count as refused, to whoever sees the whole programme, and are no
    lanes. `sandbox` is this deployment's setting; the ledger's own word counts too.
    """
    known = known_pilots(programme, abouts)
    seen = {pilot: about for pilot, about in known.items() if reader.may_see(pilot)}
    lanes = worst_first(lane(about, programme.pilots.get(pilot), rules, now) for pilot, about in seen.items())
    whole = len(seen) == len(known) and bool(known)
    return {
        "scope": "programme" if whole else "own",
        "goal": rules.goal.live if whole else len(seen),
        "counts": counts(lanes, refused_candidates if whole else ()),
        "waiting_for_people": sum(_needs_somebody(lane) for lane in lanes),
        "sandbox": sandbox or any(lane.standing.sandbox for lane in lanes),
        "lead": _lead(lanes, language),
        "burn_up": [
            {"at": point.at.astimezone(UTC).isoformat(), "text": spoken(point.at, language), "live": point.live}
            for point in burn_up(lane.standing for lane in lanes)
        ],
        "lanes": [told_lane(one, language, now, task_reasons=reader.task_reasons) for one in lanes],
        "ledger": {"record": programme.seq, "hash": programme.hash[:12]} if whole else None,
        "at": now.astimezone(UTC).isoformat(),
        "at_text": spoken(now, language),
    }


def _needs_somebody(one: Lane) -> bool:
    return one.move is not None and bool(one.waits) and one.waits[0].needs_somebody


def _lead(lanes: Sequence[Lane], language: Language) -> dict[str, Any] | None:
    """The middle of all live pilots' lead times, and which share of all their time was waiting (per cent).

    Shares of the sum, because medians of parts do not add up. None while none is live.
    """
    whole = [one.whole for one in lanes if one.whole is not None]
    if not whole:
        return None
    length = timedelta(seconds=median(span.length.total_seconds() for span in whole))
    waited = sum((span.waited or timedelta() for span in whole), timedelta())
    all_of_it = sum((span.length for span in whole), timedelta())
    share = round(100 * waited / all_of_it) if all_of_it else 0
    return {
        "pilots": len(whole),
        "length_s": round(length.total_seconds(), 3),
        "length_text": spoken_length(length, language),
        "waited_percent": share,
        "worked_percent": 100 - share,
        "title": text("view.lead.median", language, n=len(whole)),
    }
