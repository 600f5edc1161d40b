"""Accounts, units and policies behave as AWS documents, the failures included."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sandbox_process import Cloud, ask, client, into, vend, wait_for

SCP = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "organizations:Leave*", "Resource": "*"}]}


@pytest.fixture
def organizations(cloud: Cloud) -> Any:
    return client(cloud, "organizations")


@pytest.fixture
def root(organizations: Any) -> str:
    return str(organizations.list_roots()["Roots"][0]["Id"])


def unit(organizations: Any, parent: str, name: str) -> str:
    made = organizations.create_organizational_unit(ParentId=parent, Name=name)
    return str(made["OrganizationalUnit"]["Id"])


def policy(organizations: Any, name: str, kind: str = "SERVICE_CONTROL_POLICY", document: Any = SCP) -> str:
    text = document if isinstance(document, str) else json.dumps(document)
    made = organizations.create_policy(Name=name, Description=name, Type=kind, Content=text)
    return str(made["Policy"]["PolicySummary"]["Id"])


def refusal(call: Any, **parameters: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return str(caught.value.response["Error"]["Code"])


def status(organizations: Any, request: str) -> dict[str, Any]:
    found: dict[str, Any] = organizations.describe_create_account_status(CreateAccountRequestId=request)
    return dict(found["CreateAccountStatus"])


def ended(organizations: Any, request: str) -> dict[str, Any]:
    wait_for(lambda: status(organizations, request)["State"] != "IN_PROGRESS")
    return status(organizations, request)


def test_the_organization_is_there_from_the_start(cloud: Cloud, organizations: Any) -> None:
    described = organizations.describe_organization()["Organization"]
    assert described["MasterAccountId"] == cloud["management_account"]
    assert described["FeatureSet"] == "ALL"
    assert len(organizations.list_roots()["Roots"]) == 1
    assert organizations.describe_account(AccountId=cloud["management_account"])["Account"]["Status"] == "ACTIVE"


def test_an_account_takes_its_time_and_then_has_a_role_to_enter_by(cloud: Cloud, organizations: Any) -> None:
    ask(cloud, "settings", {"seconds_to_create_account": 1.0})
    began = time.monotonic()
    request = organizations.create_account(AccountName="slow", Email="slow@x.example")["CreateAccountStatus"]
    assert request["State"] == "IN_PROGRESS" and "AccountId" not in request
    for _ in range(5):  # asking does not hurry it
        assert status(organizations, request["Id"])["State"] == "IN_PROGRESS"
    listed = organizations.list_create_account_status(States=["IN_PROGRESS"])["CreateAccountStatuses"]
    assert request["Id"] in [row["Id"] for row in listed]
    assert "slow@x.example" not in [row["Email"] for row in organizations.list_accounts()["Accounts"]]
    done = ended(organizations, request["Id"])
    assert time.monotonic() - began >= 1.0
    assert done["State"] == "SUCCEEDED" and done["CompletedTimestamp"] >= done["RequestedTimestamp"]
    assert (
        client(cloud, "sts", session=into(cloud, done["AccountId"])).get_caller_identity()["Account"]
        == (done["AccountId"])
    )


def test_an_email_serves_one_account_only(cloud: Cloud, organizations: Any) -> None:
    first = organizations.create_account(AccountName="one", Email="shared@x.example")["CreateAccountStatus"]["Id"]
    second = organizations.create_account(AccountName="two", Email="Shared@x.example")["CreateAccountStatus"]["Id"]
    states = [ended(organizations, request) for request in (first, second)]
    assert sorted(one["State"] for one in states) == ["FAILED", "SUCCEEDED"]
    failed = next(one for one in states if one["State"] == "FAILED")
    assert failed["FailureReason"] == "EMAIL_ALREADY_EXISTS" and "AccountId" not in failed


def test_a_full_organization_takes_no_more(cloud: Cloud, organizations: Any) -> None:
    quotas = client(cloud, "service-quotas")
    held = sum(len(page["Accounts"]) for page in organizations.get_paginator("list_accounts").paginate())
    ask(cloud, "settings", {"account_quota": held})
    told = quotas.get_service_quota(ServiceCode="organizations", QuotaCode="L-E619E033")["Quota"]["Value"]
    assert told == held
    request = organizations.create_account(AccountName="late", Email="late@x.example")["CreateAccountStatus"]["Id"]
    assert ended(organizations, request)["FailureReason"] == "ACCOUNT_LIMIT_EXCEEDED"
    default = quotas.get_aws_default_service_quota(ServiceCode="organizations", QuotaCode="L-E619E033")
    assert default["Quota"]["Value"] == 10


def test_what_aws_models_refuse_is_refused(organizations: Any) -> None:
    create = organizations.create_account
    assert refusal(create, AccountName="กรม", Email="a@x.example") == "InvalidInputException"
    assert refusal(create, AccountName="x" * 51, Email="a@x.example") == "InvalidInputException"
    assert refusal(create, AccountName="x", Email="no-address") == "InvalidInputException"
    unknown = organizations.describe_create_account_status
    assert refusal(unknown, CreateAccountRequestId="car-12345678") == "CreateAccountStatusNotFoundException"


def test_requests_are_listed_page_by_page(organizations: Any) -> None:
    for n in range(3):
        organizations.create_account(AccountName=f"page-{n}", Email=f"page-{n}@x.example")
    pages = organizations.get_paginator("list_create_account_status").paginate(PaginationConfig={"PageSize": 2})
    rows = [row for page in pages for row in page["CreateAccountStatuses"]]
    assert len({row["Id"] for row in rows}) == len(rows) >= 3


def test_units_need_a_parent_and_a_name_of_their_own(organizations: Any, root: str) -> None:
    first = unit(organizations, root, "ministry")
    create = organizations.create_organizational_unit
    assert refusal(create, ParentId=root, Name="ministry") == "DuplicateOrganizationalUnitException"
    assert refusal(create, ParentId=f"ou-{root[2:]}-00000000", Name="x") == "ParentNotFoundException"
    unit(organizations, first, "ministry")  # the same name below another parent
    delete = organizations.delete_organizational_unit
    assert refusal(delete, OrganizationalUnitId=first) == "OrganizationalUnitNotEmptyException"


def test_an_account_moves_only_from_where_it_is(cloud: Cloud, organizations: Any, root: str) -> None:
    account, pilots = vend(cloud, "mover"), unit(organizations, root, "pilots")
    move, nowhere = organizations.move_account, f"ou-{root[2:]}-00000000"

    def refused(**parameters: str) -> str:
        wanted = {"AccountId": account, "SourceParentId": root, "DestinationParentId": pilots, **parameters}
        return refusal(move, **wanted)

    other = unit(organizations, root, "other")
    assert refused(SourceParentId=other) == "SourceParentNotFoundException"
    assert refused(DestinationParentId=nowhere) == "DestinationParentNotFoundException"
    assert refused(AccountId="000000000001") == "AccountNotFoundException"
    assert organizations.list_parents(ChildId=account)["Parents"][0]["Id"] == root
    move(AccountId=account, SourceParentId=root, DestinationParentId=pilots)
    assert organizations.list_parents(ChildId=account)["Parents"][0]["Id"] == pilots
    assert refused() == "DuplicateAccountException"


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ('{"Version"', "MalformedPolicyDocumentException"),
        ("[]", "MalformedPolicyDocumentException"),
        ({"Version": "2012-10-17"}, "MalformedPolicyDocumentException"),
        ({"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps", "Action": "*"}]}, "MalformedPolicyDocument"),
        ({**SCP, "Statement": [{**SCP["Statement"][0], "Principal": "*"}]}, "MalformedPolicyDocument"),  # type: ignore
        (json.dumps(SCP) + " " * 5_120, "ConstraintViolationException"),
    ],
)
def test_what_is_no_service_control_policy_is_refused(organizations: Any, document: Any, code: str) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    asked = {"Name": "bad", "Description": "", "Type": "SERVICE_CONTROL_POLICY", "Content": text}
    assert refusal(organizations.create_policy, **asked).startswith(code)


def test_exactly_5120_characters_are_a_policy(organizations: Any) -> None:
    text = json.dumps(SCP)
    policy(organizations, "long", document=text + " " * (5_120 - len(text)))


def test_a_resource_control_policy_denies_everybody(organizations: Any) -> None:
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}
    policy(organizations, "rcp", "RESOURCE_CONTROL_POLICY", {"Version": "2012-10-17", "Statement": [statement]})
    asked = {"Name": "rcp2", "Description": "", "Type": "RESOURCE_CONTROL_POLICY", "Content": json.dumps(SCP)}
    assert refusal(organizations.create_policy, **asked) == "MalformedPolicyDocumentException"


def test_a_policy_is_attached_once_and_only_when_its_type_is_enabled(organizations: Any, root: str) -> None:
    made, target = policy(organizations, "guardrail"), unit(organizations, root, "guarded")
    attach, kinds = organizations.attach_policy, organizations.list_roots()["Roots"][0]["PolicyTypes"]
    assert kinds == []
    assert refusal(attach, PolicyId=made, TargetId=target) == "PolicyTypeNotEnabledException"
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    attach(PolicyId=made, TargetId=target)
    assert refusal(attach, PolicyId=made, TargetId=target) == "DuplicatePolicyAttachmentException"
    assert refusal(attach, PolicyId=made, TargetId="000000000001") == "TargetNotFoundException"
    detach = organizations.detach_policy
    detach(PolicyId=made, TargetId=target)
    assert refusal(detach, PolicyId=made, TargetId=target) == "PolicyNotAttachedException"
    assert refusal(detach, PolicyId="p-FullAWSAccess", TargetId=target) == "ConstraintViolationException"


def test_a_closed_account_lingers_and_lets_nobody_in(cloud: Cloud, organizations: Any) -> None:
    ask(cloud, "settings", {"seconds_to_close_account": 0.5})
    account = vend(cloud, "closing")
    entered = into(cloud, account)
    organizations.close_account(AccountId=account)

    def state() -> str:
        return str(organizations.describe_account(AccountId=account)["Account"]["Status"])

    assert state() == "PENDING_CLOSURE"
    assert refusal(organizations.close_account, AccountId=account) == "AccountAlreadyClosedException"
    wait_for(lambda: state() == "SUSPENDED")
    assert refusal(client(cloud, "sts", session=entered).get_caller_identity).startswith("AccessDenied")
    request = organizations.create_account(AccountName="again", Email="closing@x.example")["CreateAccountStatus"]["Id"]
    assert ended(organizations, request)["FailureReason"] == "EMAIL_ALREADY_EXISTS"
    management = cloud["management_account"]
    assert refusal(organizations.close_account, AccountId=management) == "ConstraintViolationException"


def test_members_do_not_run_the_organization(cloud: Cloud, session: dict[str, str]) -> None:
    inside = client(cloud, "organizations", session=session)
    assert refusal(inside.list_accounts) == "AccessDeniedException"
    assert inside.describe_organization()["Organization"]["MasterAccountId"] == cloud["management_account"]


def test_a_throttled_creation_creates_nothing(cloud: Cloud, organizations: Any) -> None:
    fault = {"service": "organizations", "action": "CreateAccount", "code": "TooManyRequestsException", "times": 9}
    ask(cloud, "faults", fault)
    assert refusal(organizations.create_account, AccountName="t", Email="t@x.example") == "TooManyRequestsException"
    ask(cloud, "faults", method="DELETE")
    listed = organizations.get_paginator("list_create_account_status").paginate()
    assert "t" not in [row["AccountName"] for page in listed for row in page["CreateAccountStatuses"]]
