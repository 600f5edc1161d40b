"""What to do about a failure: retry, adopt, ask or stop, by a table; and what to tell people about it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    WaiterError,
)
from botocore.exceptions import (
    ConnectionError as AwsConnectionError,
)
from pydantic import BaseModel, ConfigDict

from onboarding.errors import Action, AskPerson, OnboardingError, Stop, TryAgain

TABLE_FILE = Path(__file__).resolve().parent.parent / "policies" / "aws_errors.yaml"

Meaning = Literal[
    "throttled", "unavailable", "concurrent", "exists", "missing", "denied", "credential", "quota", "invalid",
    "unsupported", "capacity", "unknown",
]  # fmt: skip

NO_CREDENTIAL = (NoCredentialsError, PartialCredentialsError, CredentialRetrievalError, ProfileNotFound)
UNREACHABLE = (AwsConnectionError, HTTPClientError)
SERVER_FAULTS = frozenset({429, 500, 502, 503, 504})

_PERSONAL: dict[Action, type[OnboardingError]] = {"retry": TryAgain, "adopt": TryAgain, "ask": AskPerson, "stop": Stop}


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    codes: tuple[str, ...]
    action: Action
    meaning: Meaning
    source: str
    checked: date


class Table(BaseModel):
    """The dated table `policies/aws_errors.yaml`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    version: str
    errors: tuple[_Row, ...]
    create_account_failures: tuple[_Row, ...]

    def row(self, code: str) -> _Row | None:
        """What the table says about an AWS error code."""
        return next((row for row in self.errors if code in row.codes), None)

    def creation_failure(self, reason: str) -> Action:
        """What to do about a CreateAccountFailureReason; a reason that AWS adds later is for a person."""
        rows = (row.action for row in self.create_account_failures if reason in row.codes)
        return next(rows, "ask")


@cache
def load_table(path: Path = TABLE_FILE) -> Table:
    """The table, read once."""
    return Table.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))


def code_of(error: BaseException) -> str:
    """AWS's code of a ClientError, "" for anything else."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def action_for(error: BaseException) -> Action:
    """What the machine does next about any exception.

    Unknown code: retry when the status is 429 or a server's fault (5xx, not 501), else stop. An exception that is
    none of AWS's, PostgreSQL's or ours is a fault in the program: stop, because repeating it mends nothing.
    """
    if isinstance(error, OnboardingError):
        return error.action
    if isinstance(error, ClientError):
        return _by_table(error)[0]
    if isinstance(error, NO_CREDENTIAL):
        return "ask"
    if isinstance(error, (*UNREACHABLE, ConnectionError, TimeoutError, WaiterError)) or _is_of_database(error):
        return "retry"
    return "stop"


def _is_of_database(error: BaseException) -> bool:
    """PostgreSQL's trouble that may pass. Its module is not read for that: who moves files has no use for it."""
    psycopg = sys.modules.get("psycopg")
    return psycopg is not None and isinstance(error, psycopg.OperationalError)


def explained(error: Exception, where: str = "") -> OnboardingError:
    """The same failure in words that a person can act on; what is explained already stays as it is."""
    if isinstance(error, OnboardingError):
        return error
    if isinstance(error, ClientError):
        action, meaning = _by_table(error)
        told = error.response.get("Error", {}).get("Message", "")
        return _PERSONAL[action](
            f"aws.{meaning}", where=where, operation=error.operation_name, code=code_of(error), told=told
        )
    action = action_for(error)
    key = {"ask": "aws.no_credential", "retry": "aws.unreachable"}.get(action, "aws.fault")
    return _PERSONAL[action](key, where=where, reason=f"{type(error).__name__}: {error}")


@contextmanager
def explaining(where: str) -> Iterator[None]:
    """Failures of AWS inside the block come out as our own, with what to do. Also a decorator."""
    try:
        yield
    except (ClientError, *NO_CREDENTIAL, *UNREACHABLE) as failure:
        raise explained(failure, where) from failure


def _by_table(error: ClientError) -> tuple[Action, Meaning]:
    row = load_table().row(code_of(error))
    if row is not None:
        return row.action, row.meaning
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return ("retry", "unavailable") if status in SERVER_FAULTS else ("stop", "unknown")
