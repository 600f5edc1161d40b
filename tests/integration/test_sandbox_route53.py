"""The sandbox's Route 53 and nameserver: changes take time, weights are drawn, names lead to servers."""

from __future__ import annotations

import json
import socket
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import dns.message
import dns.query
import dns.rcode
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

Cloud = Mapping[str, Any]


def tell(cloud: Cloud, what: str, body: Mapping[str, Any]) -> dict[str, Any]:
    headers = {"X-Sandbox-Token": cloud["token"], "Content-Type": "application/json"}
    request = urllib.request.Request(f"{cloud['endpoint']}/_sandbox/{what}", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=5) as answer:
        return dict(json.load(answer))


@pytest.fixture(scope="module")
def route53(sandbox_cloud: Cloud) -> Iterator[Any]:
    before = tell(sandbox_cloud, "settings", {})["seconds_to_insync"]
    tell(sandbox_cloud, "settings", {"seconds_to_insync": 0.4})
    yield boto3.client(
        "route53",
        region_name=sandbox_cloud["region"],
        endpoint_url=sandbox_cloud["aws_endpoint_url"],
        aws_access_key_id=sandbox_cloud["access_key"],
        aws_secret_access_key=sandbox_cloud["secret_key"],
        config=Config(retries={"total_max_attempts": 1}),
    )
    tell(sandbox_cloud, "settings", {"seconds_to_insync": before})


@pytest.fixture
def zone(route53: Any, request: pytest.FixtureRequest) -> tuple[str, str]:
    name = f"t{abs(hash(request.node.name))}.example.org"
    made = route53.create_hosted_zone(Name=name, CallerReference=name)
    return made["HostedZone"]["Id"], name


def wait(route53: Any, change: str) -> None:
    until = time.monotonic() + 10
    while route53.get_change(Id=change)["ChangeInfo"]["Status"] != "INSYNC":
        assert time.monotonic() < until
        time.sleep(0.05)


def change(route53: Any, zone: str, *changes: tuple[str, dict[str, Any]]) -> str:
    batch = {"Changes": [{"Action": action, "ResourceRecordSet": record} for action, record in changes]}
    return str(route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)["ChangeInfo"]["Id"])


def record(name: str, value: str, kind: str = "A", ttl: int = 60, **more: Any) -> dict[str, Any]:
    return {"Name": name, "Type": kind, "TTL": ttl, "ResourceRecords": [{"Value": value}], **more}


def ask(cloud: Cloud, name: str, kind: str = "A", tcp: bool = False) -> dns.message.Message:
    host, _, port = cloud["nameserver"].rpartition(":")
    query = dns.query.tcp if tcp else dns.query.udp
    return query(dns.message.make_query(name, kind), host, timeout=5, port=int(port))


def addresses(answer: dns.message.Message) -> list[str]:
    return [item.to_text() for rrset in answer.answer for item in rrset]


def test_a_change_is_answered_when_it_is_in_sync_and_not_before(
    route53: Any, sandbox_cloud: Cloud, zone: tuple[str, str]
) -> None:
    zone_id, name = zone
    wait(route53, change(route53, zone_id, ("CREATE", record(f"db.{name}", "127.0.0.5"))))
    pending = change(route53, zone_id, ("UPSERT", record(f"db.{name}", "127.0.0.6", ttl=7)))
    assert route53.get_change(Id=pending)["ChangeInfo"]["Status"] == "PENDING"
    assert addresses(ask(sandbox_cloud, f"db.{name}")) == ["127.0.0.5"]
    listed = {r["Name"]: r for r in route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]}
    assert listed[f"db.{name}."]["ResourceRecords"] == [{"Value": "127.0.0.6"}], "the API knows at once"
    wait(route53, pending)
    answer = ask(sandbox_cloud, f"DB.{name}", tcp=True)
    assert (addresses(answer), answer.answer[0].ttl) == (["127.0.0.6"], 7)


def test_weights_are_drawn_and_zero_never_wins(route53: Any, sandbox_cloud: Cloud, zone: tuple[str, str]) -> None:
    zone_id, name = zone
    tell(sandbox_cloud, "names", {"old.agency.example": "127.0.0.7", "new.agency.example": "127.0.0.8"})

    def ramp(old: int, new: int) -> Counter[str]:
        sides = (("old", old), ("new", new))
        wait(
            route53,
            change(
                route53,
                zone_id,
                *(
                    (
                        "UPSERT",
                        record(f"svc.{name}", f"{side}.agency.example", "CNAME", SetIdentifier=side, Weight=weight),
                    )
                    for side, weight in sides
                ),
            ),
        )
        return Counter(addresses(ask(sandbox_cloud, f"svc.{name}"))[-1] for _ in range(150))

    assert ramp(100, 0) == {"127.0.0.7": 150}
    drawn = ramp(128, 127)
    assert 30 < drawn["127.0.0.8"] < 120, "half; by chance less than once in 10^12 runs otherwise"
    assert ramp(0, 255) == {"127.0.0.8": 150}
    assert set(ramp(0, 0)) == {"127.0.0.7", "127.0.0.8"}


