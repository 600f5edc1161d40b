"""What a bucket refuses because of what is in it."""

from __future__ import annotations

import functools

from moto.s3.models import FakeBucket

from sandbox.s3.store import Store, bucket
from sandbox.state import AwsError, Call, SandboxState


def install(state: SandboxState, store: Store) -> None:
    """The checks come before moto, which sees every bucket empty."""
    state.check("s3", "DeleteBucket", functools.partial(check_empty, store))
    state.check("s3", "PutBucketVersioning", check_versioning)


def check_empty(store: Store, call: Call) -> None:
    """A bucket with versions, delete markers included, stays."""
    found: FakeBucket = bucket(call.params["Bucket"])
    with store.lock:
        if store.contents(found).versions:
            raise AwsError("BucketNotEmpty", "The bucket you tried to delete is not empty", 409)
        store.forget(found)


def check_versioning(call: Call) -> None:
    """Object Lock needs versions."""
    status = (call.params.get("VersioningConfiguration") or {}).get("Status")
    if bucket(call.params["Bucket"]).object_lock_enabled and status != "Enabled":
        raise AwsError(
            "InvalidBucketState",
            "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.",
            409,
        )
