"""What the sandbox's RDS knows: instances, snapshots, groups, per account and region."""

from __future__ import annotations

import hashlib
import secrets
import string
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox.postgres import Cluster
from sandbox.state import AwsError, Call, SandboxState

SUPERUSER = "rdsadmin"
Place = tuple[str, str]
"""Account and region."""


@dataclass
class ParameterGroup:
    """Values that differ from the engine's defaults, by parameter name."""

    name: str
    arn: str
    family: str
    description: str
    values: dict[str, str] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class SubnetGroup:
    """Where an instance would stand in a network: described, without effect on one machine."""

    name: str
    arn: str
    description: str
    vpc: str
    subnets: list[tuple[str, str]]
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Instance:
    """One DB instance. `described` holds members that are only told back; `booted` the static values in force."""

    place: Place
    identifier: str
    arn: str
    resource_id: str
    status: str
    created: datetime
    address: str
    host_name: str
    cluster: Cluster
    group: ParameterGroup
    master: str
    described: dict[str, Any]
    vpc_group: SubnetGroup | None = None
    secret_arn: str | None = None
    booted_group: ParameterGroup | None = None
    booted: dict[str, str] = field(default_factory=dict)
    pending: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class Snapshot:
    """A consistent copy of one instance's data directory, in `folder` once it is available."""

    place: Place
    identifier: str
    arn: str
    instance: str
    resource_id: str
    status: str
    created: datetime
    instance_created: datetime
    folder: Path
    master: str
    described: dict[str, Any]
    size: int = 0
    tags: dict[str, str] = field(default_factory=dict)


class Rds:
    """All accounts' RDS in one process. Hold `state.lock` to change it; never while a server starts or stops."""

    def __init__(self, state: SandboxState) -> None:
        self.state = state
        self.folder = state.folder / "rds"
        self.superuser_password = secrets.token_urlsafe()
        self.instances: dict[tuple[Place, str], Instance] = {}
        self.snapshots: dict[tuple[Place, str], Snapshot] = {}
        self.groups: dict[tuple[Place, str], ParameterGroup] = {}
        self.subnet_groups: dict[tuple[Place, str], SubnetGroup] = {}
        self._salt = secrets.token_hex(4)

    def cluster(self, resource_id: str, address: str) -> Cluster:
        """The (not yet made) server of an instance."""
        return Cluster(
            self.folder / resource_id / "data", address, self.state.service_port, SUPERUSER, self.superuser_password
        )

    def host_name(self, place: Place, identifier: str) -> str:
        """The endpoint's name, in AWS's form; the middle label belongs to the account and region."""
        digest = hashlib.sha256(f"{self._salt}{place}".encode()).digest()
        letters = string.ascii_lowercase + string.digits
        return f"{identifier}.{''.join(letters[byte % 36] for byte in digest[:12])}.{place[1]}.rds.amazonaws.com"

    def instance(self, call: Call, *statuses: str) -> Instance:
        """The instance that the call names, in one of `statuses` if any are given."""
        name = last_part(str(call.params["DBInstanceIdentifier"]))
        found = self.instances.get((place(call), name.lower()))
        if found is None:
            raise AwsError("DBInstanceNotFound", f"DBInstance {name} not found.", 404)
        if statuses and found.status not in statuses:
            allowed = " or ".join(statuses)
            raise AwsError(
                "InvalidDBInstanceState", f"Instance {name} is not in {allowed} state (it is {found.status})."
            )
        return found

    def stop(self) -> None:
        """Every server stopped, side by side."""
        clusters = [instance.cluster for instance in self.instances.values()]
        if clusters:
            with ThreadPoolExecutor(max_workers=8) as pool:
                list(pool.map(Cluster.stop, clusters))


def place(call: Call) -> Place:
    """Whose and where."""
    return call.account, call.region


def arn(call: Call, kind: str, name: str) -> str:
    """The ARN of an RDS resource of the caller's."""
    return f"arn:aws:rds:{call.region}:{call.account}:{kind}:{name}"


def last_part(name_or_arn: str) -> str:
    """A resource's name; most operations take its ARN as well."""
    return name_or_arn.rsplit(":", 1)[-1]


def tags_of(call: Call) -> dict[str, str]:
    """The tags a call carries."""
    return {tag["Key"]: tag.get("Value", "") for tag in call.params.get("Tags") or []}


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as AWS lists them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def only(call: Call, known: Iterable[str]) -> None:
    """Refuses (501) a call that asks for more than we do, rather than ignore a part of it."""
    # a member that is false, empty or zero asks for nothing
    unknown = sorted(name for name, value in call.params.items() if value and name not in set(known))
    if unknown:
        raise AwsError(
            "NotImplemented", f"the sandbox does not implement {', '.join(unknown)} of rds:{call.operation}", 501
        )


def page(call: Call, items: list[dict[str, Any]], member: str, key: str) -> dict[str, Any]:
    """One page of `items`, in order of `key`, and the marker of the next."""
    size = call.params.get("MaxRecords") or 100
    if not 20 <= size <= 100:
        raise AwsError("InvalidParameterValue", f"Invalid value {size} for MaxRecords. Must be between 20 and 100")
    ordered = sorted(items, key=lambda item: str(item[key]))
    after = call.params.get("Marker")
    if after:
        ordered = [item for item in ordered if str(item[key]) > after]
    answer: dict[str, Any] = {member: ordered[:size]}
    if len(ordered) > size:
        answer["Marker"] = str(ordered[size - 1][key])
    return answer


def filtered(call: Call, items: list[dict[str, Any]], members: Mapping[str, str]) -> list[dict[str, Any]]:
    """The items that pass the call's filters; `members` says which member a filter looks at."""
    for wanted in call.params.get("Filters") or []:
        name = wanted["Name"]
        if name not in members:
            raise AwsError("InvalidParameterValue", f"Unrecognized filter name: {name}")
        values = {last_part(value) for value in wanted.get("Values") or []}
        items = [item for item in items if str(item.get(members[name])) in values]
    return items
