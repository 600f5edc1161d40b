"""The list for the people who confirm it: each candidate with its reason, in Thai and English, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onboarding.messages import Language, text
from onboarding.selection.candidates import Candidates
from onboarding.selection.criteria import Criteria

Proposal = Mapping[str, Any]

LANGUAGES: tuple[Language, ...] = ("th", "en")


def body(proposal: Proposal, candidates: Candidates, criteria: Criteria, requester: str, digest: str) -> str:
    """What the confirming person reads: the list in Thai, in English, the points, the stability, the digest."""
    parts = [_listed(proposal, candidates, criteria, requester, language) for language in LANGUAGES]
    stable = "\n\n".join(" ".join(stability_lines(proposal, criteria, language)) for language in LANGUAGES)
    return "\n\n".join([*parts, _points(proposal, criteria), stable, f"`SHA-256 {digest}`"])


def reason(entry: Mapping[str, Any], criteria: Criteria, language: Language) -> str:
    """Why this candidate is in or out, in a sentence or two; the conditions that it must still meet."""
    names = _names(criteria, language)
    values = {name: names.get(value, value) for name, value in entry["reason"]["values"].items()}
    told = [text(entry["reason"]["key"], language, **values)]
    if entry["tied"]:
        told.append(text("selection.reason.tied", language, others=", ".join(entry["tied"])))
    for condition in entry["conditions"]:
        what = text(f"{condition['key']}.what", language, **condition["values"])
        told.append(text("selection.reason.condition", language, what=what))
    return " ".join(told)


def stability_lines(proposal: Proposal, criteria: Criteria, language: Language) -> Iterator[str]:
    """Whether the list depends on the weights, and how far it is from doing so."""
    seen = proposal["stability"]
    swing = seen["swing_percent"]
    entry = "stable" if seen["stable"] else "unstable"
    yield text(
        f"selection.stability.{entry}", language, swing=swing, corners=seen["corners"], other=seen["other_lists"]
    )
    for pair in seen["pairs"] or ([seen["closest"]] if seen["closest"] else []):
        yield text(f"selection.stability.{'twins' if pair['twins'] else 'pair'}", language, **pair)
    names = _names(criteria, language)
    for change in seen["alone"]:
        told = {name: ", ".join(change[name]) for name in ("enters", "leaves")}
        criterion = names[change["criterion"]]
        yield text("selection.stability.alone", language, criterion=criterion, percent=change["percent"], **told)


def _names(criteria: Criteria, language: Language) -> dict[str, str]:
    return {criterion.id: getattr(criterion.name, language) for criterion in criteria.criteria}


def _listed(proposal: Proposal, candidates: Candidates, criteria: Criteria, requester: str, language: Language) -> str:
    names = {candidate.id: getattr(candidate.name, language) for candidate in candidates.candidates}
    headings = [text(f"selection.table.{name}", language) for name in ("rank", "service", "score", "place", "reason")]
    intro = text("selection.intro", language, requester=requester, places=proposal["places"], **proposal["versions"])
    if any(candidate.fictional for candidate in candidates.candidates):
        intro = f"{intro} {text('selection.fictional', language)}"
    rows = [
        (
            str(entry["rank"] or "-"),
            f"{entry['id']} {names[entry['id']]}",
            "-" if entry["score"] is None else f"{entry['score']:.2f}",
            text(f"selection.place.{entry['place']}", language),
            reason(entry, criteria, language),
        )
        for entry in proposal["candidates"]
    ]
    return "\n\n".join([intro, _table(headings, rows)])


def _points(proposal: Proposal, criteria: Criteria) -> str:
    """Points by criterion, 0 to 100, the weights in the head."""
    headings = ["", *(f"{one.name.th} · {one.name.en} ({one.weight})" for one in criteria.criteria)]
    rows = [
        (entry["id"], *(f"{entry['points'][one.id] / 10:.0f}" for one in criteria.criteria))
        for entry in proposal["candidates"]
        if entry["points"]
    ]
    return _table(headings, rows)


def _table(headings: list[str], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [tuple(headings), tuple("---" for _ in headings), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _cell(value: str) -> str:
    """Text that stays in its cell, whatever a file holds."""
    return value.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
