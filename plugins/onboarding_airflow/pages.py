"""Namrong's pages in the Airflow UI. Every route asks who is there and whether they may read that pilot's DAG."""

from __future__ import annotations

import mimetypes
from functools import cache
from typing import Annotated

from airflow.api_fastapi.core_api.security import get_user
from fastapi import Depends, FastAPI, HTTPException, Path, Response
from fastapi.responses import HTMLResponse

from onboarding.messages import Language
from onboarding.stages import reading
from onboarding.stages.gates import GATES
from onboarding_airflow import metrics_page, programme_page
from onboarding_airflow.gate_page import gate_page, headed
from onboarding_airflow.pilots import loaded
from onboarding_airflow.readers import AccessDep
from onboarding_airflow.runbook_page import runbook_page

PilotId = Annotated[str, Path(pattern="^p[0-9]{2,4}$")]
GateName = Annotated[str, Path(pattern="^[a-z_]{1,40}$")]

NOTHING_FROM_OUTSIDE = "default-src 'self' 'unsafe-inline' data:; connect-src 'none'; frame-ancestors 'self'"


def may_read(pilot_id: PilotId, access: AccessDep) -> str:
    """The pilot's id, once the reader turned out to be allowed to read its DAG. 403 otherwise."""
    if not access.may(pilot_id):
        raise HTTPException(403, "Forbidden")
    return pilot_id


Readable = Annotated[str, Depends(may_read)]


@cache
def app() -> FastAPI:
    """The application mounted at /namrong; no documentation routes, which would be anonymous."""
    pages = FastAPI(title="Namrong", docs_url=None, redoc_url=None, openapi_url=None, dependencies=[Depends(get_user)])
    pages.include_router(programme_page.router)
    pages.include_router(metrics_page.router)

    @pages.get("/gates/{pilot_id}/{gate}", response_class=HTMLResponse)
    def gate(pilot_id: Readable, gate: GateName, lang: Language = "th") -> str:
        """What a gate saw last, each check with its remedy; read anew from the ledger, every five seconds."""
        from onboarding_airflow.server_side import ledger, settings

        manifest = loaded().manifests.get(pilot_id)
        if manifest is None or gate not in GATES:
            raise HTTPException(404, "Not found")
        seen = reading.last_seen(ledger(), pilot_id, gate)
        return gate_page(pilot_id, getattr(manifest.name, lang), gate, seen, lang, sandbox=settings().sandbox)

    @pages.get("/runbooks/{pilot_id}", response_class=HTMLResponse)
    def runbook(pilot_id: Readable, lang: Language = "th") -> HTMLResponse:
        """The night and the way back, step by step: owner, success, planned against what it really took."""
        from onboarding_airflow.server_side import ledger, settings

        manifest = loaded().manifests.get(pilot_id)
        if manifest is None:
            raise HTTPException(404, "Not found")
        name, told = getattr(manifest.name, lang), reading.runbook_of(ledger(), manifest)
        shown = runbook_page(pilot_id, name, told, lang, sandbox=settings().sandbox)
        return HTMLResponse(shown, headers={"Content-Security-Policy": NOTHING_FROM_OUTSIDE})

    @pages.get("/reports/{pilot_id}/{path:path}")
    def report(pilot_id: Readable, path: str) -> Response:
        """A file of the pilot's validation reports (Great Expectations' Data Docs), out of the evidence bucket."""
        from onboarding_airflow.server_side import evidence_bucket, management, settings

        content = reading.report_file(management().client("s3"), evidence_bucket(), pilot_id, path)
        if content is None:
            raise HTTPException(404, "Not found")
        kind = mimetypes.guess_type(path)[0] or "application/octet-stream"
        if kind == "text/html":
            content = headed(content, path, sandbox=settings().sandbox)
        return Response(content, media_type=kind, headers={"Content-Security-Policy": NOTHING_FROM_OUTSIDE})

    return pages
