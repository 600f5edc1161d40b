"""What a failure means to Airflow: stop, or try again after a while; and what it says to the person."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, Protocol

from airflow.sdk import Context, RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from onboarding.aws_errors import action_for, explained
from onboarding.errors import LeftOut, OnboardingError
from onboarding.ledger import Ledger
from onboarding.programme import troubles
from onboarding.selection.steps import Selecting
from onboarding.stages.pilot import Pilot
from onboarding_airflow.pilots import open_ledger, open_pilot

log = logging.getLogger(__name__)


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


class Answerable(Protocol):
    """Whose task it is: a pilot's, or the programme's own."""

    @property
    def id(self) -> str: ...
    @property
    def ledger(self) -> Ledger: ...
    @property
    def run(self) -> str: ...


@contextmanager
def opened(pilot_id: str, context: Context) -> Iterator[Pilot]:
    """The pilot for one task body; a failure inside leaves its reason in the log (th, en) and in the ledger.

    So does what goes well after a failure: that it is mended.
    """
    requester = context["dag_run"].triggering_user_name or ""
    pilot = open_pilot(pilot_id, str(context["ti"].run_id), requester)
    with _told(pilot, context):
        yield pilot


@contextmanager
def opened_selection(context: Context) -> Iterator[Selecting]:
    """The same for the tasks of `select_pilots`, which belong to no pilot."""
    requester = context["dag_run"].triggering_user_name or ""
    selecting = Selecting(open_ledger(), str(context["ti"].run_id), requester)
    with _told(selecting, context):
        yield selecting


@contextmanager
def _told(whose: Answerable, context: Context) -> Iterator[None]:
    ti = context["ti"]
    unit = troubles.NOT_MAPPED if ti.map_index is None else int(ti.map_index)
    try:
        yield
    except LeftOut as left:
        log.warning("%s", left.render("th"))
        mend(whose, str(ti.task_id), unit)
        raise AirflowSkipException(left.render("en")) from left
    except Exception as failure:
        told = tell(whose, str(ti.task_id), failure, unit)
        if passes(failure):
            raise
        raise AirflowFailException(told.render("en")) from failure
    mend(whose, str(ti.task_id), unit)


def passes(failure: BaseException) -> bool:
    """Whether trying again may go better without anybody's help."""
    return action_for(failure) in ("retry", "adopt")


def tell(whose: Answerable, task_id: str, failure: Exception, unit: int = troubles.NOT_MAPPED) -> OnboardingError:
    """The failure as people read it, left in the log (th, en) and in the ledger."""
    told = explained(failure)
    log.error("%s", told.render("th"))
    log.error("%s", told.render("en"))
    with _beside_the_work():
        words = {"th": told.render("th"), "en": told.render("en")}
        troubles.tell_trouble(whose.ledger, whose.id, task_id, unit, words, action_for(failure), run=whose.run)
    return told


def mend(whose: Answerable, task_id: str, unit: int = troubles.NOT_MAPPED) -> None:
    """The task went well: if it was in trouble before, it is no more."""
    with _beside_the_work():
        troubles.mend(whose.ledger, whose.id, task_id, unit, run=whose.run)


@contextmanager
def _beside_the_work() -> Iterator[None]:
    """A ledger that does not take what is told beside the work must not undo the work."""
    try:
        yield
    except OnboardingError as unreachable:
        log.warning("the ledger did not take it: %s", unreachable)
