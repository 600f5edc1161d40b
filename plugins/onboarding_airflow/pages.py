"""Namrong's pages in the Airflow UI. Every route asks who is there and whether they may read that pilot's DAG."""

from __future__ import annotations

import html
import mimetypes
from functools import cache
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends, FastAPI, HTTPException, Path, Response
from fastapi.responses import HTMLResponse

from onboarding.messages import Language, text
from onboarding.stages import reading

PilotId = Annotated[str, Path(pattern="^p[0-9]{2,4}$")]
GateName = Annotated[str, Path(pattern="^[a-z_]{1,40}$")]

NOTHING_FROM_OUTSIDE = "default-src 'self' 'unsafe-inline' data:; connect-src 'none'; frame-ancestors 'self'"
COLUMNS = ("check", "observed", "expected", "at", "todo")
SIGN = {"pass": "✔", "fail": "✘", "unknown": "…"}
STYLE = """
:root{color-scheme:light dark;font:16px/1.6 system-ui,sans-serif}
body{max-width:60rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;width:100%}
td,th{border-bottom:1px solid #8884;padding:.4rem;text-align:left;vertical-align:top}
.pass{color:#178a3a}.fail{color:#c62828}.unknown{color:#a86b00}code{overflow-wrap:anywhere}
.sandbox{background:#ffb30033;padding:.3rem .6rem;border-radius:.3rem}
"""


def may_read(pilot_id: PilotId, user: GetUserDep) -> str:
    """The pilot's id, once the reader turned out to be allowed to read its DAG. 403 otherwise."""
    details = DagDetails(id=f"onboard_{pilot_id}")
    if not get_auth_manager().is_authorized_dag(method="GET", details=details, user=user):
        raise HTTPException(403, "Forbidden")
    return pilot_id


Readable = Annotated[str, Depends(may_read)]


@cache
def app() -> FastAPI:
    """The application mounted at /namrong; no documentation routes, which would be anonymous."""
    pages = FastAPI(title="Namrong", docs_url=None, redoc_url=None, openapi_url=None)

    @pages.get("/gates/{pilot_id}/{gate}", response_class=HTMLResponse)
    def gate(pilot_id: Readable, gate: GateName, lang: Language = "th") -> str:
        """What a gate saw last, each check with its remedy; read anew from the ledger, every five seconds."""
        from onboarding_airflow.server_side import ledger, settings

        checks = reading.last_seen(ledger(), pilot_id, gate)
        return _page(pilot_id, gate, checks, lang, sandbox=settings().sandbox)

    @pages.get("/reports/{pilot_id}/{path:path}")
    def report(pilot_id: Readable, path: str) -> Response:
        """A file of the pilot's validation reports (Great Expectations' Data Docs), out of the evidence bucket."""
        from onboarding_airflow.server_side import evidence_bucket, management

        content = reading.report_file(management().client("s3"), evidence_bucket(), pilot_id, path)
        if content is None:
            raise HTTPException(404, "Not found")
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        return Response(content, media_type=kind, headers={"Content-Security-Policy": NOTHING_FROM_OUTSIDE})

    return pages


def _page(pilot_id: str, gate: str, checks: list[dict[str, Any]], lang: Language, *, sandbox: bool) -> str:
    rows = "".join(_row(check, lang) for check in checks)
    other: Language = "en" if lang == "th" else "th"
    stamp = f'<p class="sandbox">{text("pages.sandbox", lang)}</p>' if sandbox else ""
    head = "".join(f"<th>{text(f'pages.{name}', lang)}</th>" for name in COLUMNS)
    empty = "" if checks else f"<p>{text('pages.nothing_yet', lang)}</p>"
    return f"""<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<meta name="viewport" content="width=device-width,initial-scale=1"><title>{pilot_id} · {gate}</title>
<style>{STYLE}</style></head>
<body><p><a href="?lang={other}">{text("pages.other_language", lang)}</a></p>{stamp}
<h1>{pilot_id} · {text("pages.gate", lang)} {html.escape(gate)}</h1>{empty}
<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></body></html>"""


def _row(check: dict[str, Any], lang: Language) -> str:
    answer = check["answer"]
    cells = (check["check"], check["observed"], check["expected"], check["at"], check[f"todo_{lang}"])
    shown = [html.escape(str(cell)) for cell in cells]
    return (
        f'<tr><td><span class="{answer}" aria-label="{answer}">{SIGN[answer]}</span> {shown[0]}</td>'
        f"<td><code>{shown[1]}</code></td><td><code>{shown[2]}</code></td><td>{shown[3]}</td><td>{shown[4]}</td></tr>"
    )
