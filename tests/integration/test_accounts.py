"""The account stage against the running sandbox: vended, placed, guarded, furnished, and read back."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from once_in_memory import OnceInMemory
from sandbox_process import running

from onboarding import accounts, guardrails, regions, units
from onboarding.access import ensure_time_boxed_access, revoke_access
from onboarding.access_observed import observe_access, observe_revoked
from onboarding.account_gate import account_checks
from onboarding.aws import Cloud
from onboarding.baseline import budget, key, network, public_access_block, recorder, roles, trail
from onboarding.effects import Effects
from onboarding.errors import AskPerson, Stop, TryAgain
from onboarding.manifest import Manifest
from onboarding.manifests import load_file
from onboarding.observations import Answer, Observation
from onboarding.programme.side_effects import duplicates
from onboarding.records import Record

PILOTS = Path(__file__).parents[2] / "include" / "pilots"
DOMAIN = "accounts.gov.example"
SECRET = "a key that only this test knows"
WITHIN_S = 30


def utc_now() -> datetime:
    return datetime.now(UTC)


def wait_for(look: Callable[[], Observation]) -> Observation:
    """The first observation that is not unknown."""
    deadline = time.monotonic() + WITHIN_S
    while (seen := look()).answer is Answer.UNKNOWN:
        assert time.monotonic() < deadline, f"still unknown: {seen}"
        time.sleep(0.1)
    return seen


class Stage:
    """What the account stage of one pilot would hold."""

    def __init__(self, ready: dict[str, Any], manifest: Manifest) -> None:
        self.ready, self.manifest, self.once = ready, manifest, OnceInMemory()
        session = boto3.Session(ready["access_key"], ready["secret_key"])
        self.management = Cloud(session, manifest.region, ready.get("aws_endpoint_url") or ready["endpoint"])
        self.organizations = self.management.client("organizations")
        self.external = roles.external_id(SECRET, manifest.id)
        self.account = ""

    def vend(self) -> str:
        requested = accounts.request_account(
            self.organizations, self.management.client("service-quotas", "us-east-1"), self.manifest, DOMAIN, self.once
        )
        seen = wait_for(
            lambda: accounts.observe_creation(self.organizations, requested, self.manifest, DOMAIN, utc_now())
        )
        assert seen.answer is Answer.PASS, seen
        self.account = accounts.account_id_of(self.organizations, self.manifest, DOMAIN)
        return self.account

    def cloud(self) -> Cloud:
        return roles.onboarding_cloud(self.management, self.account, self.external, self.manifest.region)

    def furnish(self) -> None:
        """Everything after the account is there; safe to repeat."""
        for step in self.steps():
            step()

    def steps(self) -> list[Callable[[], Any]]:
        """The tasks of the stage after the account is there."""
        return [self.place_and_guard, self.open_region, self.baseline, self.furnish_network, self.give_access]

    def place_and_guard(self) -> None:
        unit = units.ensure_unit(self.organizations, self.manifest.account.unit, self.once)
        units.place_account(self.organizations, self.account, unit, self.once)
        policies = guardrails.ensure_policies(self.organizations, self.once)
        guardrails.attach(self.organizations, unit, policies, self.once)

    def open_region(self) -> None:
        first = accounts.first_cloud(self.management, self.account, self.management.region)
        effects = Effects(self.once, self.account)
        roles.ensure_onboarding_role(first.client("iam"), effects, self.ready["management_account"], self.external)
        account = self.cloud().client("account")
        regions.request_region(account, self.account, self.manifest.region, self.once)
        region = wait_for(lambda: regions.observe_region(account, self.manifest.region, utc_now()))
        assert region.answer is Answer.PASS, region

    def baseline(self) -> None:
        client, email = self.cloud().client, accounts.account_email(self.manifest, DOMAIN)
        effects = Effects(self.once, self.account)
        arn = key.ensure_key(client("kms"), effects)
        public_access_block.ensure_public_access_block(client("s3control"), effects)
        trail.ensure_log_bucket(client("s3"), effects, arn)
        trail.ensure_trail(client("cloudtrail"), effects, arn)
        recorder.ensure_recorder(client("config"), client("iam"), effects)
        budget.ensure_budget(client("budgets"), effects, self.manifest.account.monthly_budget_usd, email)

    def furnish_network(self) -> None:
        network.ensure_network(self.cloud().client("ec2"), Effects(self.once, self.account), self.manifest, ())

    def give_access(self) -> str:
        return ensure_time_boxed_access(
            self.management.client("sso-admin"),
            self.management.client("identitystore"),
            self.manifest,
            self.account,
            self.once,
            now=utc_now(),
            length=timedelta(days=30),
        )

    def checks(self) -> dict[str, Callable[[], Observation]]:
        made = account_checks(
            self.management, self.manifest, (), DOMAIN, self.account, self.external, self.cloud, utc_now
        )
        return dict(made)

    def sandbox(self, what: str, body: Any = None) -> Any:
        """Asks the sandbox itself."""
        asked = urllib.request.Request(
            f"{self.ready['endpoint']}/_sandbox/{what}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-Sandbox-Token": self.ready["token"]},
        )
        with urllib.request.urlopen(asked) as answer:
            return json.load(answer)

    def audited(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = self.sandbox("audit")["entries"]
        return entries


@pytest.fixture(scope="module")
def sandbox_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """A sandbox of this file's own: others give and take access to the same pilots."""
    with running(tmp_path_factory.mktemp("sandbox")) as cloud:
        yield cloud


