"""The pilot's private network: one VPC, a subnet per zone, no address that another pilot has, no internet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from ipaddress import IPv4Network
from typing import TYPE_CHECKING, Any

from onboarding.aws_errors import explaining
from onboarding.effects import Effects
from onboarding.errors import Stop
from onboarding.manifest import Manifest
from onboarding.observations import Answer, Observation

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

ZONES = 3
SMALLEST = 28  # prefix of the smallest subnet (VPC User Guide, "Subnet CIDR blocks")
POSTGRES = 5432


def check_overlap(manifest: Manifest, others: Iterable[Manifest]) -> None:
    """Raises Stop when another pilot's manifest claims an address of this one's network."""
    for other in others:
        if _clash(manifest, other):
            cidr, theirs = str(manifest.network_cidr), str(other.network_cidr)
            raise Stop("network.overlap", where=manifest.id, cidr=cidr, other=other.id, theirs=theirs)


@explaining("ec2")
def ensure_network(ec2: EC2Client, effects: Effects, manifest: Manifest, others: Iterable[Manifest]) -> str:
    """The VPC's id: DNS names on, one private subnet in each of up to three zones, a group that lets databases in."""
    check_overlap(manifest, others)
    vpc = _ensure_vpc(ec2, effects, manifest)
    if not ec2.describe_vpc_attribute(VpcId=vpc, Attribute="enableDnsHostnames")["EnableDnsHostnames"].get("Value"):
        ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    for zone, cidr in zip(_zones(ec2), _subnets_of(manifest.network_cidr), strict=False):
        _ensure_subnet(ec2, effects, manifest, vpc, zone, cidr)
    ensure_database_group(ec2, effects, manifest)
    return vpc


@explaining("ec2")
def observe_network(ec2: EC2Client, manifest: Manifest, others: Iterable[Manifest], now: datetime) -> Observation:
    """Pass when the VPC has the manifest's addresses, subnets in two zones or more, and shares none of them."""
    vpcs = ec2.describe_vpcs()["Vpcs"]
    ours = next((vpc for vpc in vpcs if _name(vpc) == network_name(manifest)), None)
    rest = [IPv4Network(vpc["CidrBlock"]) for vpc in vpcs if vpc is not ours]
    shared = [str(cidr) for cidr in rest if cidr.overlaps(manifest.network_cidr)]
    shared += [other.id for other in others if _clash(manifest, other)]
    zones = {subnet["AvailabilityZone"] for subnet in subnets(ec2, ours["VpcId"])} if ours else set()
    observed = {"cidr": ours["CidrBlock"] if ours else None, "zones": len(zones), "shared_with": shared}
    expected = {"cidr": str(manifest.network_cidr), "zones": "2 or more", "shared_with": []}
    holds = observed["cidr"] == expected["cidr"] and len(zones) >= 2 and not shared
    answer = Answer.PASS if holds else Answer.FAIL
    values = {"observed": observed}
    return Observation("account.network", answer, observed, expected, now, "network.not_in_place", values)


@explaining("ec2")
def ensure_database_group(ec2: EC2Client, effects: Effects, manifest: Manifest, port: int = POSTGRES) -> str:
    """The id of the security group of the pilot's databases: `port` from the pilot's own network, nothing else."""
    name, vpc = f"{network_name(manifest)}-databases", vpc_of(ec2, manifest)

    def find() -> Mapping[str, str] | None:
        filters: Any = [{"Name": "group-name", "Values": [name]}, {"Name": "vpc-id", "Values": [vpc]}]
        groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return next(({"group": group["GroupId"]} for group in groups), None)

    def perform() -> Mapping[str, str]:
        made = ec2.create_security_group(GroupName=name, Description="Databases of a Namrong pilot", VpcId=vpc)
        return {"group": made["GroupId"]}

    made = effects.make("ec2", "CreateSecurityGroup", name, {"name": name, "vpc": vpc}, find=find, perform=perform)
    group = str(made["group"])
    held = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
    if port not in [rule.get("FromPort") for rule in held]:
        ranges: Any = [{"CidrIp": str(manifest.network_cidr)}]
        ec2.authorize_security_group_ingress(
            GroupId=group,
            IpPermissions=[{"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": ranges}],
        )
    return group


