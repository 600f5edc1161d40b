"""Holds a source's exported snapshot open while mapped tasks copy from it: in the triggerer, never in a worker slot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowException, AirflowFailException
from airflow.triggers.base import BaseTrigger, TriggerEvent

from onboarding.errors import OnboardingError
from onboarding.stages import loading, moment
from onboarding_airflow.outcomes import mend, opened, passes, tell
from onboarding_airflow.pilots import open_pilot

POLL_S = 1.0


class SnapshotTrigger(BaseTrigger):
    """Opens a snapshot, writes its id to the ledger, and keeps it until the load is finished or given up."""

    def __init__(self, *, pilot_id: str, workload: str, kind: str, run: str, task: str) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.pilot_id, self.workload, self.kind, self.run_name, self.task_name = pilot_id, workload, kind, run, task

    def serialize(self) -> tuple[str, dict[str, Any]]:
        about = {"pilot_id": self.pilot_id, "workload": self.workload, "kind": self.kind}
        return "onboarding_airflow.snapshots.SnapshotTrigger", {**about, "run": self.run_name, "task": self.task_name}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        pilot = await asyncio.to_thread(open_pilot, self.pilot_id, self.run_name)
        about = pilot, self.workload, self.kind
        held: moment.Held | None = None
        event: dict[str, Any] = {}
        try:
            held = await asyncio.to_thread(moment.hold, *about)
            await asyncio.to_thread(mend, pilot, self.task_name)
            while held is not None:
                await asyncio.sleep(POLL_S)
                held = await asyncio.to_thread(moment.go_on_holding, *about, held)
        except OnboardingError as failure:
            told = await asyncio.to_thread(tell, pilot, self.task_name, failure)
            event = {"error": told.render("en"), "passes": passes(failure)}
        finally:
            if held is not None:
                await asyncio.to_thread(held.close)
        yield TriggerEvent(event)  # type: ignore[no-untyped-call]  # Airflow's own


class HoldSnapshot(BaseOperator):
    """One snapshot for all units of a load, so that they see one moment of the source."""

    def __init__(self, *, pilot_id: str, workload: str, kind: str, within: timedelta, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pilot_id, self.workload, self.kind, self.within = pilot_id, workload, kind, within

    def execute(self, context: Context) -> None:
        with opened(self.pilot_id, context) as pilot:
            loading.begin_anew_if_unproven(pilot, self.workload, self.kind)
        self.defer(
            trigger=SnapshotTrigger(
                pilot_id=self.pilot_id,
                workload=self.workload,
                kind=self.kind,
                run=str(context["ti"].run_id),
                task=self.task_id,
            ),
            method_name="execute_complete",
            timeout=self.within,
        )

    def execute_complete(self, context: Context, event: dict[str, Any]) -> None:  # noqa: ARG002
        if "error" in event:
            raise AirflowException(event["error"]) if event["passes"] else AirflowFailException(event["error"])
