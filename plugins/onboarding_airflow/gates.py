"""The one gate: a deferrable sensor that asks the world, and its trigger that goes on asking."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import attrs
from airflow.sdk import BaseOperatorLink, BaseSensorOperator, Context
from airflow.sdk.bases.operator import BaseOperator
from airflow.sdk.exceptions import AirflowFailException
from airflow.sdk.types import TaskInstanceKey
from airflow.triggers.base import BaseTrigger, TriggerEvent

from onboarding.aws_errors import action_for, explained
from onboarding.gates import Verdict, render
from onboarding.messages import Language, text
from onboarding.observations import Answer
from onboarding.spoken_times import spoken_length
from onboarding_airflow.pilots import open_pilot

log = logging.getLogger(__name__)


def gate_path(pilot_id: str, gate: str) -> str:
    """Where the live reason of a gate is read, below the address of the Airflow UI."""
    return f"/namrong/gates/{pilot_id}/{gate}"


@attrs.define()
class LiveReason(BaseOperatorLink):
    """Opens what the gate sees now: each check, what was observed, expected, when, and what to do."""

    name = "Live reason · เหตุผลล่าสุด"

    def get_link(self, operator: BaseOperator, *, ti_key: TaskInstanceKey) -> str:  # noqa: ARG002
        return gate_path(operator.pilot_id, operator.gate) if isinstance(operator, GateSensor) else ""


def ask(pilot_id: str, gate: str, run: str, *, last: bool = False) -> Verdict:
    """One look at the world, written to the ledger. `gate` is one of `onboarding.stages.gates.GATES`."""
    questions = importlib.import_module("onboarding.stages.gates")
    return questions.ask(open_pilot(pilot_id, run), gate, last=last)  # type: ignore[no-any-return]


class GateTrigger(BaseTrigger):
    """Asks every `poll_s` seconds until the answer is pass or fail, or the deadline has passed."""

    def __init__(self, *, pilot_id: str, gate: str, run: str, poll_s: float, deadline: float) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Airflow's own
        self.pilot_id, self.gate, self.run_name, self.poll_s, self.deadline = pilot_id, gate, run, poll_s, deadline

    def serialize(self) -> tuple[str, dict[str, Any]]:
        keywords = {"pilot_id": self.pilot_id, "gate": self.gate, "run": self.run_name}
        return "onboarding_airflow.gates.GateTrigger", keywords | {"poll_s": self.poll_s, "deadline": self.deadline}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        while True:
            # Waits first: the sensor has just asked, and Airflow fails a task that resumes before its worker let go.
            await asyncio.sleep(self.poll_s)
            over = datetime.now(UTC).timestamp() >= self.deadline
            told = await asyncio.to_thread(self._look, last=over)
            if told is not None:
                yield TriggerEvent(told)  # type: ignore[no-untyped-call]  # Airflow's own
                return

    def _look(self, *, last: bool) -> dict[str, str] | None:
        """What to tell the task, None to look again. Passing trouble (a ledger that restarts) is no answer yet."""
        try:
            verdict = ask(self.pilot_id, self.gate, self.run_name, last=last)
        except Exception as failure:
            log.warning("gate %s of %s", self.gate, self.pilot_id, exc_info=failure)
            if action_for(failure) in ("retry", "adopt") and not last:
                return None
            told = explained(failure)
            return {"answer": str(Answer.FAIL), "th": told.render("th"), "en": told.render("en")}
        if verdict.answer is Answer.UNKNOWN and not last:
            return None
        return {"answer": str(verdict.answer), "th": render(verdict, "th"), "en": render(verdict, "en")}


class GateSensor(BaseSensorOperator):
    """Opens when every check of the gate passes; fails at once on a fail; waits on unknown to its deadline."""

    template_fields: Sequence[str] = ()
    operator_extra_links = (LiveReason(),)

    def __init__(self, *, pilot_id: str, gate: str, deadline: timedelta, poll: timedelta, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pilot_id, self.gate, self.within, self.poll = pilot_id, gate, deadline, poll

    def execute(self, context: Context) -> None:
        run = str(context["ti"].run_id)
        context["ti"].xcom_push(key=LiveReason().xcom_key, value=gate_path(self.pilot_id, self.gate))
        verdict = ask(self.pilot_id, self.gate, run)
        if verdict.answer is not Answer.UNKNOWN:
            self._conclude(str(verdict.answer), render(verdict, "th"), render(verdict, "en"))
            return
        self.log.info("%s", render(verdict, "en"))
        deadline = datetime.now(UTC) + self.within
        self.defer(
            trigger=GateTrigger(
                pilot_id=self.pilot_id,
                gate=self.gate,
                run=run,
                poll_s=self.poll.total_seconds(),
                deadline=deadline.timestamp(),
            ),
            method_name="execute_complete",
        )

    def execute_complete(self, context: Context, event: dict[str, str]) -> None:  # noqa: ARG002
        th, en = event["th"], event["en"]
        if event["answer"] == Answer.UNKNOWN:
            th, en = f"{th}\n{self._too_late('th')}", f"{en}\n{self._too_late('en')}"
        self._conclude(event["answer"], th, en)

    def _too_late(self, language: Language) -> str:
        deadline = spoken_length(self.within, language)
        return " → ".join(text(f"gates.deadline.{part}", language, deadline=deadline) for part in ("what", "remedy"))

    def _conclude(self, answer: str, th: str, en: str) -> None:
        self.log.info("%s", th)
        self.log.info("%s", en)
        if answer != Answer.PASS:
            raise AirflowFailException(en)
