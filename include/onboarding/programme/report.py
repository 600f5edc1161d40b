"""The programme's figures as one JSON document; everything in it is recomputed from ledger, anchors and audit log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from onboarding.evidence import Anchor, verify
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.programme.figures import KINDS, Figures, figures
from onboarding.programme.side_effects import duplicates
from onboarding.records import Record
from onboarding.selection.standing import refused_candidates

OF_A_PILOT = (
    "state", "lead_time_s", "freeze_s", "rows", "files", "rehearsal_s", "rollback_rehearsal_s", "task_instances",
)  # fmt: skip


def report(
    ledger: Ledger,
    audit_entries: Iterable[Mapping[str, Any]],
    manifests: Iterable[Manifest] | Mapping[str, Manifest],
    *,
    anchors: Iterable[Anchor] = (),
    goal: int | None = None,
) -> dict[str, Any]:
    """The report. `goal` is how many pilots shall go live, by default all of `manifests`.

    `refused` counts pilots that ended with a no, and the candidates that policy refused before they became pilots.

    `seconds` runs from the first stage that any pilot entered to the last stage event. Unaccounted rows and files are
    those of the verifier's newest comparison: compare again before, if the report shall speak of now.
    """
    pilots = list(manifests.values() if isinstance(manifests, Mapping) else manifests)
    records = {manifest.id: ledger.records(pilot=manifest.id, kind=KINDS) for manifest in pilots}
    found = {manifest.id: figures(manifest, records[manifest.id]) for manifest in pilots}
    verification = verify(ledger, anchors)
    return {
        "goal": len(pilots) if goal is None else goal,
        "live": sum(of.state == "live" for of in found.values()),
        "refused": len({pilot for pilot, of in found.items() if of.state == "refused"} | refused_candidates(ledger)),
        "unaccounted_rows": sum(of.unaccounted_rows for of in found.values()),
        "unaccounted_files": sum(of.unaccounted_files for of in found.values()),
        "duplicate_side_effects": len(duplicates(audit_entries, ledger.records(kind="intent"))),
        "seconds": _seconds([record for of in records.values() for record in of]),
        "sandbox": any(of.sandbox for of in found.values()),
        "ledger": {
            "records": verification.records,
            "head": verification.head.hash,
            "verified": verification.ok,
        },
        "pilots": [{"id": pilot} | _of_a_pilot(of) for pilot, of in found.items()],
    }


def shortfalls(document: Mapping[str, Any]) -> list[str]:
    """The names of the figures that keep the goal from being met; empty when all of it holds."""
    zero = ("unaccounted_rows", "unaccounted_files", "duplicate_side_effects")
    missed = [name for name in zero if document[name] != 0]
    if document["live"] < document["goal"]:
        missed.insert(0, "live")
    return missed if document["ledger"]["verified"] else [*missed, "verified"]


def _of_a_pilot(of: Figures) -> dict[str, Any]:
    return {name: getattr(of, name) for name in OF_A_PILOT}


def _seconds(records: Iterable[Record]) -> float | None:
    times = [record.at for record in records if record.kind == "stage"]
    return round((max(times) - min(times)).total_seconds(), 3) if times else None
