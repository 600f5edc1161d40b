"""The rules of a zone's records: what a batch of changes may do, in which order records are listed.

Source: Amazon Route 53 API reference, ChangeResourceRecordSets and ListResourceRecordSets.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Mapping
from typing import Any

import dns.exception
import dns.rdata

from sandbox.dns import Key, Record
from sandbox.state import AwsError

TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "PTR", "SOA", "SPF", "SRV", "TXT")
ABSENT = (
    "AliasTarget", "CidrRoutingConfig", "Failover", "GeoLocation", "GeoProximityLocation", "HealthCheckId",
    "MultiValueAnswer", "Region", "TrafficPolicyInstanceId",
)  # fmt: skip
LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def host_name(given: str, code: str = "InvalidChangeBatch") -> str:
    """A DNS name in lower case without the last dot."""
    name = given.lower().replace("\\052", "*").removesuffix(".")
    labels = name.split(".")
    if (
        not name
        or len(name) > 253
        or not all(LABEL.fullmatch(x) or (i == 0 and x == "*") for i, x in enumerate(labels))
    ):
        raise AwsError(code, f"[Invalid domain name: {given}]")
    return name


def shown(name: str) -> str:
    """A name as AWS tells it."""
    return name.replace("*", "\\052") + "."


def order(name: str) -> tuple[str, ...]:
    """Sorts names by their labels from the right."""
    return tuple(reversed(name.lower().replace("\\052", "*").rstrip(".").split("."))) if name else ()


def place(key: Key) -> tuple[tuple[str, ...], str, str]:
    """Sorts records as they are listed."""
    return order(key.name), key.kind, key.identifier


def told(key: Key, record: Record) -> dict[str, Any]:
    """Members of ResourceRecordSet."""
    members: dict[str, Any] = {
        "Name": shown(key.name),
        "Type": key.kind,
        "TTL": record.ttl,
        "ResourceRecords": [{"Value": value} for value in record.values],
    }
    return members | ({"SetIdentifier": key.identifier, "Weight": record.weight} if record.weight is not None else {})


def changed(zone: str, records: Mapping[Key, Record], changes: Iterable[Mapping[str, Any]]) -> dict[Key, Record]:
    """The records after all `changes`; InvalidChangeBatch says which of them cannot be."""
    result = dict(records)
    for change in changes:
        key, record = _parsed(zone, change["ResourceRecordSet"])
        _apply(zone, result, change["Action"], key, record)
    return result


def _apply(zone: str, records: dict[Key, Record], action: str, key: Key, record: Record) -> None:
    set_named = f", set identifier='{key.identifier}'" if key.identifier else ""
    named = f"[name='{shown(key.name)}', type='{key.kind}'{set_named}]"
    if action == "DELETE":
        if key not in records:
            raise _invalid(f"Tried to delete resource record set {named} but it was not found")
        if records[key] != record:
            raise _invalid(
                f"Tried to delete resource record set {named} but the values provided do not match the current values"
            )
        if key.name == zone and key.kind in ("NS", "SOA"):
            raise _invalid(f"A HostedZone must contain exactly one {key.kind} record for the zone itself")
        del records[key]
        return
    if action == "CREATE" and key in records:
        raise _invalid(f"Tried to create resource record set {named} but it already exists")
    _beside_others(zone, records, key, record, named)
    records[key] = record


def _beside_others(zone: str, records: Mapping[Key, Record], key: Key, record: Record, named: str) -> None:
    if key.kind == "CNAME" and key.name == zone:
        raise _invalid(f"RRSet of type CNAME with DNS name {shown(key.name)} is not permitted at apex in zone {zone}.")
    for other, held in records.items():
        if other.name != key.name or other == key:
            continue
        if (other.kind == "CNAME") != (key.kind == "CNAME"):
            raise _invalid(
                f"RRSet of type {key.kind} with DNS name {shown(key.name)} is not permitted because a conflicting "
                f"RRSet of type {other.kind} with the same DNS name already exists in zone {zone}."
            )
        if other.kind == key.kind and (held.weight is None) != (record.weight is None):
            raise _invalid(f"Tried to create resource record set {named} but simple and weighted ones cannot be mixed")


def _parsed(zone: str, given: Mapping[str, Any]) -> tuple[Key, Record]:
    absent = [member for member in ABSENT if given.get(member) is not None]
    if absent or given["Type"] not in TYPES:
        what = ", ".join(absent) or f"type {given['Type']}"
        raise AwsError("NotImplemented", f"the sandbox does not implement records with {what}", 501)
    name = host_name(given["Name"])
    if name != zone and not name.endswith("." + zone):
        raise _invalid(f"RRSet with DNS name {shown(name)} is not permitted in zone {zone}.")
    values = tuple(record["Value"] for record in given.get("ResourceRecords") or [])
    if given.get("TTL") is None or not values:
        raise _invalid(f"Missing field 'TTL' or 'ResourceRecords' in Change with [name='{shown(name)}']")
    weight, identifier = given.get("Weight"), given.get("SetIdentifier") or ""
    if (weight is None) != (not identifier):
        raise _invalid(f"Missing field 'Weight' or 'SetIdentifier' in Change with [name='{shown(name)}']")
    if weight is not None and not 0 <= weight <= 255:
        raise _invalid(f"Invalid Weight {weight}: it must be 0 to 255")
    if given["Type"] == "CNAME" and len(values) != 1:
        raise _invalid("A CNAME record has exactly one value")
    return Key(name, given["Type"], identifier), Record(
        given["TTL"], tuple(_value(given["Type"], v) for v in values), weight
    )


def _value(kind: str, value: str) -> str:
    """A value that a nameserver can answer."""
    try:
        if kind == "A":
            return str(ipaddress.IPv4Address(value))
        if kind in ("CNAME", "NS", "PTR"):
            host_name(value)
            return value
        dns.rdata.from_text("IN", kind, value)
    except (ValueError, dns.exception.DNSException) as problem:
        raise _invalid(
            f"Invalid Resource Record: FATAL problem: {kind} {value!r} encountered with its value"
        ) from problem
    return value


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidChangeBatch", f"[{message}]")