def network_name(manifest: Manifest) -> str:
    """The VPC's Name tag, its natural key."""
    return f"namrong-{manifest.id}"


def vpc_of(ec2: EC2Client, manifest: Manifest) -> str:
    """The id of the pilot's VPC. Raises Stop when there is none."""
    found = _find_vpc(ec2, manifest)
    if found is None:
        raise Stop("network.no_vpc", where=network_name(manifest))
    return found


def subnets(ec2: EC2Client, vpc: str) -> list[Any]:
    """The subnets of a VPC, by id."""
    pages = ec2.get_paginator("describe_subnets").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return sorted((subnet for page in pages for subnet in page["Subnets"]), key=lambda subnet: str(subnet["SubnetId"]))


def _clash(manifest: Manifest, other: Manifest) -> bool:
    return other.id != manifest.id and manifest.network_cidr.overlaps(other.network_cidr)


def _ensure_vpc(ec2: EC2Client, effects: Effects, manifest: Manifest) -> str:
    name, cidr = network_name(manifest), str(manifest.network_cidr)

    def find() -> Mapping[str, str] | None:
        found = _find_vpc(ec2, manifest)
        return None if found is None else {"vpc": found}

    def perform() -> Mapping[str, str]:
        made = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=_named("vpc", name))
        return {"vpc": made["Vpc"]["VpcId"]}

    return str(effects.make("ec2", "CreateVpc", name, {"name": name, "cidr": cidr}, find=find, perform=perform)["vpc"])


def _ensure_subnet(
    ec2: EC2Client, effects: Effects, manifest: Manifest, vpc: str, zone: str, cidr: IPv4Network
) -> None:
    name = f"{network_name(manifest)}-{zone}"

    def find() -> Mapping[str, str] | None:
        held = {subnet["CidrBlock"]: subnet["SubnetId"] for subnet in subnets(ec2, vpc)}
        return {"subnet": held[str(cidr)]} if str(cidr) in held else None

    def perform() -> Mapping[str, str]:
        made = ec2.create_subnet(
            VpcId=vpc, AvailabilityZone=zone, CidrBlock=str(cidr), TagSpecifications=_named("subnet", name)
        )
        return {"subnet": made["Subnet"]["SubnetId"]}

    effects.make("ec2", "CreateSubnet", name, {"vpc": vpc, "cidr": str(cidr)}, find=find, perform=perform)


def _find_vpc(ec2: EC2Client, manifest: Manifest) -> str | None:
    filters: Any = [{"Name": "tag:Name", "Values": [network_name(manifest)]}]
    return next((vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=filters)["Vpcs"]), None)


def _subnets_of(cidr: IPv4Network) -> list[IPv4Network]:
    """Four equal parts, of which the zones take the first three and the last stays free."""
    if cidr.prefixlen + 2 > SMALLEST:
        raise Stop("network.too_small", cidr=str(cidr), prefix=SMALLEST - 2)
    return list(cidr.subnets(prefixlen_diff=2))


def _zones(ec2: EC2Client) -> list[str]:
    filters: Any = [{"Name": "zone-type", "Values": ["availability-zone"]}]
    zones = ec2.describe_availability_zones(Filters=filters)["AvailabilityZones"]
    return sorted(zone["ZoneName"] for zone in zones if zone["State"] == "available")[:ZONES]


def _name(resource: Any) -> str:
    return next((str(tag["Value"]) for tag in resource.get("Tags", []) if tag["Key"] == "Name"), "")


def _named(kind: str, name: str) -> Any:
    return [{"ResourceType": kind, "Tags": [{"Key": "Name", "Value": name}]}]
