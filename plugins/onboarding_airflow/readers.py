"""Who is reading, and what Airflow's auth manager lets them see: asked pilot by pilot, of its DAG."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep
from fastapi import Depends

from onboarding.programme.view import Reader


@dataclass(frozen=True)
class Access:
    """One login's rights, as the auth manager tells them."""

    user: Any

    def may(self, pilot_id: str, entity: DagAccessEntity | None = None) -> bool:
        """Whether the pilot's DAG, or that part of it, may be read."""
        details = DagDetails(id=f"onboard_{pilot_id}")
        return get_auth_manager().is_authorized_dag(method="GET", access_entity=entity, details=details, user=self.user)

    def reader(self, pilots: Iterable[str]) -> Reader:
        """Which of these pilots may be seen, and whether their tasks' reasons too."""
        seen = frozenset(pilot for pilot in pilots if self.may(pilot))
        return Reader(seen, bool(seen) and all(self.may(pilot, DagAccessEntity.TASK_LOGS) for pilot in seen))


def access(user: GetUserDep) -> Access:
    """401 without a login."""
    return Access(user)


AccessDep = Annotated[Access, Depends(access)]
