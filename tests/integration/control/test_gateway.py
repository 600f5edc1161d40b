"""What every call goes through: who signs, what is absent, what is written down, what goes wrong on purpose."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError
from sandbox_process import Cloud, ask, client

from onboarding.look_ups import resolver

ABSENT: list[tuple[str, str, dict[str, Any]]] = [
    ("ec2", "describe_ipam_pools", {}),  # ec2
    ("iam", "simulate_custom_policy", {"PolicyInputList": ["{}"], "ActionNames": ["s3:GetObject"]}),  # query
    ("rds", "describe_blue_green_deployments", {}),  # query, taken over by our own part
    ("cloudtrail", "lookup_events", {}),  # json
    ("organizations", "describe_effective_policy", {"PolicyType": "TAG_POLICY"}),  # json
    ("accessanalyzer", "list_analyzers", {}),  # rest-json, a service that moto lacks
    ("backup", "list_backup_selections", {"BackupPlanId": "x"}),  # rest-json, a service that moto has
    ("cloudfront", "list_realtime_log_configs", {}),  # rest-xml
    ("route53", "list_traffic_policies", {}),  # rest-xml, taken over by our own part
    ("s3control", "list_jobs", {"AccountId": "MANAGEMENT"}),  # rest-xml with a host prefix
    ("controltower", "list_landing_zones", {}),
    ("mgn", "describe_source_servers", {}),
]
PRETENDED: list[tuple[str, str, dict[str, Any]]] = [
    ("dms", "describe_replication_tasks", {}),
    ("datasync", "list_tasks", {}),
    ("cloudformation", "create_stack", {"StackName": "x", "TemplateBody": "{}"}),
    ("ec2", "run_instances", {"MinCount": 1, "MaxCount": 1, "ImageId": "ami-12345678"}),
    ("ssm", "send_command", {"DocumentName": "AWS-RunShellScript", "InstanceIds": ["i-12345678901234567"]}),
    ("sns", "subscribe", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:x", "Protocol": "email"}),
]


def impatient(cloud: Cloud, service: str) -> Any:
    """A client that asks once."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        "us-east-1",
        endpoint_url=cloud["endpoint"],
        aws_access_key_id=cloud["access_key"],
        aws_secret_access_key=cloud["secret_key"],
        config=Config(retries={"total_max_attempts": 1}),
    )


def refused(call: Any, **parameters: Any) -> ClientError:
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value


def code(failure: ClientError) -> str:
    return str(failure.response["Error"]["Code"])


