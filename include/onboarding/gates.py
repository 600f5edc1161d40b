"""Gates: questions to the world that must all pass, and be fresh, before the next stage opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from onboarding.aws_errors import action_for, explained
from onboarding.errors import OnboardingError, Stop
from onboarding.ledger import Ledger
from onboarding.messages import Language, UnknownMessage, text
from onboarding.observations import Answer, Observation
from onboarding.records import Record
from onboarding.spoken_times import spoken

Clock = Callable[[], datetime]
Check = Callable[[], Observation]

SIGNS: Mapping[Answer, str] = {Answer.PASS: "✔", Answer.FAIL: "✘", Answer.UNKNOWN: "?"}

REFRESH = timedelta(seconds=30)
"""An observation whose figures alone changed (a lag, a counter) goes into the ledger no more often than this."""

CLOCK_SKEW = timedelta(seconds=60)
"""How far ahead of ours another clock may be before a time counts as false."""


@dataclass(frozen=True)
class Gate:
    """A gate as the journey describes it: asked every `poll`, given up after `deadline`."""

    name: str
    deadline: timedelta
    poll: timedelta
    question: str = ""


@dataclass(frozen=True)
class Verdict:
    """One fail is fail, otherwise one unknown is unknown."""

    answer: Answer
    observations: tuple[Observation, ...]


def evaluate(checks: Mapping[str, Check], clock: Clock) -> Verdict:
    """Asks every check once. Trouble on the way is unknown, with the reason; a Stop is fail.

    Raises Stop for a gate without checks, which would be always open; a fault in a check's own code is raised.
    """
    if not checks:
        raise Stop("gates.no_checks")
    observations = tuple(_ask(name, check, clock) for name, check in checks.items())
    answers = {observation.answer for observation in observations}
    worst = next((answer for answer in (Answer.FAIL, Answer.UNKNOWN) if answer in answers), Answer.PASS)
    return Verdict(worst, observations)


def _ask(name: str, check: Check, clock: Clock) -> Observation:
    try:
        return replace(check(), check=name)
    except Exception as failure:
        action = action_for(failure)
        if action == "stop" and not isinstance(failure, (OnboardingError, ClientError)):
            raise
        told = explained(failure)
    answer = Answer.FAIL if action == "stop" else Answer.UNKNOWN
    values = {key: value if isinstance(value, (int, float)) else str(value) for key, value in told.values.items()}
    return Observation(name, answer, None, None, clock(), told.key, {**values, "where": told.where})


def fresh(record: Record | None, fresh_for: timedelta, now: datetime, check: str = "fresh") -> Observation:
    """Whether evidence is young enough: unknown while there is none, fail when it is too old or from the future."""
    if record is None:
        return Observation(check, Answer.UNKNOWN, None, str(fresh_for), now, "gates.no_evidence")
    age = now - record.at
    values = {"kind": record.kind, "age": str(age).split(".")[0], "fresh_for": str(fresh_for)}
    if age < -CLOCK_SKEW:
        return Observation(check, Answer.FAIL, record.at.isoformat(), now.isoformat(), now, "gates.future", values)
    answer, why = (Answer.PASS, "") if age <= fresh_for else (Answer.FAIL, "gates.stale")
    return Observation(check, answer, values["age"], f"<= {fresh_for}", now, why, values)


def observe(
    ledger: Ledger, pilot: str, gate: str, verdict: Verdict, *, final: bool = False, run: str = ""
) -> Record | None:
    """The verdict in the ledger (kind "observation"), when it says something new or is the last one.

    New is: another answer or reason, another run, or other figures after REFRESH. `final` marks the look that
    opened the gate, failed it, or ran into its deadline. Returns None when nothing was written.
    """
    body = {
        "answer": verdict.answer,
        "final": final,
        "observations": [observation.as_json() for observation in verdict.observations],
    }
    before = ledger.latest(pilot, "observation", gate)
    if final or before is None or _says_more(before, body, run, ledger.now()):
        return ledger.record(pilot, "observation", gate, body, run=run)
    return None


def _says_more(before: Record, body: Mapping[str, Any], run: str, now: datetime) -> bool:
    if before.body["final"] or before.run != run:
        return True
    was, now_seen = before.body["observations"], body["observations"]
    if [_gist(one) for one in was] != [_gist(one) for one in now_seen]:
        return True
    return _figures(was) != _figures(now_seen) and now - before.at >= REFRESH


def _gist(observation: Mapping[str, Any]) -> tuple[str, str, str]:
    return observation["check"], str(observation["answer"]), observation["why"]


def _figures(observations: list[Mapping[str, Any]]) -> list[str]:
    return [str((one["observed"], one["expected"])) for one in observations]


def last_seen(ledger: Ledger, pilot: str, gate: str) -> tuple[Observation, ...]:
    """What the gate saw last, as the ledger has it; empty before the first look."""
    record = ledger.latest(pilot, "observation", gate)
    return tuple(map(observation_from, record.body["observations"])) if record else ()


def observation_from(content: Mapping[str, Any]) -> Observation:
    """An observation back from its JSON form."""
    return Observation(**{**content, "answer": Answer(content["answer"]), "at": datetime.fromisoformat(content["at"])})


def render(verdict: Verdict, language: Language) -> str:
    """The verdict for people: a headline, then each check with its sign and, if it did not pass, why and what to do."""
    headline = text(f"gates.verdict.{verdict.answer}", language)
    return "\n".join([headline, *(render_check(observation, language) for observation in verdict.observations)])


def render_check(observation: Observation, language: Language) -> str:
    """One check: sign, name, observed, expected, when; then why and what to do."""
    entry = "seen" if observation.observed is not None or observation.expected is not None else "asked"
    line = text(
        f"gates.check.{entry}",
        language,
        sign=SIGNS[observation.answer],
        check=observation.check,
        observed=shown(observation.observed),
        expected=shown(observation.expected),
        at=spoken(observation.at, language),
    )
    return "\n".join([line, *(f"    {part}" for part in reasons(observation, language))])


def reasons(observation: Observation, language: Language) -> list[str]:
    """Why the check did not pass, and what to do; empty when it passed, or has nothing to say."""
    if not observation.why or observation.answer is Answer.PASS:
        return []
    values = {
        "where": "", "observed": shown(observation.observed), "expected": shown(observation.expected),
        **observation.values,
    }  # fmt: skip
    try:
        what, remedy = (text(f"{observation.why}.{part}", language, **values) for part in ("what", "remedy"))
    except (UnknownMessage, KeyError) as missing:
        # a hole in the catalogue must not hide the reason itself
        return [f"{observation.why} {dict(observation.values)} ({missing})"]
    return [f"{values['where']}: {what}" if values["where"] else what, f"→ {remedy}"]


def shown(value: Any) -> str:
    """A value on one line as people write it, at most 200 characters; "-" for none."""
    told = _told(value)
    return told if len(told) <= 200 else told[:199] + "…"


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_told(item)}" for name, item in value.items()) or "-"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(map(_told, value)) or "-"
    return "-" if value is None else str(value)
