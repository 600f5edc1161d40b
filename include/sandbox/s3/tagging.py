"""Object tags."""

from __future__ import annotations

from typing import Any

from sandbox.s3.objects import MOST_TAGS
from sandbox.s3.store import Store, bucket, versioned
from sandbox.state import AwsError, Call


def put(store: Store, call: Call) -> dict[str, Any]:
    """All tags of a version, anew."""
    given = (call.params.get("Tagging") or {}).get("TagSet") or []
    tags = {tag["Key"]: tag.get("Value", "") for tag in given}
    if len(tags) != len(given):
        raise AwsError("InvalidTag", "Cannot provide multiple Tags with the same key")
    if len(tags) > MOST_TAGS:
        raise AwsError("BadRequest", f"Object tags cannot be greater than {MOST_TAGS}")
    return _changed(store, call, tags)


def delete(store: Store, call: Call) -> dict[str, Any]:
    """No tags."""
    return _changed(store, call, {})


def get(store: Store, call: Call) -> dict[str, Any]:
    """The tags of a version."""
    found = bucket(call.params["Bucket"])
    version = store.version(found, call.params["Key"], call.params.get("VersionId"))
    told: dict[str, Any] = {"TagSet": [{"Key": key, "Value": value} for key, value in sorted(version.tags.items())]}
    return told | ({"VersionId": version.id} if versioned(found) else {})


def _changed(store: Store, call: Call, tags: dict[str, str]) -> dict[str, Any]:
    found = bucket(call.params["Bucket"])
    version = store.version(found, call.params["Key"], call.params.get("VersionId"))
    version.tags = tags
    return {"VersionId": version.id} if versioned(found) else {}


OPERATIONS = {"PutObjectTagging": put, "GetObjectTagging": get, "DeleteObjectTagging": delete}