@pytest.fixture(scope="module")
def stage(sandbox_cloud: dict[str, Any]) -> Iterator[Stage]:
    """A pilot whose account is vended and furnished, once for this file."""
    made = Stage(sandbox_cloud, load_file(PILOTS / "p02.yaml"))
    made.vend()
    made.furnish()
    yield made


def test_the_gate_reads_everything_back_and_passes(stage: Stage) -> None:
    for name, check in stage.checks().items():
        seen = wait_for(check)
        assert seen.answer is Answer.PASS, f"{name}: {seen}"
        assert seen.check == name
        json.dumps(seen.as_json())


def test_the_whole_stage_repeated_creates_nothing_more(stage: Stage) -> None:
    before = [entry for entry in stage.audited() if entry["action"].startswith(("Create", "Move", "Attach", "Put"))]
    stage.vend()
    stage.furnish()
    after = [entry for entry in stage.audited() if entry["action"].startswith(("Create", "Move", "Attach", "Put"))]
    assert [entry["action"] for entry in after[len(before) :]] == []


def test_a_lost_ledger_adopts_everything(stage: Stage, sandbox_cloud: dict[str, Any]) -> None:
    """With no memory at all the same account, key and network are found by their names."""
    amnesiac = Stage(sandbox_cloud, stage.manifest)
    assert amnesiac.vend() == stage.account
    before = len([entry for entry in stage.audited() if entry["action"].startswith("Create")])
    amnesiac.furnish()
    assert len([entry for entry in stage.audited() if entry["action"].startswith("Create")]) == before


def test_another_pilots_external_id_does_not_open_the_role(stage: Stage) -> None:
    other = roles.external_id(SECRET, "p05")
    assert other != stage.external
    with pytest.raises(TryAgain, match="does not let us in"):
        roles.onboarding_cloud(stage.management, stage.account, other, stage.manifest.region)


