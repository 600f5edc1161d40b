"""A person's go or no-go, asked of the right people only, and counted in the ledger only."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import Context, Param
from airflow.sdk.exceptions import AirflowFailException

from onboarding.stages import decision
from onboarding_airflow.outcomes import ONLY_IF_KILLED, opened
from onboarding_airflow.pilots import people


class CutoverApproval(ApprovalOperator):
    """One of the approvals of a cutover.

    Who may answer is worked out when the question is asked: the manifest's approvers, minus the requester and
    minus whoever approved before. Nobody left, or an unknown requester, fails: to Airflow an empty list of
    assigned users would mean *anyone*. Only `execute_complete` writes the approval: marking this task a success
    by hand moves nothing, because the freeze reads the ledger.
    """

    def __init__(self, *, pilot_id: str, purpose: str, ordinal: int, **kwargs: Any) -> None:
        super().__init__(
            params={
                "comment": Param("", type=["null", "string"], description="เหตุผล · Reason"),
                "automated": Param(False, type="boolean", description="Answered by a program, not by a person"),
            },
            fail_on_reject=True,
            **ONLY_IF_KILLED,
            **kwargs,
        )
        self.pilot_id, self.purpose, self.ordinal = pilot_id, purpose, ordinal

    def execute(self, context: Context) -> Any:
        requester = context["dag_run"].triggering_user_name
        with opened(self.pilot_id, context) as pilot:
            question = decision.ask(pilot, self.purpose, self.ordinal, people(), requester)
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
        with opened(self.pilot_id, context) as pilot:
            decision.record_answer(
                pilot,
                self.purpose,
                self.ordinal,
                people(),
                requester=context["dag_run"].triggering_user_name,
                answered_by=answered_by["id"] if answered_by else "",
                approved=event["chosen_options"] == [self.APPROVE],
                automated=bool(params.get("automated", False)),
                comment=str(params.get("comment") or ""),
            )
        result = super().execute_complete(context, event)
        return {"chosen_options": result["chosen_options"]}
