"""What a failure means to Airflow: stop, or try again after a while; and what it says to the person."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from airflow.sdk import Context, RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowFailException

from onboarding.aws_errors import action_for, explained
from onboarding.errors import OnboardingError
from onboarding.selection.steps import Selecting
from onboarding.stages.pilot import Pilot
from onboarding_airflow.pilots import open_ledger, open_pilot

log = logging.getLogger(__name__)

Leave = Callable[[str, str, Mapping[str, Any]], None]
"""Leaves a record: kind, subject, body."""

RETRIES = 3
RETRY_DELAY = timedelta(seconds=5)


class ByCause(RetryPolicy):
    """Retry what passes (a throttle, a lost reply, a dead worker); stop at what does not."""

    def evaluate(
        self,
        exception: BaseException,
        try_number: int,  # noqa: ARG002  (Airflow's signature)
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        action = action_for(exception)
        if action in ("retry", "adopt"):
            return RetryDecision.retry(RETRY_DELAY, action)
        return RetryDecision.fail(reason=action)


class OnlyIfKilled(RetryPolicy):
    """For what a person answers: a killed process asks again (no policy is asked then); an answer is never retried."""

    def evaluate(
        self,
        exception: BaseException,  # noqa: ARG002  (Airflow's signature)
        try_number: int,  # noqa: ARG002
        max_tries: int,  # noqa: ARG002
        context: Context | None = None,  # noqa: ARG002
    ) -> RetryDecision:
        return RetryDecision.fail(reason="stop")


BY_CAUSE: Mapping[str, Any] = {"retries": RETRIES, "retry_delay": RETRY_DELAY, "retry_policy": ByCause()}
ONLY_IF_KILLED: Mapping[str, Any] = {**BY_CAUSE, "retry_policy": OnlyIfKilled()}


@contextmanager
def opened(pilot_id: str, context: Context) -> Iterator[Pilot]:
    """The pilot for one task body; a failure inside leaves its reason in the log (th, en) and in the ledger."""
    requester = context["dag_run"].triggering_user_name or ""
    pilot = open_pilot(pilot_id, str(context["ti"].run_id), requester)
    with _told(pilot.record, context):
        yield pilot


@contextmanager
def opened_selection(context: Context) -> Iterator[Selecting]:
    """The same for the tasks of `select_pilots`, which belong to no pilot."""
    requester = context["dag_run"].triggering_user_name or ""
    selecting = Selecting(open_ledger(), str(context["ti"].run_id), requester)
    with _told(selecting.record, context):
        yield selecting


@contextmanager
def _told(record: Leave, context: Context) -> Iterator[None]:
    try:
        yield
    except Exception as failure:
        told = tell(record, str(context["ti"].task_id), failure)
        if passes(failure):
            raise
        raise AirflowFailException(told.render("en")) from failure


def passes(failure: BaseException) -> bool:
    """Whether trying again may go better without anybody's help."""
    return action_for(failure) in ("retry", "adopt")


def tell(record: Leave, task_id: str, failure: Exception) -> OnboardingError:
    """The failure as people read it, left in the log (th, en) and in the ledger."""
    told = explained(failure)
    log.error("%s", told.render("th"))
    log.error("%s", told.render("en"))
    try:
        words = {"th": told.render("th"), "en": told.render("en")}
        record("trouble", task_id, words | {"action": action_for(failure)})
    except OnboardingError as unreachable:
        log.warning("the ledger did not take the reason: %s", unreachable)
    return told
