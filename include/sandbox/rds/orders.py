"""A new instance, whether empty or from a snapshot: checked, registered, given an address."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from sandbox.rds import described, parameter_groups, rules, subnet_groups
from sandbox.rds.model import Instance, Rds, arn, place, tags_of
from sandbox.state import AwsError, Call

QUOTA = 40
"""DB instances per account and region (Amazon RDS quotas)."""


def place_order(rds: Rds, call: Call, asked: Mapping[str, Any], master: str) -> Instance:
    """A checked and registered instance in state `creating`, with an address but no server yet."""
    identifier = rules.identifier(asked["DBInstanceIdentifier"])
    rules.instance_class(asked.get("DBInstanceClass") or "")
    rules.port(asked.get("Port"), rds.state.service_port)
    recorded = described.recorded(call, asked)
    with rds.state.lock:
        if (place(call), identifier) in rds.instances:
            raise AwsError("DBInstanceAlreadyExists", "DB instance already exists")
        if sum(1 for at, _ in rds.instances if at == place(call)) >= QUOTA:
            raise AwsError("InstanceQuotaExceeded", f"The account has {QUOTA} DB instances, which is the quota.")
        group = parameter_groups.find(rds, call, asked.get("DBParameterGroupName"))
        network = subnet_groups.find(rds, call, asked.get("DBSubnetGroupName"))
        letters = string.ascii_uppercase + string.digits
        resource_id = "db-" + "".join(secrets.choice(letters) for _ in range(26))
        address = rds.state.next_address()
        instance = Instance(
            place(call), identifier, arn(call, "db", identifier), resource_id, "creating", rds.state.now(), address,
            rds.host_name(place(call), identifier), rds.cluster(resource_id, address), group, master, recorded,
            vpc_group=network, tags=tags_of(call),
        )  # fmt: skip
        rds.instances[place(call), identifier] = instance
    return instance
