"""The ledger against the sandbox: anchors under its Object Lock, and effects counted from its audit log."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from journeys import manifest
from sandbox_process import ask, client

from onboarding import accounts
from onboarding.addresses import Database
from onboarding.evidence import anchor, ensure_anchor_bucket, read_anchors, verify
from onboarding.ledger import Ledger
from onboarding.ledger_schema import ensure_schema
from onboarding.programme.side_effects import duplicates

Cloud = dict[str, Any]


@pytest.fixture
def ledger(make_database: Callable[..., Database]) -> Iterator[Ledger]:
    owner = make_database("ledger")
    writer = owner.as_user(f"{owner.name}_writer", secrets.token_urlsafe())
    ensure_schema(owner, writer=writer.user, writer_password=writer.password, reader=None)
    opened = Ledger(writer)
    yield opened
    opened.close()


@pytest.fixture
def audited(sandbox_cloud: Cloud) -> Callable[[], list[dict[str, Any]]]:
    """What this test did, as the sandbox's audit log has it."""
    before = len(ask(sandbox_cloud, "audit")["entries"])
    return lambda: ask(sandbox_cloud, "audit")["entries"][before:]


def test_anchors_hold_under_the_sandboxs_object_lock(sandbox_cloud, audited, ledger):
    s3 = client(sandbox_cloud, "s3", "ap-southeast-7")
    bucket = f"namrong-anchors-{secrets.token_hex(4)}"
    for _ in range(2):
        ensure_anchor_bucket(s3, bucket, "ap-southeast-7", once=partial(ledger.once, "programme"), retain_days=1)
    assert duplicates(audited(), ledger.records(kind="intent")) == []

    first = anchor(ledger, s3, bucket, 1)
    assert anchor(ledger, s3, bucket, 1) == first
    ledger.record("p02", "k", "s", {})
    second = anchor(ledger, s3, bucket, 1)
    assert read_anchors(s3, bucket) == [first, second]

    (version, *_) = s3.list_object_versions(Bucket=bucket)["Versions"]
    with pytest.raises(s3.exceptions.ClientError, match="AccessDenied"):
        s3.delete_object(Bucket=bucket, Key=version["Key"], VersionId=version["VersionId"])
    assert verify(ledger, read_anchors(s3, bucket)).anchored == second.seq == ledger.head().seq


def test_a_replayed_create_account_shows_in_the_count(sandbox_cloud, audited, ledger):
    organizations = client(sandbox_cloud, "organizations")
    quotas = client(sandbox_cloud, "service-quotas")
    domain = f"{secrets.token_hex(4)}.example"
    # A pilot of its own: another test's account of the same name in this sandbox would be adopted.
    pilot = manifest("p02").model_copy(update={"id": f"p{secrets.randbelow(9000) + 1000}"})
    for _ in range(2):
        accounts.request_account(organizations, quotas, pilot, domain, partial(ledger.once, pilot.id))
    intents = ledger.records(kind="intent")
    assert [record.subject for record in intents] == [
        f"organizations:CreateAccount:-:{accounts.account_email(pilot, domain)}"
    ]
    assert duplicates(audited(), intents) == []

    request = next(entry["params"] for entry in audited() if entry["action"] == "CreateAccount")
    organizations.create_account(**request)
    assert [(one.action, one.why) for one in duplicates(audited(), intents)] == [
        ("organizations:CreateAccount", "more_than_intended")
    ]


def test_a_thing_made_past_the_ledger_shows_in_the_count(sandbox_cloud, audited, ledger):
    s3 = client(sandbox_cloud, "s3", "us-east-1")
    s3.create_bucket(Bucket=f"by-hand-{secrets.token_hex(4)}")
    assert [one.why for one in duplicates(audited(), ledger.records(kind="intent"))] == ["no_intent"]


def test_times_are_real(ledger):
    before = datetime.now(UTC)
    assert before <= ledger.record("p02", "k", "s", {}).at <= datetime.now(UTC)