BREAKS: dict[str, Callable[[Stage, Cloud], Any]] = {
    "account.unit": lambda stage, own: _move_to_root(stage),
    "account.guardrails": lambda stage, own: _weaken_guardrail(stage),
    "account.role.guarded": lambda stage, own: _open_role(stage),
    "account.trail": lambda stage, own: own.client("cloudtrail").stop_logging(Name="namrong"),
    "account.recorder": lambda stage, own: own.client("config").stop_configuration_recorder(
        ConfigurationRecorderName="namrong"
    ),
    "account.key": lambda stage, own: own.client("kms").disable_key_rotation(KeyId=_key(own)),
    "account.public_access_block": lambda stage, own: own.client("s3control").delete_public_access_block(
        AccountId=stage.account
    ),
    "account.budget": lambda stage, own: own.client("budgets").delete_budget(
        AccountId=stage.account, BudgetName="namrong-monthly"
    ),
}


def test_what_somebody_breaks_fails_and_a_cleared_task_mends_it(stage: Stage) -> None:
    own = accounts.first_cloud(stage.management, stage.account, stage.manifest.region)
    for breaks in BREAKS.values():
        breaks(stage, own)
    answers = {name: wait_for(look).answer for name, look in stage.checks().items()}
    assert sorted(name for name, answer in answers.items() if answer is Answer.FAIL) == sorted(BREAKS)
    stage.furnish()
    assert {wait_for(look).answer for look in stage.checks().values()} == {Answer.PASS}


def test_access_ends_by_itself_and_can_be_taken_away_twice(stage: Stage) -> None:
    sso_admin = stage.management.client("sso-admin")
    ends = stage.give_access()
    assert stage.give_access() == ends
    late = datetime.fromisoformat(ends) + timedelta(seconds=1)
    assert observe_access(sso_admin, stage.manifest, stage.account, late).why == "access.over"
    revoke_access(sso_admin, stage.manifest, stage.account)
    gone = wait_for(lambda: observe_revoked(sso_admin, stage.manifest, stage.account, utc_now()))
    assert gone.answer is Answer.PASS
    revoke_access(sso_admin, stage.manifest, stage.account)
    stage.give_access()  # a cleared task gives nothing back
    assert observe_access(sso_admin, stage.manifest, stage.account, utc_now()).answer is Answer.FAIL


def test_a_full_quota_asks_a_person_who_raises_it(stage: Stage, sandbox_cloud: dict[str, Any]) -> None:
    waiting = Stage(sandbox_cloud, load_file(PILOTS / "p09.yaml"))
    pages = waiting.organizations.get_paginator("list_accounts").paginate()
    used = sum(len(page["Accounts"]) for page in pages)
    usual = waiting.sandbox("settings")["account_quota"]
    waiting.sandbox("settings", {"account_quota": used})
    try:
        with pytest.raises(AskPerson, match=f"{used} of {used}"):
            waiting.vend()
    finally:
        waiting.sandbox("settings", {"account_quota": max(usual, used + 5)})
    assert waiting.vend() not in (stage.account, "")


