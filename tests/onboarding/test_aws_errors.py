"""The table of failures: what happens next, and that a person can read why in both languages."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import botocore
import psycopg
import pytest
import yaml
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from fake_organizations import refusal

from onboarding.aws_errors import action_for, explained, explaining, load_table
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.messages import LOCALES


@pytest.mark.parametrize(
    ("error", "action"),
    [
        (refusal("ThrottlingException"), "retry"),
        (refusal("TooManyRequestsException"), "retry"),
        (refusal("SomethingNew", status=503), "retry"),
        (refusal("SomethingNew", status=429), "retry"),
        (refusal("SomethingNew", status=400), "stop"),
        (refusal("SomethingNew", status=501), "stop"),
        (refusal("EntityAlreadyExists"), "adopt"),
        (refusal("AccessDenied", status=403), "ask"),
        (refusal("ConstraintViolationException"), "ask"),
        (refusal("MalformedPolicyDocument"), "stop"),
        (EndpointConnectionError(endpoint_url="https://organizations.amazonaws.com"), "retry"),
        (NoCredentialsError(), "ask"),
        (psycopg.OperationalError("server closed the connection"), "retry"),
        (ConnectionResetError(), "retry"),
        (psycopg.errors.UniqueViolation("twice"), "stop"),
        (KeyError("ours"), "stop"),
        (TryAgain("accounts.not_there"), "retry"),
        (AskPerson("accounts.quota_full", used=1, quota=1), "ask"),
    ],
)
def test_what_happens_next(error: Exception, action: str) -> None:
    assert action_for(error) == action


def test_every_reason_for_a_failed_account_is_in_the_table() -> None:
    model = next((Path(botocore.__file__).parent / "data" / "organizations").glob("*/service-2.json*"))
    data = model.read_bytes()
    if model.suffix == ".gz":
        data = gzip.decompress(data)
    reasons = json.loads(data)["shapes"]["CreateAccountFailureReason"]["enum"]
    told = [code for row in load_table().create_account_failures for code in row.codes]
    assert sorted(told) == sorted(reasons)
    assert len(reasons) >= 15
    assert load_table().creation_failure("A_REASON_OF_NEXT_YEAR") == "ask"


def test_no_code_stands_in_two_rows() -> None:
    codes = [code for row in load_table().errors for code in row.codes]
    assert sorted(set(codes)) == sorted(codes)


def test_every_meaning_has_words_in_both_languages() -> None:
    for row in load_table().errors:
        for code in row.codes[:1]:
            told = explained(refusal(code), "123456789012")
            assert code in told.render("th")
            assert any("\u0e01" <= letter <= "\u0e5b" for letter in told.render("th"))
            assert "{" not in told.render("en")


def test_explained_keeps_the_class_that_the_action_needs() -> None:
    assert type(explained(refusal("Throttling"))) is TryAgain
    assert type(explained(refusal("BucketAlreadyOwnedByYou"))) is TryAgain
    assert type(explained(refusal("AccessDenied"))) is AskPerson
    assert type(explained(refusal("ValidationError"))) is Stop
    assert type(explained(NoCredentialsError())) is AskPerson
    assert type(explained(KeyError("ours"))) is Stop
    ours = Stop("accounts.refused", reason="x")
    assert explained(ours) is ours


def test_explaining_names_the_place_and_leaves_other_errors_alone() -> None:
    with pytest.raises(AskPerson, match=r"^p02: ") as told, explaining("p02"):
        raise refusal("AccessDenied")
    assert isinstance(told.value.__cause__, ClientError)
    with pytest.raises(ZeroDivisionError), explaining("p02"):
        raise ZeroDivisionError


def test_both_languages_have_the_same_entries() -> None:
    rooms = (
        "aws", "accounts", "access", "baseline", "buckets", "guardrails", "network", "regions", "roles", "targets",
        "traffic", "units",
    )  # fmt: skip
    for room in rooms:
        th, en = (yaml.safe_load((LOCALES / language / f"{room}.yaml").read_text("utf-8")) for language in ("th", "en"))
        assert {name: sorted(entry) for name, entry in th.items()} == {key: sorted(told) for key, told in en.items()}
        assert all(sorted(entry) == ["remedy", "what"] for entry in en.values())
