"""GetObject and HeadObject: bytes go from the file to the wire a block at a time."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox import answers, wire
from sandbox.s3 import checksums, locks
from sandbox.s3.store import Store, Version, bucket, read, versioned
from sandbox.state import AwsError

BLOCK = 1 << 20
OVERRIDES = {
    "ResponseCacheControl": "CacheControl",
    "ResponseContentDisposition": "ContentDisposition",
    "ResponseContentEncoding": "ContentEncoding",
    "ResponseContentLanguage": "ContentLanguage",
    "ResponseContentType": "ContentType",
}


def answer(store: Store, body: bool, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """The object's headers, and its bytes if `body`."""
    asked = wire.identify(environ, "s3", b"")
    params = wire.parameters(asked, environ, b"")
    if params.get("PartNumber") or params.get("SSECustomerAlgorithm"):
        raise AwsError("NotImplemented", "the sandbox does not implement PartNumber and SSE-C of S3", 501)
    found = bucket(params["Bucket"])
    version = store.version(found, params["Key"], params.get("VersionId"))
    if not_modified(version, params):
        start_response("304 Not Modified", [("ETag", f'"{version.etag}"')])
        return []
    members = told(version, params) | ({"VersionId": version.id} if versioned(found) else {})
    first, count = stretch(params.get("Range"), version.size)
    partial = params.get("Range") is not None
    if partial:
        members = {name: value for name, value in members.items() if not name.startswith("Checksum")}
        members["ContentRange"] = f"bytes {first}-{first + count - 1}/{version.size}"
    headers = {**answers.result(asked, "", members).headers, "Content-Length": str(count)}
    headers["Content-Type"] = version.told.get("ContentType", "binary/octet-stream")
    if params.get("ResponseContentType"):
        headers["Content-Type"] = params["ResponseContentType"]
    start_response("206 Partial Content" if partial else "200 OK", list(headers.items()))
    return read(version.parts or (), first, count, BLOCK) if body else []


def told(version: Version, params: Mapping[str, Any]) -> dict[str, Any]:
    """The members that both operations answer with."""
    members: dict[str, Any] = {name: value for name, value in version.told.items() if value is not None}
    members.pop("ContentType", None)
    members |= {
        "AcceptRanges": "bytes",
        "LastModified": version.modified,
        "ETag": f'"{version.etag}"',
        **locks.told(version),
    }
    if members.get("StorageClass") == "STANDARD":
        del members["StorageClass"]
    if version.tags:
        members["TagCount"] = len(version.tags)
    if params.get("ChecksumMode") == "ENABLED":
        members |= {**checksums.members(version.checksums), "ChecksumType": version.checksum_type}
    members |= {name: params[given] for given, name in OVERRIDES.items() if params.get(given) and name != "ContentType"}
    return members


def not_modified(version: Version, params: Mapping[str, Any]) -> bool:
    """Whether the caller has it already; 412 when it is not the one it must be."""
    if_match, if_none = params.get("IfMatch"), params.get("IfNoneMatch")
    before, since = params.get("IfUnmodifiedSince"), params.get("IfModifiedSince")
    changed = before is not None and if_match is None and version.modified > _aware(before)
    if (if_match is not None and if_match.strip('"') not in ("*", version.etag)) or changed:
        raise AwsError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)
    if if_none is not None:
        return if_none.strip('"') in ("*", version.etag)
    return since is not None and version.modified <= _aware(since)


def stretch(given: str | None, size: int) -> tuple[int, int]:
    """(first byte, number of bytes) of a Range header; InvalidRange outside of the object."""
    if given is None:
        return 0, size
    found = re.fullmatch(r"bytes=(\d*)-(\d*)", given.strip())
    if found is None or found.groups() == ("", ""):
        return 0, size  # S3 ignores a range it does not understand
    low, high = found.groups()
    if not low:
        count = min(int(high), size)
        first = size - count
    else:
        first = int(low)
        count = min(int(high) if high else size - 1, size - 1) - first + 1
    if count <= 0 or first >= size:
        raise AwsError("InvalidRange", "The requested range is not satisfiable", 416)
    return first, count


def _aware(moment: datetime) -> datetime:
    return moment.replace(tzinfo=moment.tzinfo or UTC)
