"""Who may touch a bucket: its own account, and whom its policy lets; whom its policy denies, not.

IAM policies of the caller's own account are not evaluated. The loopback connection counts as TLS
(`aws:SecureTransport` is true), since the sandbox has none.
"""

from __future__ import annotations

import json

from sandbox import statements
from sandbox.s3.store import bucket
from sandbox.state import AwsError, Call

ACTIONS = {
    "HeadBucket": "ListBucket",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListParts": "ListMultipartUploadParts",
    "HeadObject": "GetObject",
    "DeleteObjects": "DeleteObject",
    "CopyObject": "PutObject",
    "CreateMultipartUpload": "PutObject",
    "UploadPart": "PutObject",
    "CompleteMultipartUpload": "PutObject",
}
"""Actions that are not called like their operation (Service authorization reference, Amazon S3)."""
EVERYBODY = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}


def check(call: Call) -> None:
    """Refuses with AccessDenied; NoSuchBucket when there is none."""
    may(call, call.params["Bucket"], ACTIONS.get(call.operation, call.operation), call.params.get("Key"))


def may(call: Call, name: str, action: str, key: str | None = None) -> None:
    """Whether the caller may do that to an object, or without `key` to the bucket."""
    found = bucket(name)
    if call.params.get("ExpectedBucketOwner") not in (None, found.account_id):
        raise _denied()
    own = call.account == found.account_id
    if not call.caller.startswith("arn:"):
        return  # one of AWS's own services, which has asked the bucket's policy already
    if found.policy is None:
        if own:
            return
        raise _denied()
    document = json.loads(found.policy)
    given = statements.as_list(document.get("Statement", []))
    if own:
        document = {**document, "Statement": [*given, EVERYBODY]}
    resource = f"arn:aws:s3:::{name}" + ("" if key is None else f"/{key}")
    context = {
        "aws:securetransport": "true",
        "aws:principalarn": statements.role_of(call.caller),
        "aws:principalaccount": call.account,
        "aws:requestedregion": call.region,
        "s3:x-amz-server-side-encryption": call.params.get("ServerSideEncryption") or "",
    }
    known = {name: value for name, value in context.items() if value}
    asked = statements.Asked(f"s3:{action}", statements.is_caller(call.caller), resource, known)
    if not statements.allows(document, asked):
        raise _denied()


def _denied() -> AwsError:
    return AwsError("AccessDenied", "Access Denied", 403)
