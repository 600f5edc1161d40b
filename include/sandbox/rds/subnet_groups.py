"""DB subnet groups over the subnets that EC2 knows; described only, since everything is on one machine."""

from __future__ import annotations

from typing import Any

from moto.backends import get_backend
from moto.ec2.exceptions import InvalidSubnetIdError

from sandbox.rds.model import Rds, SubnetGroup, arn, last_part, only, page, place, tags_of
from sandbox.state import AwsError, Call


def find(rds: Rds, call: Call, name: str | None) -> SubnetGroup | None:
    """The group of that name; None when none is named."""
    if not name:
        return None
    group = rds.subnet_groups.get((place(call), last_part(name).lower()))
    if group is None:
        raise AwsError("DBSubnetGroupNotFoundFault", f"DB subnet group '{name}' does not exist.", 404)
    return group


def described(group: SubnetGroup) -> dict[str, Any]:
    """The group as AWS tells it."""
    return {
        "DBSubnetGroupName": group.name,
        "DBSubnetGroupDescription": group.description,
        "DBSubnetGroupArn": group.arn,
        "VpcId": group.vpc,
        "SubnetGroupStatus": "Complete",
        "Subnets": [
            {"SubnetIdentifier": subnet, "SubnetAvailabilityZone": {"Name": zone}, "SubnetStatus": "Active"}
            for subnet, zone in group.subnets
        ],
    }


def create(rds: Rds, call: Call) -> dict[str, Any]:
    """A group of subnets of one network in at least two zones."""
    only(call, ("DBSubnetGroupName", "DBSubnetGroupDescription", "SubnetIds", "Tags"))
    name = str(call.params["DBSubnetGroupName"]).lower()
    vpc, subnets = _subnets(call)
    with rds.state.lock:
        if name == "default" or (place(call), name) in rds.subnet_groups:
            raise AwsError("DBSubnetGroupAlreadyExists", f"The DB subnet group '{name}' already exists.")
        description = call.params["DBSubnetGroupDescription"]
        group = SubnetGroup(name, arn(call, "subgrp", name), description, vpc, subnets, tags_of(call))
        rds.subnet_groups[place(call), name] = group
    return {"DBSubnetGroup": described(group)}


def describe(rds: Rds, call: Call) -> dict[str, Any]:
    """The named group, or all."""
    with rds.state.lock:
        one = find(rds, call, call.params.get("DBSubnetGroupName"))
        groups = [one] if one else [group for (at, _), group in rds.subnet_groups.items() if at == place(call)]
    return page(call, [described(group) for group in groups], "DBSubnetGroups", "DBSubnetGroupName")


def delete(rds: Rds, call: Call) -> dict[str, Any]:
    """Gone, unless an instance uses it."""
    with rds.state.lock:
        group = find(rds, call, call.params["DBSubnetGroupName"])
        if any(instance.vpc_group is group for instance in rds.instances.values()):
            raise AwsError("InvalidDBSubnetGroupStateFault", "Cannot delete the subnet group: an instance uses it.")
        if group is not None:
            del rds.subnet_groups[place(call), group.name]
    return {}


def _subnets(call: Call) -> tuple[str, list[tuple[str, str]]]:
    ec2 = get_backend("ec2")[call.account][call.region]
    try:
        found = [ec2.get_subnet(subnet) for subnet in call.params["SubnetIds"]]
    except InvalidSubnetIdError as failure:
        raise AwsError("InvalidSubnet", str(failure.message)) from failure
    if len({subnet.vpc_id for subnet in found}) != 1:
        raise AwsError("InvalidSubnet", "Subnets must be in one VPC.")
    if len({subnet.availability_zone for subnet in found}) < 2:
        raise AwsError(
            "DBSubnetGroupDoesNotCoverEnoughAZs",
            "The DB subnet group doesn't meet Availability Zone (AZ) coverage requirement. Add subnets in at least 2.",
        )
    return str(found[0].vpc_id), [(str(subnet.id), str(subnet.availability_zone)) for subnet in found]


OPERATIONS = {"CreateDBSubnetGroup": create, "DescribeDBSubnetGroups": describe, "DeleteDBSubnetGroup": delete}
