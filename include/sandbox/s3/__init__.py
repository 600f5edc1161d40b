"""S3 that computes its own checksums, keeps bodies on disk, and holds what Object Lock holds.

Objects, versions and uploads are kept here; what is configured on a bucket (versioning, encryption, lock, policy,
tags) stays moto's and is read from there. Nothing replicates, expires, is inventoried or notified: switching such
things on answers 501, and so does every object operation that is not in OPERATIONS. Bytes are not encrypted at rest;
the key named must exist. Only the bucket's own account gets in, unless its policy lets another one.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import botocore.session

from sandbox.s3 import access, buckets, copying, deleting, listing, locks, multipart, objects, reading, tagging, uploads
from sandbox.s3.store import Store
from sandbox.state import AwsError, Call, SandboxState

MODULES = (copying, deleting, listing, locks, multipart, objects, tagging, uploads)
IDLE = (
    "PutBucketReplication", "PutBucketInventoryConfiguration", "PutBucketNotificationConfiguration",
    "PutBucketNotification", "PutBucketWebsite", "PutBucketAccelerateConfiguration",
)  # fmt: skip
"""Bucket settings that moto would store and nobody would carry out."""


def install(state: SandboxState) -> None:
    """S3's objects are answered from here on."""
    store = Store(state.folder / "s3", state.now)
    model = botocore.session.get_session().get_service_model("s3")
    for operation in model.operation_names:
        shape = model.operation_model(operation).input_shape
        members = shape.members if shape is not None else {}
        if "Bucket" in members and operation != "CreateBucket":
            state.check("s3", operation, access.check)
        if "Key" in members or operation in IDLE:
            state.handle("s3", operation, _absent)
    for module in MODULES:
        for operation, handler in module.OPERATIONS.items():
            state.handle("s3", operation, functools.partial(handler, store))
    for operation, body in (("GetObject", True), ("HeadObject", False)):
        del state.handlers["s3", operation]
        state.handle_raw("s3", operation, functools.partial(reading.answer, store, body))
    buckets.install(state, store)


def _absent(call: Call) -> Mapping[str, Any]:
    raise AwsError("NotImplemented", f"the sandbox does not implement s3:{call.operation}", 501)
