"""What the pages of the UI read: the last look of a gate, a runbook, a file of a report."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onboarding import gates
from onboarding.aws_errors import explaining
from onboarding.cutover import runbook
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.messages import Language, text
from onboarding.observations import Answer, Observation
from onboarding.spoken_times import spoken

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

SEEN = ("rows", "files", "sequences", "lag_s")
"""What of a rehearsed step's findings people are shown."""


@dataclass(frozen=True)
class Told:
    """One check in one language; `reasons` only when it did not pass."""

    observed: str
    expected: str
    at: str
    reasons: tuple[str, ...]


def last_seen(ledger: Ledger, pilot_id: str, gate: str) -> Sequence[Observation]:
    """Each check of a gate's last look."""
    return gates.last_seen(ledger, pilot_id, gate)


def verdict_of(seen: Sequence[Observation]) -> Answer:
    """What these observations come to: one fail fails, one unknown waits."""
    answers = {one.answer for one in seen}
    return next((answer for answer in (Answer.FAIL, Answer.UNKNOWN) if answer in answers), Answer.PASS)


def checks_told(seen: Observation, language: Language) -> Told:
    """A check as people read it: what was observed, expected, when (Bangkok), why and what to do."""
    reasons = () if seen.answer is Answer.PASS else tuple(gates.reasons(seen, language))
    return Told(gates.shown(seen.observed), gates.shown(seen.expected), spoken(seen.at, language), reasons)


@dataclass(frozen=True)
class StepTold:
    """One step of the runbook in one language; `seen` is what the rehearsal found, empty when nothing is worth it."""

    name: str
    owner: str
    success: str
    seen: str


def runbook_of(ledger: Ledger, manifest: Manifest) -> runbook.Table | None:
    """The pilot's runbook, planned against actual, as the ledger has it; None before the first rehearsal."""
    traffic = manifest.cutover.traffic
    records = ledger.records(pilot=manifest.id, kind=runbook.KINDS)
    by_hand = traffic.mode == "manual"
    return runbook.table(records, record_name=traffic.record, reads=traffic.reads, by_hand=by_hand)


def step_told(row: runbook.Row, language: Language) -> StepTold:
    """A step as people read it."""
    step = row.step
    seen = [text(f"runbook.seen.{name}", language, n=f"{row.seen[name]:,}") for name in SEEN if name in row.seen]
    return StepTold(
        text(f"runbook.steps.{step.name}", language),
        text(f"runbook.owners.{step.owner}", language),
        text(f"runbook.success.{step.name}", language),
        " · ".join(seen),
    )


@explaining("s3")
def report_file(s3: S3Client, bucket: str, pilot_id: str, path: str) -> bytes | None:
    """The content of a report's file of this pilot; None when there is none, or `path` leads out of its reports."""
    normal = posixpath.normpath(path)
    if normal != path or normal.startswith((".", "/")):
        return None
    try:
        return s3.get_object(Bucket=bucket, Key=f"reports/{pilot_id}/{path}")["Body"].read()
    except s3.exceptions.NoSuchKey:
        return None
