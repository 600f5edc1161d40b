"""The rows of the live table: each pilot's stage, since when, what it waits for, what has moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from onboarding.ledger import Ledger
from onboarding.manifest import Manifest
from onboarding.messages import Language, text
from onboarding.programme.figures import KINDS, figures
from onboarding.programme.progress import where_of
from onboarding.spoken_times import spoken, spoken_length


@dataclass(frozen=True)
class PilotRow:
    """One pilot. `state` is as in the report; `waits_for` are sentences."""

    pilot: str
    name: str
    state: str
    since: datetime | None
    waits_for: tuple[str, ...]
    rows: int
    files: int


def rows(ledger: Ledger, manifests: Iterable[Manifest], language: Language) -> list[PilotRow]:
    """A row per manifest, in their order, as the ledger has it now."""
    return [_row(ledger, manifest, language) for manifest in manifests]


def _row(ledger: Ledger, manifest: Manifest, language: Language) -> PilotRow:
    records = ledger.records(pilot=manifest.id, kind=KINDS)
    place, found = where_of(records), figures(manifest, records)
    waits = tuple(wait.render(language) for wait in place.waits_for)
    name = getattr(manifest.name, language)
    return PilotRow(manifest.id, name, found.state, place.since, waits, found.rows, found.files)


def headings(language: Language) -> tuple[str, ...]:
    """The columns' names: pilot, state, since, rows, files, waits for."""
    return tuple(
        text(f"programme.table.{name}", language) for name in ("pilot", "state", "since", "rows", "files", "waits")
    )


def cells(row: PilotRow, now: datetime, language: Language) -> tuple[str, ...]:
    """A row as text, in the order of `headings`: since when and for how long, counts with separators."""
    since = "-" if row.since is None else f"{spoken(row.since, language)} ({spoken_length(now - row.since, language)})"
    state = text(f"programme.states.{row.state}", language)
    return row.pilot, state, since, f"{row.rows:,}", f"{row.files:,}", " · ".join(row.waits_for) or "-"


def lines(found: Sequence[PilotRow], now: datetime, language: Language) -> list[str]:
    """The whole table, tab-separated, for where nothing can be drawn."""
    return ["\t".join(headings(language)), *("\t".join(cells(row, now, language)) for row in found)]