def test_what_nobody_made_does_not_exist(route53: Any, sandbox_cloud: Cloud, zone: tuple[str, str]) -> None:
    zone_id, name = zone
    wait(route53, change(route53, zone_id, ("CREATE", record(f"a.b.{name}", "127.0.0.5"))))
    assert ask(sandbox_cloud, f"nobody.{name}").rcode() == dns.rcode.NXDOMAIN
    assert ask(sandbox_cloud, "www.example.com").rcode() == dns.rcode.NXDOMAIN
    for exists, kind in ((f"a.b.{name}", "AAAA"), (f"b.{name}", "A")):
        answer = ask(sandbox_cloud, exists, kind)
        assert (answer.rcode(), answer.answer) == (dns.rcode.NOERROR, [])


def test_a_chain_without_end_fails_and_rubbish_hurts_nobody(
    route53: Any, sandbox_cloud: Cloud, zone: tuple[str, str]
) -> None:
    zone_id, name = zone
    loop = [record(f"x.{name}", f"y.{name}", "CNAME"), record(f"y.{name}", f"x.{name}", "CNAME")]
    wait(route53, change(route53, zone_id, *(("CREATE", one) for one in loop)))
    assert ask(sandbox_cloud, f"x.{name}").rcode() == dns.rcode.SERVFAIL
    host, _, port = sandbox_cloud["nameserver"].rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rude:
        rude.sendto(b"rubbish", (host, int(port)))
    assert ask(sandbox_cloud, f"x.{name}", "CNAME").rcode() == dns.rcode.NOERROR


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("CREATE", record("one.{z}", "127.0.0.9"))], "already exists"),
        ([("DELETE", record("one.{z}", "127.0.0.9"))], "do not match the current values"),
        ([("DELETE", record("two.{z}", "127.0.0.9"))], "not found"),
        ([("CREATE", record("one.elsewhere.org", "127.0.0.9"))], "not permitted in zone"),
        ([("CREATE", record("one.{z}", "x.example.", "CNAME"))], "conflicting"),
        ([("CREATE", record("{z}", "x.example.", "CNAME"))], "apex"),
        ([("CREATE", record("two.{z}", "not-an-address"))], "Invalid Resource Record"),
        ([("CREATE", record("one.{z}", "127.0.0.9", SetIdentifier="s", Weight=1))], "cannot be mixed"),
        ([("CREATE", record("two.{z}", "127.0.0.9", Weight=1))], "SetIdentifier"),
    ],
)
def test_a_batch_with_one_bad_change_changes_nothing(
    route53: Any, zone: tuple[str, str], changes: list[tuple[str, dict[str, Any]]], says: str
) -> None:
    zone_id, name = zone
    change(route53, zone_id, ("UPSERT", record(f"one.{name}", "127.0.0.5")))
    before = route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"]
    filled = [(action, {**one, "Name": one["Name"].format(z=name)}) for action, one in changes]
    with pytest.raises(ClientError, match=says) as refused:
        change(route53, zone_id, ("UPSERT", record(f"good.{name}", "127.0.0.5")), *filled)
    assert refused.value.response["Error"]["Code"] == "InvalidChangeBatch"
    assert route53.list_resource_record_sets(HostedZoneId=zone_id)["ResourceRecordSets"] == before


def code_of(call: Any, **params: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**params)
    return str(refused.value.response["Error"]["Code"])


def test_refusals_are_aws_own(route53: Any, zone: tuple[str, str]) -> None:
    zone_id, name = zone
    assert code_of(route53.get_change, Id="C00000000000000000000") == "NoSuchChange"
    assert code_of(route53.get_hosted_zone, Id="Z00000000000000000000") == "NoSuchHostedZone"
    assert code_of(route53.create_hosted_zone, Name=name, CallerReference=name) == "HostedZoneAlreadyExists"
    change(route53, zone_id, ("CREATE", record(f"a.{name}", "127.0.0.1")))
    assert code_of(route53.delete_hosted_zone, Id=zone_id) == "HostedZoneNotEmpty"
    checked = {"IPAddress": "127.0.0.1", "Port": 80, "Type": "TCP"}
    assert code_of(route53.create_health_check, CallerReference="c", HealthCheckConfig=checked) == "NotImplemented"


def test_zones_and_records_are_listed_in_order_and_in_pages(route53: Any, zone: tuple[str, str]) -> None:
    zone_id, name = zone
    change(route53, zone_id, *(("CREATE", record(f"{x}.{name}", "127.0.0.1")) for x in ("c", "a", "b.a")))
    pages = route53.get_paginator("list_resource_record_sets").paginate(
        HostedZoneId=zone_id, PaginationConfig={"PageSize": 2}
    )
    names = [one["Name"] for page in pages for one in page["ResourceRecordSets"]]
    assert names == [f"{name}.", f"{name}.", f"a.{name}.", f"b.a.{name}.", f"c.{name}."]
    by_name = route53.list_hosted_zones_by_name(DNSName=name, MaxItems="1")["HostedZones"]
    assert [found["Id"] for found in by_name] == [zone_id]


def test_a_deleted_zone_is_no_longer_answered(route53: Any, sandbox_cloud: Cloud, zone: tuple[str, str]) -> None:
    zone_id, name = zone
    wait(route53, change(route53, zone_id, ("CREATE", record(f"a.{name}", "127.0.0.1"))))
    wait(route53, change(route53, zone_id, ("DELETE", record(f"a.{name}", "127.0.0.1"))))
    assert ask(sandbox_cloud, name, "SOA").answer
    wait(route53, route53.delete_hosted_zone(Id=zone_id)["ChangeInfo"]["Id"])
    assert ask(sandbox_cloud, name, "SOA").rcode() == dns.rcode.NXDOMAIN
