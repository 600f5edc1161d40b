"""Where a task's buttons in the Airflow UI lead."""

from __future__ import annotations

from airflow.sdk import BaseOperatorLink
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.types import TaskInstanceKey

from onboarding.manifest import Manifest
from onboarding_airflow.runbook_page import runbook_path


class DataDocs(BaseOperatorLink):
    """Opens the report on one database: what the move broke, and what was so before."""

    def __init__(self, pilot_id: str, workload: str) -> None:
        self.pilot_id, self.workload = pilot_id, workload

    @property
    def name(self) -> str:
        return f"Data Docs · {self.workload}"

    @property
    def xcom_key(self) -> str:
        """One per database; Airflow's own default is one per class."""
        return f"_link_DataDocs_{self.workload}"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002  (Airflow's signature)
        return f"/namrong/reports/{self.pilot_id}/{self.workload}/index.html"


class RunbookLink(BaseOperatorLink):
    """Opens the runbook: the night step by step, planned against actual."""

    name = "Runbook · แผนปฏิบัติการ"

    def __init__(self, pilot_id: str) -> None:
        self.pilot_id = pilot_id

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002  (Airflow's signature)
        return runbook_path(self.pilot_id)


def data_docs(manifest: Manifest) -> tuple[DataDocs, ...]:
    """One link per database that its manifest expects anything of."""
    return tuple(DataDocs(manifest.id, workload.name) for workload in manifest.databases if workload.expectations)
