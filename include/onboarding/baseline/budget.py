"""The account's monthly budget: told at 80 % forecast and 100 % spent. Figures lag by a day, credits hide costs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.effects import Effects
from onboarding.observations import Answer, Observation

if TYPE_CHECKING:
    from mypy_boto3_budgets import BudgetsClient

NAME = "namrong-monthly"
THRESHOLDS = (("FORECASTED", 80.0), ("ACTUAL", 100.0))


@explaining("budgets")
def ensure_budget(budgets: BudgetsClient, effects: Effects, monthly_usd: int, notify: str) -> str:
    """The budget's name; `notify` is the e-mail that hears of it. A changed amount is taken over,
    and a budget that somebody deleted is made again.
    """
    wanted: Any = {
        "BudgetName": NAME,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": str(monthly_usd), "Unit": "USD"},
    }

    def find() -> Mapping[str, str] | None:
        return None if _limit(budgets, effects.account) is None else {"budget": NAME}

    def perform() -> Mapping[str, str]:
        budgets.create_budget(
            AccountId=effects.account,
            Budget=wanted,
            NotificationsWithSubscribers=[_told(*each, notify) for each in THRESHOLDS],
        )
        return {"budget": NAME}

    effects.settle("budgets", "CreateBudget", NAME, {"budget": NAME}, find=find, perform=perform)
    if _limit(budgets, effects.account) != monthly_usd:
        budgets.update_budget(AccountId=effects.account, NewBudget=wanted)
    return NAME


@explaining("budgets")
def observe_budget(budgets: BudgetsClient, account_id: str, monthly_usd: int, now: datetime) -> Observation:
    """Pass when the budget has the manifest's amount and somebody is told at both thresholds."""
    limit = _limit(budgets, account_id)
    told = [] if limit is None else _thresholds(budgets, account_id)
    observed = {"usd": None if limit is None else str(limit), "told_at": told}
    expected = {"usd": str(monthly_usd), "told_at": sorted([kind, percent] for kind, percent in THRESHOLDS)}
    same = limit == monthly_usd and told == expected["told_at"]
    answer = Answer.PASS if same else Answer.FAIL
    return Observation("account.budget", answer, observed, expected, now, "baseline.budget", {"observed": observed})


def _limit(budgets: BudgetsClient, account_id: str) -> Decimal | None:
    try:
        budget = budgets.describe_budget(AccountId=account_id, BudgetName=NAME)["Budget"]
    except budgets.exceptions.NotFoundException:
        return None
    return Decimal(budget["BudgetLimit"]["Amount"])


def _thresholds(budgets: BudgetsClient, account_id: str) -> list[list[Any]]:
    """Those that have somebody to tell."""
    held = budgets.describe_notifications_for_budget(AccountId=account_id, BudgetName=NAME).get("Notifications", [])
    return sorted([each["NotificationType"], float(each["Threshold"])] for each in held)


def _told(kind: str, percent: float, notify: str) -> Any:
    return {
        "Notification": {
            "NotificationType": kind,
            "ComparisonOperator": "GREATER_THAN",
            "Threshold": percent,
            "ThresholdType": "PERCENTAGE",
        },
        "Subscribers": [{"SubscriptionType": "EMAIL", "Address": notify}],
    }