@pytest.mark.parametrize(("service", "operation", "parameters"), ABSENT + PRETENDED)
def test_what_is_absent_says_so_at_once_in_the_services_own_shape(
    cloud: Cloud, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    parameters = {k: cloud["management_account"] if v == "MANAGEMENT" else v for k, v in parameters.items()}
    asked = getattr(client(cloud, service), operation)
    began = time.monotonic()
    failure = refused(asked, **parameters)
    assert code(failure) == "NotImplemented"
    assert failure.response["ResponseMetadata"]["HTTPStatusCode"] == 501
    assert failure.response["ResponseMetadata"]["RetryAttempts"] == 0
    assert operation.replace("_", "") in str(failure).lower().replace("_", "")
    assert time.monotonic() - began < 2


def test_a_wrong_key_a_wrong_secret_and_no_signature_are_refused(cloud: Cloud) -> None:
    unknown = {"AccessKeyId": "AKIA0000000000000000", "SecretAccessKey": "x"}
    wrong = {"AccessKeyId": cloud["access_key"], "SecretAccessKey": cloud["secret_key"][::-1]}
    assert code(refused(client(cloud, "sts", session=unknown).get_caller_identity)) == "InvalidClientTokenId"
    assert code(refused(client(cloud, "organizations", session=unknown).list_roots)) == "UnrecognizedClientException"
    assert code(refused(client(cloud, "ec2", session=unknown).describe_vpcs)) == "AuthFailure"
    assert code(refused(client(cloud, "s3", session=unknown).list_buckets)) == "InvalidAccessKeyId"
    for service, call in (("sts", "get_caller_identity"), ("s3", "list_buckets"), ("organizations", "list_roots")):
        assert code(refused(getattr(client(cloud, service, session=wrong), call))) == "SignatureDoesNotMatch"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{cloud['endpoint']}/moto-api/data.json", timeout=10)
    assert caught.value.code == 403


def test_nobody_chooses_his_own_account_by_motos_header(cloud: Cloud) -> None:
    sts = client(cloud, "sts")

    def add(request: Any, **_: Any) -> None:
        request.headers["x-moto-account-id"] = "999999999999"

    sts.meta.events.register("before-send.sts.*", add)
    assert sts.get_caller_identity()["Account"] == cloud["management_account"]


def test_names_in_thai_and_signs_survive_signature_and_path(cloud: Cloud) -> None:
    s3, key = client(cloud, "s3"), "โฟลเดอร์/แฟ้ม a+b%20&=?.txt"
    s3.create_bucket(Bucket="gateway-names")
    s3.put_object(Bucket="gateway-names", Key=key, Body="สวัสดี".encode())
    assert s3.get_object(Bucket="gateway-names", Key=key)["Body"].read().decode() == "สวัสดี"
    assert [row["Key"] for row in s3.list_objects_v2(Bucket="gateway-names")["Contents"]] == [key]


def test_changes_are_written_down_with_secrets_masked_and_reads_are_not(cloud: Cloud) -> None:
    before = len(ask(cloud, "audit")["entries"])
    secrets = client(cloud, "secretsmanager")
    secrets.create_secret(Name="audited", SecretString="do-not-tell")
    secrets.get_secret_value(SecretId="audited")
    refused(client(cloud, "iam").create_user, UserName="administrator")
    entries = ask(cloud, "audit")["entries"][before:]
    assert [(e["service"], e["action"], e["error"]) for e in entries] == [
        ("secretsmanager", "CreateSecret", None),
        ("iam", "CreateUser", "EntityAlreadyExists"),
    ]
    assert entries[0]["params"]["Name"] == "audited"
    assert entries[0]["account"] == cloud["management_account"]
    assert entries[0]["region"] == "us-east-1"
    assert [e["seq"] for e in entries] == [before + 1, before + 2]
    assert "do-not-tell" not in json.dumps(ask(cloud, "audit"))


def test_the_audit_log_is_on_disk(cloud: Cloud, hurried_folder: Path) -> None:
    client(cloud, "iam").create_group(GroupName="on-disk")
    lines = (hurried_folder / "state" / "audit.jsonl").read_text().splitlines()
    assert json.loads(lines[-1])["params"] == {"GroupName": "on-disk"}
    assert [json.loads(line) for line in lines] == ask(cloud, "audit")["entries"]


def test_an_error_fault_stops_the_effect_as_often_as_it_says(cloud: Cloud) -> None:
    iam = client(cloud, "iam")
    fault = {
        "service": "iam",
        "action": "CreateGroup",
        "times": 2,
        "kind": "error",
        "code": "Throttling",
        "status": 400,
    }
    ask(cloud, "faults", fault)
    once = impatient(cloud, "iam")
    assert code(refused(once.create_group, GroupName="faulty")) == "Throttling"
    assert code(refused(iam.get_group, GroupName="faulty")) == "NoSuchEntity"
    assert ask(cloud, "faults")["faults"][0]["times"] == 1
    answer = iam.create_group(GroupName="faulty")
    assert answer["ResponseMetadata"]["RetryAttempts"] == 1
    assert ask(cloud, "faults")["faults"] == []


def test_a_lost_reply_loses_the_reply_and_not_the_effect(cloud: Cloud) -> None:
    ask(cloud, "faults", {"service": "iam", "action": "CreateGroup", "kind": "lost_reply"})
    iam = impatient(cloud, "iam")
    with pytest.raises(ConnectionClosedError):
        iam.create_group(GroupName="lost")
    assert iam.get_group(GroupName="lost")["Group"]["GroupName"] == "lost"
    last = ask(cloud, "audit")["entries"][-1]
    assert (last["action"], last["status"], last["error"], last["fault"]) == ("CreateGroup", 200, None, "lost_reply")


def test_a_delay_delays(cloud: Cloud) -> None:
    ask(cloud, "faults", {"service": "iam", "action": "*", "kind": "delay", "seconds": 0.5})
    began = time.monotonic()
    client(cloud, "iam").list_groups()
    assert time.monotonic() - began >= 0.5


def test_the_sandbox_itself_wants_its_token_and_known_names(cloud: Cloud) -> None:
    assert ask(cloud, "health")["status"] == "ok"
    assert ask({**cloud, "token": "guess"}, "audit")["status"] == 403
    assert ask(cloud, "settings", {"seconds_to_create": "soon"})["status"] == 400
    assert ask(cloud, "settings", {"no_such": 1})["status"] == 400
    assert ask(cloud, "settings", {"seconds_to_create": 7})["seconds_to_create_account"] == 7
    assert ask(cloud, "faults", {"service": "iam", "action": "*", "kind": "earthquake"})["status"] == 400
    assert ask(cloud, "names", {"db.example": "not an address"})["status"] == 400
    assert ask(cloud, "names", {"DB.Example.": "127.1.2.3"})["db.example"] == "127.1.2.3"
    led = {"own.go.th.example": "db.example"}
    assert ask(cloud, "names", led).items() >= led.items()
    assert resolver(cloud["nameserver"])("own.go.th.example") == "127.1.2.3"
    assert ask(cloud, "nothing")["status"] == 404


def test_ten_clients_at_once(cloud: Cloud) -> None:
    iam = client(cloud, "iam")
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda n: iam.create_group(GroupName=f"parallel-{n}"), range(60)))
    names = [group["GroupName"] for group in iam.list_groups()["Groups"]]
    assert len([name for name in names if name.startswith("parallel-")]) == 60
    seqs = [entry["seq"] for entry in ask(cloud, "audit")["entries"]]
    assert seqs == list(range(1, len(seqs) + 1))
