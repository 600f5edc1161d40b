"""Object Lock: retention that nobody shortens (COMPLIANCE), or only with the bypass (GOVERNANCE), and legal hold.

Source: Amazon S3 user guide, "Locking objects with Object Lock".
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from moto.s3.models import FakeBucket

from sandbox.s3.store import Store, Version, bucket
from sandbox.state import AwsError, Call

MODES = ("COMPLIANCE", "GOVERNANCE")


def of_new(store: Store, found: FakeBucket, params: Mapping[str, Any]) -> dict[str, Any]:
    """The lock (`mode`, `until`, `legal_hold`) of an object that is being written: as asked, else the default."""
    mode, until = params.get("ObjectLockMode"), params.get("ObjectLockRetainUntilDate")
    hold = params.get("ObjectLockLegalHoldStatus") == "ON"
    if (mode or until or hold) and not found.object_lock_enabled:
        raise _no_lock()
    if (mode is None) != (until is None):
        raise AwsError(
            "InvalidArgument",
            "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied",
        )
    if mode is None and found.has_default_lock:
        period = timedelta(days=int(found.default_lock_days or 0) + 365 * int(found.default_lock_years or 0))
        return {"mode": found.default_lock_mode, "until": store.now() + period, "legal_hold": hold}
    return {"mode": _mode(mode), "until": _future(store, until), "legal_hold": hold}


def protect(store: Store, version: Version, bypass: bool) -> None:
    """Refuses the removal of a version that is locked now."""
    held = version.legal_hold or (_active(store, version) and not (version.mode == "GOVERNANCE" and bypass))
    if held:
        raise AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)


def put_retention(store: Store, call: Call) -> dict[str, Any]:
    """A new retention: a COMPLIANCE one that runs can only be made longer."""
    found = _locking(call)
    asked = call.params.get("Retention") or {}
    mode, until = _mode(asked.get("Mode")), _future(store, asked.get("RetainUntilDate"))
    if (mode is None) != (until is None):
        raise AwsError("MalformedXML", "The XML you provided was not well-formed")
    with store.lock:
        version = store.version(found, call.params["Key"], call.params.get("VersionId"))
        if _active(store, version):
            weaker = mode is None or until is None or version.until is None or until < version.until
            weaker = weaker or (version.mode == "COMPLIANCE" and mode != "COMPLIANCE")
            bypassed = version.mode == "GOVERNANCE" and call.params.get("BypassGovernanceRetention")
            if weaker and not bypassed:
                raise AwsError("AccessDenied", "Access Denied because object protected by object lock.", 403)
        version.mode, version.until = mode, until
    return {}


def get_retention(store: Store, call: Call) -> dict[str, Any]:
    """Mode and date; NoSuchObjectLockConfiguration when there are none."""
    found = _locking(call)
    with store.lock:
        version = store.version(found, call.params["Key"], call.params.get("VersionId"))
        if version.mode is None:
            raise _not_set()
        return {"Retention": {"Mode": version.mode, "RetainUntilDate": version.until}}


def put_legal_hold(store: Store, call: Call) -> dict[str, Any]:
    """ON or OFF."""
    found = _locking(call)
    status = (call.params.get("LegalHold") or {}).get("Status")
    if status not in ("ON", "OFF"):
        raise AwsError("MalformedXML", "The XML you provided was not well-formed")
    with store.lock:
        store.version(found, call.params["Key"], call.params.get("VersionId")).legal_hold = status == "ON"
    return {}


def get_legal_hold(store: Store, call: Call) -> dict[str, Any]:
    """ON or OFF."""
    found = _locking(call)
    with store.lock:
        version = store.version(found, call.params["Key"], call.params.get("VersionId"))
        return {"LegalHold": {"Status": "ON" if version.legal_hold else "OFF"}}


def told(version: Version) -> dict[str, Any]:
    """The lock as GetObject and HeadObject tell it."""
    members: dict[str, Any] = {}
    if version.mode is not None:
        members |= {"ObjectLockMode": version.mode, "ObjectLockRetainUntilDate": version.until}
    return members | ({"ObjectLockLegalHoldStatus": "ON"} if version.legal_hold else {})


def _active(store: Store, version: Version) -> bool:
    return version.mode is not None and version.until is not None and version.until > store.now()


def _locking(call: Call) -> FakeBucket:
    found = bucket(call.params["Bucket"])
    if not found.object_lock_enabled:
        raise _no_lock()
    return found


def _mode(given: str | None) -> str | None:
    if given is not None and given not in MODES:
        raise AwsError("InvalidArgument", "Unknown wormMode directive.")
    return given


def _future(store: Store, given: datetime | None) -> datetime | None:
    if given is None:
        return None
    until = given.replace(tzinfo=given.tzinfo or UTC)
    if until <= store.now():
        raise AwsError("InvalidArgument", "The retain until date must be in the future!")
    return until


def _no_lock() -> AwsError:
    return AwsError("InvalidRequest", "Bucket is missing Object Lock Configuration")


def _not_set() -> AwsError:
    return AwsError(
        "NoSuchObjectLockConfiguration", "The specified object does not have a ObjectLock configuration", 404
    )


OPERATIONS = {
    "PutObjectRetention": put_retention,
    "GetObjectRetention": get_retention,
    "PutObjectLegalHold": put_legal_hold,
    "GetObjectLegalHold": get_legal_hold,
}
