"""What `verify-evidence` and `report` say to people, and the exit status they end with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from onboarding.evidence import Verification, read_anchors, verify
from onboarding.ledger import Ledger
from onboarding.messages import Language, text
from onboarding.programme.report import shortfalls
from onboarding.spoken_times import spoken_length

if TYPE_CHECKING:
    from mypy_boto3_s3.client import S3Client

Say = Callable[[str], None]


def verify_evidence(ledger: Ledger, s3: S3Client | None, bucket: str, language: Language, say: Say = print) -> int:
    """Verifies the ledger, against the anchors in `bucket` when there is an `s3` to read them from. 0 when it holds."""
    anchors = read_anchors(s3, bucket) if s3 is not None else []
    found = verify(ledger, anchors)
    for line in _told(found, len(anchors), language):
        say(line)
    return 0 if found.ok else 1


def _told(found: Verification, anchors: int, language: Language) -> Iterable[str]:
    values = {"records": found.records, "head": found.head.hash, "problems": len(found.problems)}
    yield text(f"programme.evidence.{'good' if found.ok else 'bad'}", language, **values)
    for problem in found.problems:
        yield f"  ✘ {problem.render(language)}"
    entry = "anchored" if found.anchored else "not_anchored"
    yield text(f"programme.evidence.{entry}", language, anchored=found.anchored, anchors=anchors)
    if not found.ok:
        yield text("programme.evidence.remedy", language)


def show_report(document: Mapping[str, Any], language: Language, say: Say = print) -> int:
    """Tells the report (programme.report.report) as text. 0 when the goal is met with nothing lost or doubled."""
    for line in _reported(document, language):
        say(line)
    return 0 if not shortfalls(document) else 1


def _reported(document: Mapping[str, Any], language: Language) -> Iterable[str]:
    def line(entry: str, **values: Any) -> str:
        return text(f"programme.report.{entry}", language, **values)

    if document["sandbox"]:
        yield line("sandbox")
    yield line("headline", **{name: document[name] for name in ("live", "goal", "refused")})
    for pilot in document["pilots"]:
        yield "  " + line("pilot", **_pilot_values(pilot, language))
    yield line("unaccounted", rows=f"{document['unaccounted_rows']:,}", files=f"{document['unaccounted_files']:,}")
    yield line("duplicates", n=document["duplicate_side_effects"])
    ledger = document["ledger"]
    yield line("verified" if ledger["verified"] else "not_verified", records=ledger["records"], head=ledger["head"])
    missed = shortfalls(document)
    yield line("not_met", missed=", ".join(missed)) if missed else line("met")


def _pilot_values(pilot: Mapping[str, Any], language: Language) -> dict[str, str]:
    def length(seconds: float | None) -> str:
        if seconds is None:
            return text("programme.report.unknown", language)
        return spoken_length(timedelta(seconds=seconds), language)

    return {
        "id": pilot["id"],
        "state": text(f"programme.states.{pilot['state']}", language),
        "lead": length(pilot["lead_time_s"]),
        "freeze": length(pilot["freeze_s"]),
        "rows": f"{pilot['rows']:,}",
        "files": f"{pilot['files']:,}",
    }
