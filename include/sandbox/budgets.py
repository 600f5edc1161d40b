"""Budgets: an account's own, with somebody to tell."""

from __future__ import annotations

from typing import Any

from moto.budgets.models import budgets_backends

from sandbox.state import AwsError, Call, SandboxState

MOST_SUBSCRIBERS = 11
"""API reference, NotificationWithSubscribers: one SNS topic and up to ten e-mail addresses."""


def install(state: SandboxState) -> None:
    """No account sees or changes another one's budgets."""
    state.guard(check)
    state.handle("budgets", "DescribeSubscribersForNotification", subscribers)


def subscribers(call: Call) -> dict[str, Any]:
    """Who is told of one notification."""
    budget = budgets_backends[call.account]["aws"].budgets[call.account].get(call.params["BudgetName"])
    asked = call.params["Notification"]
    for notification in budget.notifications if budget is not None else ():
        if all(notification.details.get(name) == value for name, value in asked.items()):
            return {"Subscribers": notification.subscribers}
    raise AwsError("NotFoundException", "There is no such budget, or it has no such notification.")


def check(call: Call) -> None:
    """The account named is the caller's, and nobody is told by more than AWS can."""
    if call.service != "budgets":
        return
    if call.params.get("AccountId", call.account) != call.account:
        raise AwsError("AccessDeniedException", "Account and caller do not match.")
    for notified in call.params.get("NotificationsWithSubscribers") or ():
        if not 1 <= len(notified.get("Subscribers") or ()) <= MOST_SUBSCRIBERS:
            raise AwsError("InvalidParameterException", "A notification has 1 to 11 subscribers.")
