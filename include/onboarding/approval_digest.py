"""What an approval is given on: one digest of manifest, plan and evidence."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from onboarding.errors import Stop
from onboarding.ledger import Ledger
from onboarding.records import Record, canonical

# What an approval rests on: written again between the rehearsal and the freeze, it makes another digest.
PROOFS = frozenset(
    {"moved_rows", "moved_files", "reconciled", "readiness", "expectations", "golden", "backup", "restore_drill"}
)


def evidence_digest(ledger: Ledger, pilot: str) -> str:
    """SHA-256 (hex) over the pilot's own records up to its last rehearsal.

    Proofs made anew between the rehearsal and the freeze count too: changed evidence voids.

    Other pilots' records, gates that look again and the approvals themselves do not change it. Raises Stop when
    nothing was rehearsed yet.
    """
    records = ledger.records(pilot=pilot)
    rehearsed = max((place for place, record in enumerate(records) if record.kind == "rehearsal"), default=None)
    if rehearsed is None:
        raise Stop("approvals.not_rehearsed", where=pilot)
    counted = records[: rehearsed + 1]
    for record in records[rehearsed + 1 :]:
        if _freezes(record):
            break
        if record.kind in PROOFS:
            counted.append(record)
    return hashlib.sha256("".join(record.hash for record in counted).encode()).hexdigest()


def _freezes(record: Record) -> bool:
    return record.kind == "freeze" or (record.kind == "cutover" and record.body["to"] == "FROZEN")


def digest(manifest_digest: str, plan: Mapping[str, Any], evidence: str) -> str:
    """What an approval is given on: manifest, plan and evidence as one SHA-256 (hex)."""
    return hashlib.sha256(canonical({"manifest": manifest_digest, "plan": plan, "evidence": evidence})).hexdigest()
