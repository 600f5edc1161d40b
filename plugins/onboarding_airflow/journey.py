"""The few shapes that a journey is made of: a step, a gate, an approval, an upload, a load."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from airflow.sdk import DAG, BaseOperatorLink, Param, TaskGroup, chain
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.definitions.xcom_arg import XComArg

from onboarding.manifest import DatabaseWorkload, Manifest
from onboarding.manifest_files import FilesWorkload
from onboarding.stages import decision, loading, rehearsing, uploading, validation
from onboarding.stages.gates import GATES
from onboarding_airflow import weights
from onboarding_airflow.approval import CutoverApproval
from onboarding_airflow.gates import GateSensor
from onboarding_airflow.links import RunbookLink, data_docs
from onboarding_airflow.outcomes import BY_CAUSE, RETRIES, RETRY_DELAY
from onboarding_airflow.snapshots import HoldSnapshot
from onboarding_airflow.steps import step

LOAD_DEADLINE = timedelta(days=2)
APPROVAL_DEADLINE = timedelta(days=14)


class Journey:
    """Makes the tasks of one pilot."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest

    @staticmethod
    def access(manifest: Manifest) -> Mapping[str, Mapping[str, set[str]]]:
        """The agency owner reads its own pilot's DAG; FAB makes no other one visible to that role."""
        return {f"AgencyOwner_{manifest.id}": {"DAGs": {"can_read"}, "DAG Runs": {"can_read"}}}

    def dag(
        self,
        dag_id: str,
        title: str,
        what: str,
        *,
        tag: str,
        doc: str,
        weight: Mapping[str, Any],
        params: Mapping[str, Param] | None = None,
    ) -> DAG:
        """A DAG of this pilot: started by hand, one run at a time; `title` and `what` are said to people."""
        fictional = ["สมมติ"] if self.manifest.fictional else []
        return DAG(
            dag_id=dag_id,
            dag_display_name=f"{self.manifest.id} · {title}",
            description=what,
            schedule=None,
            max_active_runs=1,
            default_args={"owner": self.manifest.agency.id, **weight},
            catchup=False,
            tags=[tag, self.manifest.id, *fictional],
            access_control=self.access(self.manifest),
            doc_md=doc,
            params=dict(params or {}),
        )

    def do(self, function: Callable[..., Any], **task_arguments: Any) -> XComArg:
        return step(function, self.manifest.id, **task_arguments)

    def expect(self) -> XComArg:
        """The expectations on both sides, with a link to each report."""
        return _linked(self.do(validation.expect), data_docs(self.manifest))

    def rehearse(self) -> XComArg:
        """The rehearsal, with a link to the runbook that it makes."""
        return _linked(self.do(rehearsing.rehearse), (RunbookLink(self.manifest.id),))

    def gate(self, name: str) -> GateSensor:
        described = GATES[name]
        return GateSensor(
            task_id=f"gate_{name}",
            pilot_id=self.manifest.id,
            gate=name,
            deadline=described.deadline,
            poll=described.poll,
            doc_md=described.question,
            **BY_CAUSE,
        )

    def approval(self, ordinal: int, purpose: str = decision.CUTOVER) -> CutoverApproval:
        return CutoverApproval(
            task_id=f"approve_{purpose}_{ordinal}",
            pilot_id=self.manifest.id,
            purpose=purpose,
            ordinal=ordinal,
            subject=decision.subject(self.manifest, purpose, ordinal),
            response_timeout=APPROVAL_DEADLINE,
        )

    def upload(self, workload: FilesWorkload, *, after: BaseOperator) -> XComArg:
        """A folder to its bucket, one mapped unit per batch."""
        with TaskGroup(_group(workload)):
            planned = self.do(uploading.plan_files, given={"workload": workload.name})
            moved = self.do(
                uploading.move_files,
                over=planned,
                given={"workload": workload.name},
                max_active_tis_per_dagrun=workload.batches,
            )
            chain(after, planned)
        return moved

    def load(self, workload: DatabaseWorkload, kind: str, *, after: BaseOperator | XComArg) -> XComArg:
        """A database to its instance from one snapshot, one mapped unit per shard; see `stages.loading`."""
        given = {"workload": workload.name, "kind": kind}
        with TaskGroup(_group(workload)):
            held = HoldSnapshot(
                task_id="hold_snapshot",
                pilot_id=self.manifest.id,
                workload=workload.name,
                kind=kind,
                within=LOAD_DEADLINE,
                priority_weight=weights.HOLDER,
                retries=RETRIES,
                retry_delay=RETRY_DELAY,
            )
            prepared = self.do(loading.prepare_load, given=given)
            copied = self.do(loading.copy_rows, over=prepared, given=given, max_active_tis_per_dagrun=workload.shards)
            finished = self.do(loading.finish_load, given=given, trigger_rule="none_failed")
            chain(after, [held, prepared])
            chain(copied, finished)
        return finished


def _linked(done: XComArg, links: Sequence[BaseOperatorLink]) -> XComArg:
    for task, _ in done.iter_references():
        task.operator_extra_links = tuple(links)
    return done


def _group(workload: DatabaseWorkload | FilesWorkload) -> str:
    """E.g. "copy_registry": the engine before the name keeps a workload called like a task from colliding with it."""
    return f"{workload.engine}_{workload.name}"
