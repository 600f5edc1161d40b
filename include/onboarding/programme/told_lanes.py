"""One lane in one language: every name, time and reason as people read it, beside the figure itself."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from onboarding.gates import observation_from, reasons
from onboarding.messages import Language, text
from onboarding.programme.lanes import Lane
from onboarding.programme.lead_times import Span
from onboarding.programme.moves import Move
from onboarding.programme.progress import STAGES
from onboarding.programme.standing import Standing
from onboarding.programme.waits import Wait
from onboarding.spoken_sizes import spoken_size
from onboarding.spoken_times import spoken, spoken_day, spoken_length

LEVELS = ("none", "low", "medium_low", "medium", "medium_high", "high")


def told_lane(lane: Lane, language: Language, now: datetime, *, task_reasons: bool) -> dict[str, Any]:
    """A lane as JSON content."""
    standing, about = lane.standing, lane.about
    state = text(f"programme.states.{standing.state}", language)
    waits = [_wait(wait, language, now, task_reasons=task_reasons) for wait in lane.waits]
    move = _move(lane, language)
    return {
        "id": about.id,
        "name": about.name[language],
        "agency": about.agency[language],
        "fictional": about.fictional,
        "state": standing.state,
        "state_text": state,
        "stage": standing.stage,
        "stages": _stages(standing, language),
        "since": _since(standing.since, language, now),
        "confidence": _confidence(lane, language),
        "move": move,
        "waits": waits,
        "idle": {"not_begun": "not_begun", "live": "live", "rolled_back": "rolled_back"}.get(standing.state, "nothing"),
        "spans": [_span(span, language) for span in lane.spans],
        "lead": None if lane.whole is None else _span(lane.whole, language),
        "request": _request(lane, language),
        "moves": [_moving(move, language, now) for move in standing.moves.open.values()],
        "compared": _compared(standing),
        "refused": _refused(standing),
        "run": standing.run,
        "rehearsed": standing.rehearsal_fits is not None,
        "gates": _gates(standing, language),
        "reports": list(standing.reports),
        "news": ": ".join((f"{about.id} {about.name[language]}", state, *([move["text"]] if move else []))),
    }


def _stages(standing: Standing, language: Language) -> list[dict[str, str]]:
    """Each stage: done, now, failed or ahead."""
    told = []
    for stage in STAGES:
        how = "done" if stage in standing.reached else "ahead"
        if stage == standing.stage and standing.state != "live":
            how = "failed" if standing.state in ("failed", "refused", "rolled_back") else "now"
        told.append({"name": stage, "is": how, "text": text(f"programme.states.{stage}", language)})
    return told


def _since(since: datetime | None, language: Language, now: datetime) -> dict[str, Any] | None:
    if since is None:
        return None
    at = since.astimezone(UTC).isoformat()
    return {"at": at, "text": spoken(since, language), "length_text": spoken_length(now - since, language)}


def _confidence(lane: Lane, language: Language) -> dict[str, Any]:
    level, why = lane.confidence.level, lane.confidence.why
    name = text(f"view.levels.{LEVELS[level or 0]}", language)
    return {"level": level, "why": why, "text": name, "why_text": text(f"view.rules.{why}", language)}


def _move(lane: Lane, language: Language) -> dict[str, Any] | None:
    if lane.move is None:
        return None
    people = [login for wait in lane.waits if wait.owner == lane.move for login in wait.people]
    who = text(f"view.owners.{lane.move}", language)
    told = f"{who} ({', '.join(people)})" if people else who
    return {"owner": lane.move, "people": people, "text": text("view.move", language, who=told), "who": told}


def _wait(wait: Wait, language: Language, now: datetime, *, task_reasons: bool) -> dict[str, Any]:
    what, *remedy = _reason(wait, language, task_reasons=task_reasons)
    return {
        "what": wait.what,
        "name": wait.name,
        "gate": wait.name.partition("/")[0] if wait.what == "check" else None,
        "owner": wait.owner,
        "owner_text": text(f"view.owners.{wait.owner}", language),
        "people": list(wait.people),
        "failed": wait.failed,
        "since": _since(wait.since, language, now),
        "text": what,
        "remedy": " ".join(remedy),
    }


def _reason(wait: Wait, language: Language, *, task_reasons: bool) -> list[str]:
    """Why, then what to do."""
    if wait.what == "check":
        return reasons(observation_from(wait.content), language) or [text("view.waits.check", language)]
    if wait.what == "approval":
        people = ", ".join(wait.people)
        return [text("programme.waits.approval", language, ordinal=wait.content["ordinal"], people=people)]
    if wait.what == "trouble":
        if task_reasons:
            what, arrow, remedy = str(wait.content[language]).partition(" → ")
            return [what, arrow.lstrip() + remedy]
        return [text("view.waits.trouble" if wait.failed else "view.waits.retrying", language)]
    return [text("view.waits.failed", language)]


def _span(span: Span, language: Language) -> dict[str, Any]:
    told: dict[str, Any] = {"name": span.name, "text": text(f"view.spans.{span.name}", language), "over": span.over}
    told["begun"] = span.begun.astimezone(UTC).isoformat()
    for name, length in (("length", span.length), ("waited", span.waited), ("worked", span.worked)):
        told[f"{name}_s"] = None if length is None else round(length.total_seconds(), 3)
    for name, whole_seconds in _in_seconds(span).items():
        told[f"{name}_text"] = None if whole_seconds is None else spoken_length(whole_seconds, language)
    return told


def _in_seconds(span: Span) -> dict[str, timedelta | None]:
    """Rounded so that what is read adds up: worked and waited are the length."""
    length = timedelta(seconds=round(span.length.total_seconds()))
    if span.waited is None:
        return {"length": length, "waited": None, "worked": None}
    waited = timedelta(seconds=round(span.waited.total_seconds()))
    return {"length": length, "waited": waited, "worked": length - waited}


def _request(lane: Lane, language: Language) -> dict[str, Any] | None:
    if not lane.request:
        return None
    received = date.fromisoformat(lane.request["received"])
    path = lane.request["network_path"]
    return {
        "number": lane.request["number"],
        "approver": lane.request["approver"],
        "received": received.isoformat(),
        "received_text": spoken_day(received, language),
        "network_path": path,
        "network_text": text(f"view.paths.{path}", language),
    }


def _moving(move: Move, language: Language, now: datetime) -> dict[str, Any]:
    """How much of a workload has arrived, whole per cent, and about how long the rest takes."""
    percent, left = int(100 * move.share), move.left(now)
    told = {"name": move.workload, "percent": percent, "size": spoken_size(move.bytes)}
    arrived = text("view.moving.indexes" if percent == 100 else "view.moving.share", language, **told)
    rest = text("view.moving.left", language, length=spoken_length(left, language)) if left is not None else ""
    return {
        "workload": move.workload,
        "what": move.what,
        "percent": percent,
        "bytes": move.bytes,
        "left_s": None if left is None else round(left.total_seconds()),
        "text": " ".join(filter(None, (arrived, rest))),
    }


def _compared(standing: Standing) -> dict[str, int] | None:
    """What the verifier said last; None before it ever said anything."""
    if not standing.compared:
        return None
    told = {"rows": 0, "files": 0, "unaccounted_rows": 0, "unaccounted_files": 0}
    for (_, what), (source, unaccounted) in standing.compared.items():
        told[what] += source
        told[f"unaccounted_{what}"] += unaccounted
    return told


def _refused(standing: Standing) -> dict[str, str] | None:
    if standing.state != "refused":
        return None
    return {"by": str(standing.refusal["by"]), "reason": str(standing.refusal["reason"])}


def _gates(standing: Standing, language: Language) -> list[dict[str, str]]:
    return [
        {"name": gate, "answer": answer, "text": text(f"pages.answers.{answer}", language)}
        for gate, answer in standing.gates.items()
    ]
