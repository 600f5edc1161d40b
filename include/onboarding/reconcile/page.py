"""What a comparison found, as one page that needs nothing beside it: for reading, printing and filing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from onboarding.messages import Language, text
from onboarding.reconcile.files_report import FileDifference, FilesComparison, named_files
from onboarding.reconcile.merging import RowDifference
from onboarding.reconcile.pseudonyms import Pseudonyms
from onboarding.reconcile.report import Comparison
from onboarding.reconcile.tables import TableComparison
from onboarding.spoken_times import spoken

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).resolve().parent / "templates"

# A page is for reading: so many rows of a table are named on it, and how many more there are.
NAMED_ON_PAGE = 200


@dataclass(frozen=True)
class Occasion:
    """What was compared with what (addresses without passwords), and from when to when."""

    source: str
    target: str
    began: datetime
    ended: datetime


def as_document(found: Comparison | FilesComparison, names: Pseudonyms) -> str:
    """The JSON report as it is written; the page quotes its SHA-256."""
    return json.dumps(found.as_json(names), indent=1, ensure_ascii=False) + "\n"


def page(
    found: Comparison | FilesComparison,
    occasion: Occasion,
    language: Language,
    names: Pseudonyms,
    *,
    keys: bool = False,
) -> str:
    """An HTML page in one language, without scripts and without anything from elsewhere.

    Rows and files that differ are named by their pseudonyms; with `keys` in clear, and the page says so:
    personal data may be among them.
    """

    def say(key: str, **values: object) -> str:
        return text(key, language, **values)

    template = "files.html" if isinstance(found, FilesComparison) else "databases.html"
    return _templates().get_template(template).render(
        found=found, occasion=occasion, keys=keys, lang=language, say=say, most=NAMED_ON_PAGE, verdict=verdict(found),
        spoken=lambda at: spoken(at, language), names=names,
        digest=hashlib.sha256(as_document(found, names).encode()).hexdigest(),
        **(_parts(found) if isinstance(found, Comparison) else {"listed": listed}),
    )  # fmt: skip


def verdict(found: Comparison | FilesComparison) -> Literal["equal", "differs", "unknown"]:
    """In one word; unknown where nothing was seen to differ, and not everything was read."""
    if found.equal:
        return "equal"
    if isinstance(found, FilesComparison):
        seen = found.unaccounted_files - found.count("unread")
    else:
        seen = found.object_differences + sum(not (table.equal or table.unknown) for table in found.tables)
    return "differs" if seen else "unknown"


def _parts(found: Comparison) -> dict[str, Any]:
    """What the page of two databases has beside what every page has; lines are name, problem, in what."""
    return {
        "name_of": name_of,
        "balances": balances,
        "differing": [table for table in found.tables if not (table.equal or table.unknown)],
        "unread": {part.what for part in found.unread},
        "of_objects": [
            (f"{one.kind} {one.name}", one.problem, ", ".join(one.attributes)) for one in found.objects.differences
        ],
        "of_sequences": [
            (one.sequence, one.problem, f"{_figure(one.source_next)} → {_figure(one.target_next)}")
            for one in found.sequences.differences
        ],
        "of_large_objects": [(str(one.number), one.problem, "") for one in found.large_objects.differences],
    }


def balances(table: TableComparison) -> bool | None:
    """Whether what differs explains the counts: source = target + missing - extra - duplicated. None: not known."""
    if table.source_rows is None or table.target_rows is None:
        return None
    seen = table.differences
    return table.source_rows == table.target_rows + seen.missing - seen.extra - seen.duplicated


def name_of(row: RowDifference, key: Sequence[str], names: Pseudonyms, *, clear: bool) -> str:
    """What names a row: its key, a pseudonym for that, or the place where a row without a key lies."""
    if not row.key:
        return f"ctid {row.place}"
    if not clear:
        return names.of(row.digest)
    return ", ".join(f"{name} = {value}" for name, value in zip(key, row.key, strict=True))


def listed(found: FilesComparison, names: Pseudonyms, *, clear: bool) -> Sequence[tuple[str, str]]:
    """Problem and name of every file that differs, as many as a page has room for."""
    if clear:
        return list(named_files(found))[:NAMED_ON_PAGE]
    differing: Sequence[FileDifference] = found.differences[:NAMED_ON_PAGE]
    return [(one.problem, names.of(one.digest)) for one in differing]


@cache
def _templates() -> jinja2.Environment:
    import jinja2  # 0.05 s, for those who ask for a page

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    environment.filters["figure"] = _figure
    return environment


def _figure(number: Any) -> str:
    """`1,234`, or a dash for what is not known."""
    return "–" if number is None else f"{number:,}"
