"""A person's go or no-go, asked of the right people only, and counted in the ledger only."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowFailException

from onboarding.selection import steps
from onboarding.stages import decision
from onboarding.stages.decision import Question
from onboarding_airflow.outcomes import ONLY_IF_KILLED, opened, opened_selection
from onboarding_airflow.pilots import people


class RecordedApproval(ApprovalOperator):
    """A question to people whose answer counts in the ledger, not as a task's state.

    Who may answer is worked out when the question is asked. Nobody left, or an unknown requester, fails: to Airflow an
    empty list of assigned users would mean *anyone*. Only `execute_complete` writes the answer: marking this task a
    success by hand moves nothing, because what comes after reads the ledger. A no fails the task.
    """

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            params={
                "comment": Param("", type=["null", "string"], description="เหตุผล · Reason"),
                "automated": Param(False, type="boolean", description="Answered by a program, not by a person"),
            },
            fail_on_reject=True,
            **ONLY_IF_KILLED,
            **kwargs,
        )

    @abstractmethod
    def ask(self, context: Context) -> Question:
        """Who may answer, about what."""

    @abstractmethod
    def record(self, context: Context, **answer: Any) -> None:
        """The answer into the ledger: `answered_by`, `approved`, `automated`, `comment`."""

    def execute(self, context: Context) -> Any:
        question = self.ask(context)
        self.assigned_users = [{"id": person.id, "name": person.login} for person in question.people]
        if not self.assigned_users:
            raise AirflowFailException("nobody may answer; an empty list would let anyone")
        self.body = question.body
        return super().execute(context)

    def execute_complete(self, context: Context, event: dict[str, Any]) -> Any:
        if "error" in event:
            return super().execute_complete(context, event)
        answered_by = event["responded_by_user"]
        params = event["params_input"] or {}
        self.record(
            context,
            answered_by=answered_by["id"] if answered_by else "",
            approved=event["chosen_options"] == [self.APPROVE],
            automated=bool(params.get("automated", False)),
            comment=str(params.get("comment") or ""),
        )
        result = super().execute_complete(context, event)
        return {"chosen_options": result["chosen_options"]}


class CutoverApproval(RecordedApproval):
    """One of the approvals of a cutover: the manifest's approvers, minus the requester and who approved before."""

    def __init__(self, *, pilot_id: str, purpose: str, ordinal: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.pilot_id, self.purpose, self.ordinal = pilot_id, purpose, ordinal

    def ask(self, context: Context) -> Question:
        requester = context["dag_run"].triggering_user_name
        with opened(self.pilot_id, context) as pilot:
            return decision.ask(pilot, self.purpose, self.ordinal, people(), requester)

    def record(self, context: Context, **answer: Any) -> None:
        requester = context["dag_run"].triggering_user_name
        with opened(self.pilot_id, context) as pilot:
            decision.record_answer(pilot, self.purpose, self.ordinal, people(), requester=requester, **answer)


class ListConfirmation(RecordedApproval):
    """The yes to the list of pilots: those whom the criteria name, minus the requester."""

    def ask(self, context: Context) -> Question:
        with opened_selection(context) as selecting:
            return steps.ask(selecting, people())

    def record(self, context: Context, **answer: Any) -> None:
        with opened_selection(context) as selecting:
            steps.record_answer(selecting, people(), **answer)
