"""Deletion: a marker where versions are kept, the end of a version where one is named, unless it is locked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.s3.models import FakeBucket

from sandbox.s3 import locks
from sandbox.s3.store import Store, Version, bucket, new_version_id, versioned
from sandbox.state import AwsError, Call

MOST = 1000


def delete(store: Store, call: Call) -> dict[str, Any]:
    """One object, or one version."""
    params = call.params
    if any(params.get(name) for name in ("IfMatch", "IfMatchLastModifiedTime", "IfMatchSize", "MFA")):
        raise AwsError("NotImplemented", "the sandbox does not implement conditional deletes", 501)
    bypass = bool(params.get("BypassGovernanceRetention"))
    return _delete(store, bucket(params["Bucket"]), params["Key"], params.get("VersionId"), bypass)


def delete_many(store: Store, call: Call) -> dict[str, Any]:
    """Up to 1,000, each with its own outcome."""
    params = call.params
    wanted = params["Delete"].get("Objects") or []
    if not 1 <= len(wanted) <= MOST:
        raise AwsError("MalformedXML", "The XML you provided was not well-formed or did not validate")
    found = bucket(params["Bucket"])
    deleted, errors = [], []
    for one in wanted:
        named = {name: one[name] for name in ("Key", "VersionId") if one.get(name)}
        try:
            bypass = bool(params.get("BypassGovernanceRetention"))
            deleted.append(named | _told(_delete(store, found, one["Key"], one.get("VersionId"), bypass), named))
        except AwsError as refused:
            errors.append(named | {"Code": refused.code, "Message": refused.message})
    return {"Deleted": [] if params["Delete"].get("Quiet") else deleted, "Errors": errors}


def _delete(store: Store, found: FakeBucket, key: str, version_id: str | None, bypass: bool) -> dict[str, Any]:
    with store.lock:
        versions = store.contents(found).versions.get(key, [])
        if version_id is not None:
            version = next((one for one in versions if one.id == version_id), None)
            if version is None:
                return {"VersionId": version_id}
            locks.protect(store, version, bypass)
            store.remove(found, version)
            return {"VersionId": version_id} | ({"DeleteMarker": True} if version.parts is None else {})
        if versioned(found):
            marker = Version(key, new_version_id(found), store.now())
            store.add(found, marker)
            return {"VersionId": marker.id, "DeleteMarker": True}
        if versions:
            store.remove(found, versions[-1])
        return {}


def _told(outcome: Mapping[str, Any], named: Mapping[str, Any]) -> dict[str, Any]:
    if not outcome.get("DeleteMarker"):
        return {}
    return {"DeleteMarker": True, "DeleteMarkerVersionId": outcome["VersionId"]}


OPERATIONS = {"DeleteObject": delete, "DeleteObjects": delete_many}
