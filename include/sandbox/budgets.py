"""Budgets: an account's own, with somebody to tell."""

from __future__ import annotations

from sandbox.state import AwsError, Call, SandboxState

MOST_SUBSCRIBERS = 11
"""API reference, NotificationWithSubscribers: one SNS topic and up to ten e-mail addresses."""


def install(state: SandboxState) -> None:
    """No account sees or changes another one's budgets."""
    state.guard(check)


def check(call: Call) -> None:
    """The account named is the caller's, and nobody is told by more than AWS can."""
    if call.service != "budgets":
        return
    if call.params.get("AccountId", call.account) != call.account:
        raise AwsError("AccessDeniedException", "Account and caller do not match.")
    for notified in call.params.get("NotificationsWithSubscribers") or ():
        if not 1 <= len(notified.get("Subscribers") or ()) <= MOST_SUBSCRIBERS:
            raise AwsError("InvalidParameterException", "A notification has 1 to 11 subscribers.")
