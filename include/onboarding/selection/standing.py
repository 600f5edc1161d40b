"""Whether the list that people confirmed still stands, and what it says of one pilot: read from the ledger only."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from onboarding import approvals
from onboarding.evidence_kinds import Selected
from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.observations import Answer, Observation
from onboarding.selection.candidates import Candidates
from onboarding.selection.proposal import Files, entry_of, read_files

PROGRAMME = "programme"
"""Whose records these are in the ledger, where a pilot's id stands otherwise."""

SELECTION = "selection"
"""The purpose that people are asked for."""

IMPACTS = ("low", "moderate", "high")

CHECK = "programme.chosen"


def standing_selection(ledger: Ledger) -> Selected | None:
    """The newest recorded list, as long as nobody said no to it since; whether its files changed is asked elsewhere."""
    last = ledger.latest(PROGRAMME, Selected.KIND)
    if last is None:
        return None
    selected = Selected.of(last)
    return selected if approvals.standing(ledger, PROGRAMME, selected.digest, purpose=SELECTION) else None


def refused_candidates(ledger: Ledger) -> frozenset[str]:
    """The candidates that policy refused, by the standing list."""
    selected = standing_selection(ledger)
    entries = selected.proposal["candidates"] if selected else ()
    return frozenset(entry["id"] for entry in entries if entry["place"] == "refused")


def observe_chosen(ledger: Ledger, manifest: Manifest, now: datetime, files: Files | None = None) -> Observation:
    """Pass when the confirmed list has a place for this pilot, its files are unchanged, and it is the same service.

    Never unknown: without a list, or with a void one, nobody has chosen this pilot, and the answer is no.
    """
    if ledger.latest(PROGRAMME, Selected.KIND) is None:
        return _no("selection.none", "no list was recorded", now)
    selected = standing_selection(ledger)
    if selected is None:
        return _no("selection.taken_back", "an approver said no to the list since", now)
    files = files or read_files()
    if selected.proposal["files"] != files.digest():
        return _no("selection.void", "candidates, criteria or policy changed since", now)
    entry = entry_of(selected.proposal, manifest.id)
    if entry is None:
        return _no("selection.no_candidate", f"{manifest.id} is no candidate", now, id=manifest.id)
    if entry["place"] != "chosen":
        # An agency's owner reads this: figures of its own service only, no other candidate's name.
        told = {name: value for name, value in entry["reason"]["values"].items() if name != "last"}
        return _no(f"selection.{entry['place']}", entry["place"], now, id=manifest.id, **told)
    if (other := _another(manifest, files.candidates)) is not None:
        return _no("selection.another", other, now, id=manifest.id, found=other)
    place = f"chosen, {entry['rank']} of {entry['reason']['values']['ranked']}"
    return Observation(CHECK, Answer.PASS, place, "chosen", now)


def _no(why: str, observed: str, now: datetime, **values: Any) -> Observation:
    return Observation(CHECK, Answer.FAIL, observed, "chosen", now, why, values)


def _another(manifest: Manifest, candidates: Candidates) -> str | None:
    """What the manifest asks for beyond what was chosen: another class of data, or a higher impact."""
    offered = next(one.data for one in candidates.candidates if one.id == manifest.id)
    asked = manifest.data
    higher = IMPACTS.index(asked.impact) > IMPACTS.index(offered.impact)
    if asked.classification == offered.classification and not higher:
        return None
    return f"{asked.classification}/{asked.impact}, chosen as {offered.classification}/{offered.impact}"
