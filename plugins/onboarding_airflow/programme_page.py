"""The programme view: a page, the same as JSON, and the files that both need. Reads the ledger, keeps up with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Annotated, Any

import jinja2
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Cookie, Header, HTTPException, Response

from onboarding.errors import OnboardingError
from onboarding.manifests import Loaded
from onboarding.messages import Language, text
from onboarding.programme.lanes import About
from onboarding.programme.reading import Programme, Reading
from onboarding.programme.rules import load_rules
from onboarding.programme.view import Reader, known_pilots, view
from onboarding.selection.standing import refused_candidates
from onboarding_airflow.burn_up_chart import chart
from onboarding_airflow.pilots import loaded
from onboarding_airflow.readers import AccessDep

HERE = Path(__file__).resolve().parent
STATIC: Mapping[str, str] = {
    "programme.css": "text/css", "programme.js": "text/javascript", "theme.js": "text/javascript",
    "card.js": "text/javascript", "frame.js": "text/javascript", "programme.svg": "image/svg+xml",
    "programme-dark.svg": "image/svg+xml",
}  # fmt: skip
RENEWED_S = 30
"""What changes with time alone (an overdue stage, lengths so far) is computed anew this often."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
HEADERS = {
    "Content-Security-Policy": POLICY, "Cache-Control": "private, no-cache", "Vary": "Cookie, Authorization",
    "X-Content-Type-Options": "nosniff", "Referrer-Policy": "same-origin",
}  # fmt: skip
UNITS = ("days", "hours", "minutes", "seconds")

router = APIRouter()
ChosenLanguage = Annotated[Language | None, Cookie(alias="namrong_lang")]
Known = Annotated[str | None, Header(alias="If-None-Match")]


@router.get("/programme")
def page(
    access: AccessDep, lang: Language | None = None, chosen: ChosenLanguage = None, known: Known = None
) -> Response:
    """Where every pilot stands that the reader may see. Works without scripts; a script keeps it current."""
    language: Language = lang or chosen or "th"
    try:
        answer = _answer(access, language, known, _page, "text/html")
    except OnboardingError:
        answer = Response(_unavailable(language), 503, HEADERS, "text/html")
    if lang is not None:
        answer.set_cookie("namrong_lang", lang, max_age=31_536_000, samesite="lax", httponly=True)
    return answer


@router.get("/programme.json")
def document(
    access: AccessDep, lang: Language | None = None, chosen: ChosenLanguage = None, known: Known = None
) -> Response:
    """The same figures as a JSON document, for the card on the home page and for whoever counts them again."""
    try:
        return _answer(access, lang or chosen or "th", known, _json, "application/json")
    except OnboardingError as failure:
        raise HTTPException(503, "The ledger does not answer") from failure


@router.get("/static/{name}")
def static(name: str, user: GetUserDep) -> Response:  # noqa: ARG001  (no file for nobody)
    """A script, style or picture of these pages."""
    if name not in STATIC:
        raise HTTPException(404, "Not found")
    content = (HERE / "static" / name).read_bytes()
    return Response(content, media_type=STATIC[name], headers={**HEADERS, "Cache-Control": "private, max-age=60"})


def _answer(access: AccessDep, language: Language, known: str | None, render: Any, kind: str) -> Response:
    """The view for this reader, or 304 when nothing of it has changed since `known`."""
    from onboarding_airflow.server_side import ledger, settings

    now, sandbox, on_file = ledger().now(), settings().sandbox, _on_file()
    with _reading().current() as programme:
        abouts = on_file.abouts.values()
        reader = access.reader(known_pilots(programme, abouts))
        etag = _etag(programme, on_file.stamp, reader, language, now, kind)
        if known == etag:
            return Response(None, 304, {**HEADERS, "ETag": etag})
        refused = refused_candidates(ledger())
        told = view(programme, abouts, load_rules(), reader, language, now, sandbox=sandbox, refused_candidates=refused)
    return Response(render(told, language, now), media_type=kind, headers={**HEADERS, "ETag": etag})


@cache
def _reading() -> Reading:
    from onboarding_airflow.server_side import ledger

    return Reading(ledger())


@dataclass(frozen=True)
class _OnFile:
    """What the manifests on file say; `stamp` changes when they do."""

    abouts: Mapping[str, About]
    stamp: str


def _on_file() -> _OnFile:
    return _told_of(_Same(loaded()))


class _Same:
    """Loaded manifests as a key: the same object is the same content (`pilots.loaded` says when it is)."""

    def __init__(self, manifests: Loaded) -> None:
        self.manifests = manifests

    def __hash__(self) -> int:
        return id(self.manifests)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.manifests is self.manifests


@lru_cache(maxsize=1)
def _told_of(same: _Same) -> _OnFile:
    abouts = {pilot: About.of(manifest) for pilot, manifest in same.manifests.manifests.items()}
    return _OnFile(abouts, hashlib.sha256(repr(abouts).encode()).hexdigest())


def _etag(programme: Programme, stamp: str, reader: Reader, language: Language, now: datetime, kind: str) -> str:
    """Says the same exactly when the answer would be the same, but for what RENEWED_S of time changes."""
    seen = sorted(reader.pilots or ())
    parts = programme.hash, stamp, seen, reader.task_reasons, language, kind, int(now.timestamp()) // RENEWED_S
    return f'"{hashlib.sha256(repr(parts).encode()).hexdigest()[:32]}"'


def _json(told: Mapping[str, Any], language: Language, now: datetime) -> str:  # noqa: ARG001  (as `_page`)
    return json.dumps(told, ensure_ascii=False)


def _page(told: Mapping[str, Any], language: Language, now: datetime) -> str:
    drawn = chart(told["burn_up"], told["goal"], now)
    counted = [(name, text(f"view.counts.{name}", language)) for name in told["counts"]]
    page = _templates().get_template("programme.html")
    return page.render(_words(language), told=told, chart=drawn, counted=counted)


def _unavailable(language: Language) -> str:
    return _templates().get_template("unavailable.html").render(_words(language))


def _words(language: Language) -> dict[str, Any]:
    def say(key: str, **values: object) -> str:
        return text(key, language, **values)

    units = {unit: text(f"programme.units.{unit}", language, n="{n}") for unit in UNITS}
    return {"say": say, "lang": language, "other": "en" if language == "th" else "th", "units": json.dumps(units)}


@cache
def _templates() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE / "templates"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
