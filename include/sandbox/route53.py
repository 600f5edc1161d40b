"""Route 53 whose changes are PENDING for a while and answered by the nameserver when INSYNC, not before.

Public and private zones with simple and weighted records. Aliases, health checks and other routing policies answer
501: nothing here would follow them. Source: Amazon Route 53 API reference, ChangeResourceRecordSets.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session

from sandbox import records, zones
from sandbox.dns import Key, Record, draw
from sandbox.state import AwsError, Call, SandboxState
from sandbox.zones import NAMESERVERS, HostedZone, Route53

PAGE = 300


def create_zone(route53: Route53, call: Call) -> dict[str, Any]:
    """A zone with its NS and SOA records."""
    name = records.host_name(call.params["Name"], "InvalidDomainName")
    reference = call.params["CallerReference"]
    if call.params.get("DelegationSetId"):
        raise AwsError("NotImplemented", "the sandbox does not implement reusable delegation sets", 501)
    vpc = call.params.get("VPC")
    config = {"PrivateZone": vpc is not None, "Comment": (call.params.get("HostedZoneConfig") or {}).get("Comment", "")}
    with route53.state.lock:
        if any((zone.account, zone.reference) == (call.account, reference) for zone in route53.zones.values()):
            raise AwsError("HostedZoneAlreadyExists", f"A hosted zone was already created with {reference}.", 409)
        own = {
            Key(name, "NS"): Record(172800, NAMESERVERS),
            Key(name, "SOA"): Record(900, (f"{NAMESERVERS[0]} hostmaster.sandbox.example. 1 7200 900 1209600 60",)),
        }
        zone = HostedZone(call.account, zones.new_id("Z"), name, reference, config, [dict(vpc)] if vpc else [], own)
        route53.zones[zone.id] = zone
        change = route53.submit(zone)
    told = {"HostedZone": zones.told(zone), "ChangeInfo": change, "Location": f"/2013-04-01/hostedzone/{zone.id}"}
    return told | ({"VPC": vpc} if vpc else {"DelegationSet": zones.delegation()})


def get_zone(route53: Route53, call: Call) -> dict[str, Any]:
    """One zone."""
    with route53.state.lock:
        zone = route53.zone(call, call.params["Id"])
        return {"HostedZone": zones.told(zone)} | (
            {"VPCs": zone.vpcs} if zone.vpcs else {"DelegationSet": zones.delegation()}
        )


def list_zones(route53: Route53, call: Call) -> dict[str, Any]:
    """The caller's zones by id, a page at a time."""
    marker = call.params.get("Marker") or ""
    with route53.state.lock:
        mine = sorted((z for z in route53.zones.values() if z.account == call.account), key=lambda zone: zone.id)
    size = _size(call, 100)
    rest = [zone for zone in mine if zone.id >= marker]
    told: dict[str, Any] = {"HostedZones": [zones.told(z) for z in rest[:size]], "IsTruncated": len(rest) > size}
    return (
        told | {"Marker": marker, "MaxItems": str(size)} | ({"NextMarker": rest[size].id} if len(rest) > size else {})
    )


def list_zones_by_name(route53: Route53, call: Call) -> dict[str, Any]:
    """The caller's zones in the order of their names read from the right, from `DNSName` on."""
    first = call.params.get("DNSName") or ""
    start = (records.order(first), zones.bare(call.params.get("HostedZoneId") or ""))
    with route53.state.lock:
        mine = [z for z in route53.zones.values() if z.account == call.account]
    ordered = sorted((records.order(zone.name), zone.id, zone) for zone in mine)
    rest = [zone for name, zone_id, zone in ordered if not first or (name, zone_id) >= start]
    size = _size(call, 100)
    told: dict[str, Any] = {"HostedZones": [zones.told(z) for z in rest[:size]], "IsTruncated": len(rest) > size}
    if len(rest) > size:
        told |= {"NextDNSName": rest[size].name + ".", "NextHostedZoneId": rest[size].id}
    return told | {"MaxItems": str(size)} | ({"DNSName": first} if first else {})


def delete_zone(route53: Route53, call: Call) -> dict[str, Any]:
    """Gone, if it holds nothing but its own NS and SOA."""
    with route53.state.lock:
        zone = route53.zone(call, call.params["Id"])
        if len(zone.records) > 2:
            raise AwsError("HostedZoneNotEmpty", "The specified hosted zone contains non-required resource record sets")
        del route53.zones[zone.id]
        return {"ChangeInfo": route53.submit(zone)}


def change_records(route53: Route53, call: Call) -> dict[str, Any]:
    """All changes of the batch or none; PENDING until the nameserver answers accordingly."""
    batch = call.params["ChangeBatch"]
    with route53.state.lock:
        zone = route53.zone(call, call.params["HostedZoneId"])
        zone.records = records.changed(zone.name, zone.records, batch["Changes"])
        return {"ChangeInfo": route53.submit(zone, batch.get("Comment") or "")}


