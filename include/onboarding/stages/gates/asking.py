"""All gates in the journey's order, and one look through one of them: answered, written down, its stage ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from onboarding import evidence, gates, policy
from onboarding.evidence_kinds import Refused, Stage
from onboarding.gates import Gate, Verdict
from onboarding.observations import Answer
from onboarding.programme import progress
from onboarding.stages.gates import acceptance, afterwards, arrival, night
from onboarding.stages.gates.questions import Questions
from onboarding.stages.pilot import Pilot

SOON, LATER = timedelta(seconds=2), timedelta(seconds=10)


@dataclass(frozen=True)
class Described:
    """A gate of the journey: what the journey says of it, its questions, and the stage that ends when it opens."""

    gate: Gate
    questions: Questions
    closes: Stage | None


def _gate(
    name: str, questions: Questions, *, deadline: timedelta, poll: timedelta = SOON, closes: Stage | None = None
) -> Described:
    return Described(Gate(name, deadline, poll, (questions.__doc__ or "").strip()), questions, closes)


_ALL = (
    _gate("intake", acceptance.intake, deadline=timedelta(minutes=10), closes="intake"),
    _gate("account_made", acceptance.account_made, deadline=timedelta(hours=2)),
    _gate("region_open", acceptance.region_open, deadline=timedelta(hours=24)),
    _gate("account", acceptance.account_ready, deadline=timedelta(hours=1), closes="account"),
    _gate("targets_made", arrival.targets_made, deadline=timedelta(hours=2)),
    _gate("backed_up", arrival.backed_up, deadline=timedelta(hours=6)),
    _gate("restored", arrival.restored, deadline=timedelta(hours=6)),
    _gate("migration", arrival.migrated, deadline=timedelta(minutes=10), closes="migration"),
    _gate("validation", arrival.validated, deadline=timedelta(minutes=10), closes="validation"),
    _gate("window", night.window, deadline=timedelta(days=60), poll=LATER),
    _gate("deciding", night.deciding, deadline=timedelta(days=30), poll=LATER),
    _gate("near", night.near, deadline=timedelta(days=2)),
    _gate("named", night.named, deadline=timedelta(days=1)),
    _gate("cutover", night.switched, deadline=timedelta(minutes=10), closes="cutover"),
    _gate("soak", afterwards.soaked, deadline=timedelta(days=60), closes="soak"),
    _gate("turned_back", afterwards.turned_back, deadline=timedelta(minutes=10)),
)

_ASKED: Mapping[str, Described] = {one.gate.name: one for one in _ALL}

GATES: Mapping[str, Gate] = {name: described.gate for name, described in _ASKED.items()}


def ask(pilot: Pilot, name: str, *, last: bool = False) -> Verdict:
    """One look at the world for one gate. An answer that settles it ends its stage and is anchored outside."""
    asked = _ASKED[name]
    verdict = gates.evaluate(asked.questions(pilot), pilot.clock)
    final = last or verdict.answer is not Answer.UNKNOWN
    gates.observe(pilot.ledger, pilot.id, name, verdict, final=final, run=pilot.run)
    if final and asked.closes is not None:
        _settle(pilot, verdict, asked.closes)
    return verdict


def _settle(pilot: Pilot, verdict: Verdict, closes: Stage) -> None:
    if verdict.answer is Answer.PASS:
        progress.passed(pilot.ledger, pilot.id, closes, run=pilot.run)
        following = progress.STAGES[progress.STAGES.index(closes) + 1]
        progress.enter(pilot.ledger, pilot.id, following, run=pilot.run)
    else:
        progress.failed(pilot.ledger, pilot.id, closes, run=pilot.run)
        stopped = [seen for seen in verdict.observations if seen.check == "policy.classification"]
        if any(seen.answer is Answer.FAIL for seen in stopped):
            refused = Refused(closes, f"policy {policy.load_policy().version}", str(stopped[0].observed))
            pilot.record(*refused.as_record())
    s3 = pilot.management.client("s3")
    evidence.anchor(pilot.ledger, s3, pilot.settings.anchor_bucket, retain_days=pilot.settings.retain_days)
