"""Tags of RDS resources."""

from __future__ import annotations

from typing import Any

from sandbox.rds.model import Rds, place, tag_list, tags_of
from sandbox.state import AwsError, Call

NOT_FOUND = {
    "db": ("DBInstanceNotFound", "DBInstance"),
    "snapshot": ("DBSnapshotNotFound", "DBSnapshot"),
    "pg": ("DBParameterGroupNotFound", "DBParameterGroup"),
    "subgrp": ("DBSubnetGroupNotFoundFault", "DBSubnetGroup"),
}


def add(rds: Rds, call: Call) -> dict[str, Any]:
    """Sets tags; earlier values of the same keys go."""
    with rds.state.lock:
        _tags(rds, call).update(tags_of(call))
    return {}


def remove(rds: Rds, call: Call) -> dict[str, Any]:
    """Removes tags; keys that are not there do not matter."""
    with rds.state.lock:
        tags = _tags(rds, call)
        for key in call.params["TagKeys"]:
            tags.pop(key, None)
    return {}


def listed(rds: Rds, call: Call) -> dict[str, Any]:
    """All tags of a resource."""
    with rds.state.lock:
        return {"TagList": tag_list(_tags(rds, call))}


def _tags(rds: Rds, call: Call) -> dict[str, str]:
    named = str(call.params["ResourceName"])
    parts = named.split(":", 6)
    if len(parts) != 7 or parts[2] != "rds" or parts[5] not in NOT_FOUND:
        raise AwsError("InvalidParameterValue", f"Unexpected or incorrect ARN: {named}")
    key = (place(call), parts[6])
    resources: tuple[dict[Any, Any], ...] = (rds.instances, rds.snapshots, rds.groups, rds.subnet_groups)
    resource = dict(zip(NOT_FOUND, resources, strict=True))[parts[5]].get(key)
    if resource is None or resource.arn != named:
        code, kind = NOT_FOUND[parts[5]]
        raise AwsError(code, f"{kind} {parts[6]} not found.", 404)
    tags: dict[str, str] = resource.tags
    return tags


OPERATIONS = {"AddTagsToResource": add, "RemoveTagsFromResource": remove, "ListTagsForResource": listed}
