"""Effects equal intents, by the cloud's own audit log."""

from __future__ import annotations

import pytest

from onboarding.programme.side_effects import HARMLESS, duplicates

ACCOUNT, OTHER = "1" * 12, "2" * 12
EMAIL = "p02-prod@pilots.example"


@pytest.fixture
def intend(ledger):
    def write(*keys: str):
        for key in keys:
            ledger.once("p02", key, "a", {}, find=lambda: None, perform=dict)
        return ledger.records(kind="intent")

    return write


def call(
    service: str, action: str, params: dict, *, account: str = ACCOUNT, status: int = 200, error: str | None = None
):
    return {
        "seq": 7, "account": account, "service": service, "action": action, "params": params,
        "status": status, "error": error,
    }  # fmt: skip


def create_account(**how):
    params = {"Email": EMAIL, "AccountName": "p02 prod", "Tags": [{"Key": "namrong:pilot", "Value": "p02"}]}
    return call("organizations", "CreateAccount", params, **how)


def whys(entries, intents) -> list[tuple[str, str]]:
    return [(one.action, one.why) for one in duplicates(entries, intents)]


def test_one_call_per_intent_is_as_intended(intend):
    assert whys([create_account()], intend(f"organizations:CreateAccount:-:{EMAIL}")) == []


def test_a_replayed_create_account_counts(intend):
    intents = intend(f"organizations:CreateAccount:-:{EMAIL}")
    assert whys([create_account()] * 3, intents) == [("organizations:CreateAccount", "more_than_intended")] * 2


def test_a_request_made_anew_after_a_failure_has_an_intent_of_its_own(intend):
    intents = intend(f"organizations:CreateAccount:-:{EMAIL}", f"organizations:CreateAccount:-:{EMAIL}#2")
    assert whys([create_account()] * 2, intents) == []
    assert len(whys([create_account()] * 3, intents)) == 1


def test_a_call_without_an_intent_counts(intend):
    intents = intend(f"s3:CreateBucket:{ACCOUNT}:namrong-p02")
    entries = [
        call("s3", "CreateBucket", {"Bucket": "namrong-p02"}),
        call("s3", "CreateBucket", {"Bucket": "namrong-p02-more"}),
        call("s3", "CreateBucket", {"Bucket": "namrong-p02"}, account=OTHER),
        call("iam", "CreateAccessKey", {"UserName": "namrong-p02"}),
    ]
    assert [why for _, why in whys(entries, intents)] == ["no_intent"] * 3


def test_refused_calls_and_calls_that_leave_nothing_do_not_count(intend):
    entries = [
        create_account(status=400, error="ConstraintViolationException"),
        create_account(status=500, error="InternalFailure"),
        call("s3", "PutObject", {"Bucket": "b", "Key": "k"}),
        call("rds", "DeleteDBInstance", {"DBInstanceIdentifier": "x"}),
        *(call(*name.split(":"), {}) for name in HARMLESS),
    ]
    assert whys(entries, intend()) == []


def test_names_are_found_in_tags_lists_and_with_a_dot_at_the_end(intend):
    intents = intend(
        f"kms:CreateKey:{ACCOUNT}:namrong", "route53:CreateHostedZone:-:p02.pilots.example",
        f"ec2:CreateSubnet:{ACCOUNT}:p02/10.102.0.0/24", f"ec2:CreateSubnet:{ACCOUNT}:vpc-1/a",
    )  # fmt: skip
    entries = [
        call("kms", "CreateKey", {"Tags": [{"TagKey": "namrong:name", "TagValue": "namrong"}]}),
        call("route53", "CreateHostedZone", {"Name": "p02.pilots.example."}),
        call("ec2", "CreateSubnet", {"CidrBlock": "10.102.0.0/24", "VpcId": "vpc-1", "AvailabilityZone": "a"}),
    ]
    assert whys(entries, intents) == []
    assert len(whys(entries * 2, intents)) == 3
