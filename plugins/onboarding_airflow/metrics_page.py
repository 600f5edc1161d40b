"""The programme's measures for Prometheus, to whoever may read the programme's report."""

from __future__ import annotations

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import APIRouter, Depends, HTTPException, Response

from onboarding.programme.exposition import CONTENT_TYPE, exposition

REPORT = DagDetails(id="report_programme")


def may_read_programme(user: GetUserDep) -> None:
    """401 without a login; 403 for an agency's owner, who sees its own pilot only."""
    if not get_auth_manager().is_authorized_dag(method="GET", details=REPORT, user=user):
        raise HTTPException(403, "Forbidden")


router = APIRouter(dependencies=[Depends(may_read_programme)])


@router.get("/metrics")
def metrics() -> Response:
    """What holds now, read anew from the ledger."""
    from onboarding_airflow.emitting import measured

    return Response(exposition(measured()), headers={"Content-Type": CONTENT_TYPE})