def get_change(route53: Route53, call: Call) -> dict[str, Any]:
    """PENDING or INSYNC."""
    with route53.state.lock:
        change = route53.changes.get(zones.bare(call.params["Id"]))
        if change is None or change.account != call.account:
            raise AwsError("NoSuchChange", f"Could not find resource with ID: {zones.bare(call.params['Id'])}", 404)
        return {"ChangeInfo": zones.told_change(change)}


def list_records(route53: Route53, call: Call) -> dict[str, Any]:
    """The zone's records in AWS's order, a page at a time."""
    asked = call.params
    if asked.get("StartRecordType") and not asked.get("StartRecordName"):
        raise AwsError("InvalidInput", "The input is not valid: a start type needs a start name")
    with route53.state.lock:
        held = dict(route53.zone(call, asked["HostedZoneId"]).records)
    start = Key(
        asked.get("StartRecordName") or "", asked.get("StartRecordType") or "", asked.get("StartRecordIdentifier") or ""
    )
    ordered = sorted(held, key=records.place)
    rest = [key for key in ordered if records.place(key) >= records.place(start)]
    size = _size(call, PAGE)
    told: dict[str, Any] = {
        "ResourceRecordSets": [records.told(key, held[key]) for key in rest[:size]],
        "IsTruncated": len(rest) > size,
        "MaxItems": str(size),
    }
    if len(rest) > size:
        name, kind, identifier = rest[size]
        told |= {"NextRecordName": records.shown(name), "NextRecordType": kind}
        told |= {"NextRecordIdentifier": identifier} if identifier else {}
    return told


def test_answer(route53: Route53, call: Call) -> dict[str, Any]:
    """What the zone answers now, from the records in sync."""
    with route53.state.lock:
        zone = route53.zone(call, call.params["HostedZoneId"])
        served = route53.state.zones.get(zone.id)
    name, kind = records.host_name(call.params["RecordName"], "InvalidInput"), call.params["RecordType"]
    held = dict(served.records) if served else {}
    found = [record for key, record in held.items() if key[:2] == (name, kind)]
    exists = any(key.name == name for key in held)
    return {
        "Nameserver": NAMESERVERS[0].rstrip("."),
        "RecordName": name,
        "RecordType": kind,
        "RecordData": list(draw(found).values) if found else [],
        "ResponseCode": "NOERROR" if exists else "NXDOMAIN",
        "Protocol": "UDP",
    }


def change_tags(route53: Route53, call: Call) -> dict[str, Any]:
    """Sets and removes tags of a zone."""
    with route53.state.lock:
        tags = _tagged(route53, call).tags
        tags.update({tag["Key"]: tag.get("Value", "") for tag in call.params.get("AddTags") or []})
        for key in call.params.get("RemoveTagKeys") or []:
            tags.pop(key, None)
    return {}


def list_tags(route53: Route53, call: Call) -> dict[str, Any]:
    """A zone's tags."""
    with route53.state.lock:
        zone = _tagged(route53, call)
        tags = [{"Key": key, "Value": value} for key, value in sorted(zone.tags.items())]
    return {"ResourceTagSet": {"ResourceType": "hostedzone", "ResourceId": zone.id, "Tags": tags}}


def _tagged(route53: Route53, call: Call) -> HostedZone:
    if call.params["ResourceType"] != "hostedzone":
        raise AwsError("NotImplemented", "the sandbox has no health checks", 501)
    return route53.zone(call, call.params["ResourceId"])


def _size(call: Call, most: int) -> int:
    wanted = call.params.get("MaxItems")
    if wanted is None:
        return most
    if not str(wanted).isdecimal() or int(wanted) < 1:
        raise AwsError("InvalidInput", f"Invalid MaxItems: {wanted}")
    return min(int(wanted), most)


OPERATIONS: dict[str, Callable[[Route53, Call], Mapping[str, Any]]] = {
    "CreateHostedZone": create_zone,
    "GetHostedZone": get_zone,
    "ListHostedZones": list_zones,
    "ListHostedZonesByName": list_zones_by_name,
    "DeleteHostedZone": delete_zone,
    "ChangeResourceRecordSets": change_records,
    "GetChange": get_change,
    "ListResourceRecordSets": list_records,
    "TestDNSAnswer": test_answer,
    "ChangeTagsForResource": change_tags,
    "ListTagsForResource": list_tags,
}


def install(state: SandboxState) -> None:
    """Route 53 answers from here on; what is not done here answers 501."""
    route53 = Route53(state)
    for operation in botocore.session.get_session().get_service_model("route53").operation_names:
        handler = OPERATIONS.get(operation)
        state.handle("route53", operation, functools.partial(handler, route53) if handler else _absent)


def _absent(call: Call) -> Mapping[str, Any]:
    raise AwsError("NotImplemented", f"the sandbox does not implement route53:{call.operation}", 501)
