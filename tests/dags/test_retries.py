"""What is tried again and what is not: by AWS's error code, and never because of a person's answer."""

from __future__ import annotations

import psycopg
import pytest
from airflow.providers.standard.exceptions import HITLRejectException, HITLTimeoutError
from airflow.sdk import RetryAction, RetryPolicy
from airflow_process import SAMPLES, Parsed
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError

from launcher import people
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.manifests import load_folder
from onboarding_airflow.outcomes import RETRIES, RETRY_DELAY, ByCause, OnlyIfKilled


def decision(policy: RetryPolicy, failure: BaseException) -> tuple[RetryAction, str | None]:
    decided = policy.evaluate(failure, 1, RETRIES, None)
    return decided.action, decided.reason


def aws(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "-"}, "ResponseMetadata": {"HTTPStatusCode": status}}, "Any"  # type: ignore[typeddict-item]
    )  # fmt: skip


AGAIN, ENOUGH = RetryAction.RETRY, RetryAction.FAIL


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (aws("ThrottlingException"), (AGAIN, "retry")),
        (aws("TooManyRequestsException"), (AGAIN, "retry")),
        (aws("SlowDown", 503), (AGAIN, "retry")),
        (aws("InternalFailure", 500), (AGAIN, "retry")),
        (aws("ConcurrentModificationException"), (AGAIN, "retry")),
        (aws("InvalidDBInstanceState"), (AGAIN, "retry")),
        (aws("OptInRequired", 403), (AGAIN, "retry")),  # a region just switched on
        (aws("ExpiredToken", 403), (AGAIN, "retry")),
        (aws("NoSuchEntity", 404), (AGAIN, "retry")),  # eventual consistency
        (aws("EntityAlreadyExists", 409), (AGAIN, "adopt")),
        (aws("DBInstanceAlreadyExists"), (AGAIN, "adopt")),
        (aws("BucketAlreadyOwnedByYou", 409), (AGAIN, "adopt")),
        (aws("BucketAlreadyExists", 409), (ENOUGH, "stop")),  # another owner's
        (aws("AccessDenied", 403), (ENOUGH, "ask")),
        (aws("SignatureDoesNotMatch", 403), (ENOUGH, "ask")),
        (aws("ConstraintViolationException"), (ENOUGH, "ask")),
        (aws("InstanceQuotaExceeded"), (ENOUGH, "ask")),
        (aws("InvalidParameterValue"), (ENOUGH, "stop")),
        (aws("BadDigest"), (ENOUGH, "stop")),
        (aws("NotImplemented", 501), (ENOUGH, "stop")),
        (aws("NeverHeardOf", 400), (ENOUGH, "stop")),
        (aws("NeverHeardOf", 503), (AGAIN, "retry")),
        (EndpointConnectionError(endpoint_url="https://x.example"), (AGAIN, "retry")),
        (psycopg.OperationalError("server closed the connection"), (AGAIN, "retry")),
        (NoCredentialsError(), (ENOUGH, "ask")),
        (TryAgain("aws.unreachable", reason="-"), (AGAIN, "retry")),
        (AskPerson("aws.no_credential", reason="-"), (ENOUGH, "ask")),
        (Stop("aws.fault", reason="-"), (ENOUGH, "stop")),
        (KeyError("a fault of ours"), (ENOUGH, "stop")),
    ],
    ids=lambda value: getattr(value, "args", [""])[0] if isinstance(value, Exception) else "",
)  # fmt: skip
def test_a_failure_is_tried_again_by_its_cause(failure: BaseException, expected: tuple[RetryAction, str]) -> None:
    assert decision(ByCause(), failure) == expected


def test_a_retry_waits_a_fixed_while() -> None:
    assert ByCause().evaluate(aws("Throttling"), 1, RETRIES).retry_delay == RETRY_DELAY


@pytest.mark.parametrize("failure", [HITLRejectException("no"), HITLTimeoutError("late"), aws("Throttling")])
def test_nobody_is_asked_twice_because_of_an_answer(failure: BaseException) -> None:
    assert decision(OnlyIfKilled(), failure)[0] is ENOUGH


@pytest.mark.parametrize("pilot", load_folder(SAMPLES).manifests)
def test_a_killed_process_never_ends_a_journey(samples: Parsed, pilot: str) -> None:
    """Airflow asks no retry policy when the process is gone; it needs `retries`, whose default is 0."""
    for dag in (*people.dags_of(pilot), "select_pilots"):
        assert set(samples["dags"][dag]["retries"].values()) == {RETRIES}