def test_an_account_made_by_hand_under_our_email_is_adopted(stage: Stage, sandbox_cloud: dict[str, Any]) -> None:
    found = load_file(PILOTS / "p02.yaml").model_copy(update={"id": "p77"})
    adopting = Stage(sandbox_cloud, found)
    email = accounts.account_email(found, DOMAIN)
    adopting.organizations.create_account(Email=email, AccountName="made by hand")
    deadline = time.monotonic() + WITHIN_S
    while not (by_hand := _account_of(adopting, email)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert adopting.vend() == by_hand
    assert [each["action"] for each in adopting.audited() if email in str(each["params"])] == ["CreateAccount"]


def test_an_account_of_our_name_under_another_email_is_not_ours(stage: Stage, sandbox_cloud: dict[str, Any]) -> None:
    """A request tells a name and no e-mail: what it made decides."""
    asking = Stage(sandbox_cloud, load_file(PILOTS / "p02.yaml").model_copy(update={"id": "p78"}))
    name, elsewhere = accounts.account_name(asking.manifest), "p78@elsewhere.example"
    asking.organizations.create_account(Email=elsewhere, AccountName=name)
    deadline = time.monotonic() + WITHIN_S
    while not (others := _account_of(asking, elsewhere)):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert asking.vend() == _account_of(asking, accounts.account_email(asking.manifest, DOMAIN)) != others


def _account_of(stage: Stage, email: str) -> str:
    pages = stage.organizations.get_paginator("list_accounts").paginate()
    return next((each["Id"] for page in pages for each in page["Accounts"] if each["Email"] == email), "")


CREATING = (
    "organizations:CreateAccount", "iam:CreateRole", "kms:CreateKey", "kms:CreateAlias", "s3:CreateBucket",
    "cloudtrail:CreateTrail", "iam:CreateServiceLinkedRole", "budgets:CreateBudget", "ec2:CreateVpc",
    "ec2:CreateSubnet", "ec2:CreateSecurityGroup", "sso-admin:CreatePermissionSet", "identitystore:CreateGroup",
    "sso-admin:CreateAccountAssignment", "organizations:MoveAccount", "account:EnableRegion",
)  # fmt: skip


def test_every_answer_lost_once_nothing_is_made_twice(stage: Stage, sandbox_cloud: dict[str, Any]) -> None:
    """Each creating call happens and its answer never arrives; the task is tried again until it is through."""
    unlucky = Stage(sandbox_cloud, load_file(PILOTS / "p05.yaml"))
    before = len(unlucky.audited())
    for effect in CREATING:
        service, _, action = effect.partition(":")
        unlucky.sandbox("faults", {"service": service, "action": action, "kind": "lost_reply"})
    tries = sum(_until_through(task) for task in (unlucky.vend, *unlucky.steps()))
    assert unlucky.sandbox("faults")["faults"] == []
    assert tries > 10
    made = unlucky.audited()[before:]
    known = {**stage.once.intents, **unlucky.once.intents}
    intents = [Record(0, utc_now(), "p05", "intent", intent, "", "{}", "", "") for intent in known]
    assert duplicates(made, intents) == []
    for name, check in unlucky.checks().items():
        assert wait_for(check).answer is Answer.PASS, name


def _until_through(task: Callable[[], Any]) -> int:
    """How many tries it took."""
    for tries in range(1, 100):
        try:
            task()
        except TryAgain:
            continue
        return tries
    pytest.fail("never got through")


def test_networks_of_two_pilots_never_overlap(stage: Stage) -> None:
    other = load_file(PILOTS / "p05.yaml").model_copy(update={"network_cidr": stage.manifest.network_cidr})
    with pytest.raises(Stop, match="p05"):
        network.ensure_network(None, Effects(stage.once, stage.account), stage.manifest, [other])  # type: ignore[arg-type]


def _move_to_root(stage: Stage) -> None:
    root = units.root_of(stage.organizations)["Id"]
    unit = units.parent_of(stage.organizations, stage.account)
    policies = guardrails.ensure_policies(stage.organizations, stage.once)
    guardrails.attach(stage.organizations, stage.account, policies, stage.once)  # so that only the unit is wrong
    stage.organizations.move_account(AccountId=stage.account, SourceParentId=unit, DestinationParentId=root)


def _weaken_guardrail(stage: Stage) -> None:
    policies = guardrails.ensure_policies(stage.organizations, stage.once)
    harmless = '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"s3:Nothing","Resource":"*"}]}'
    stage.organizations.update_policy(PolicyId=policies["namrong-scp-stay"], Content=harmless)


def _open_role(stage: Stage) -> None:
    iam = accounts.first_cloud(stage.management, stage.account, stage.management.region).client("iam")
    trust = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",
                       "Principal": {"AWS": f"arn:aws:iam::{stage.ready['management_account']}:root"}}],
    }  # fmt: skip
    iam.update_assume_role_policy(RoleName=roles.ROLE, PolicyDocument=json.dumps(trust))


def _key(own: Cloud) -> str:
    return str(own.client("kms").describe_key(KeyId="alias/namrong")["KeyMetadata"]["KeyId"])
