"""CopyObject: the same bytes under another key, with checksums computed anew."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

from sandbox.s3 import access, checksums, objects
from sandbox.s3.store import Store, Version, bucket, discard, new_version_id, read, versioned
from sandbox.state import AwsError, Call

BLOCK = 1 << 20


def copy(store: Store, call: Call) -> dict[str, Any]:
    """A new version that shares no fate with its source."""
    params = call.params
    if any(name.startswith("CopySource") and name != "CopySource" and value for name, value in params.items()):
        raise AwsError("NotImplemented", "the sandbox does not implement conditional copies", 501)
    name, key, version_id = _source(str(params["CopySource"]))
    access.may(call, name, "GetObject", key)
    source_bucket, found = bucket(name), bucket(params["Bucket"])
    source = store.version(source_bucket, key, version_id)
    attributes = objects.described(store, found, call)
    if params.get("MetadataDirective", "COPY") != "REPLACE":
        if (source_bucket is found) and key == params["Key"] and not params.get("StorageClass"):
            raise AwsError("InvalidRequest", "This copy request is illegal because it changes nothing of the object.")
        told = {name: value for name, value in source.told.items() if name in objects.TOLD and name != "StorageClass"}
        attributes["told"] = told | {k: v for k, v in attributes["told"].items() if k not in objects.TOLD}
    if params.get("TaggingDirective", "COPY") != "REPLACE":
        attributes["tags"] = dict(source.tags)
    version = _same_bytes(store, source, params.get("ChecksumAlgorithm"), params["Key"], new_version_id(found))
    version = replace(version, **attributes)
    objects.commit(store, found, version, params)
    told = objects.answer(found, version)
    result = {name: told.pop(name) for name in list(told) if name == "ETag" or name.startswith("Checksum")}
    told["CopyObjectResult"] = result | {"LastModified": version.modified}
    return told | ({"CopySourceVersionId": source.id} if versioned(source_bucket) else {})


def _same_bytes(store: Store, source: Version, algorithm: str | None, key: str, version_id: str) -> Version:
    with store.lock:  # links first, so that a delete of the source in between takes nothing away
        parts = tuple(replace(part, path=_linked(store, part.path)) for part in source.parts or ())
    kind = algorithm or next((name for name in source.checksums if source.checksum_type == "FULL_OBJECT"), None)
    digest, md5 = checksums.start(kind or checksums.DEFAULT), hashlib.md5(usedforsecurity=False)
    try:
        for block in read(parts, 0, source.size, BLOCK):
            digest.update(block)
            md5.update(block)
    except BaseException:
        discard(parts)
        raise
    computed = {kind or checksums.DEFAULT: checksums.text(digest.digest())}
    return Version(key, version_id, store.now(), parts, md5.hexdigest(), computed)


def _linked(store: Store, path: Any) -> Any:
    fresh = store.new_file()
    os.link(path, fresh)
    return fresh


def _source(given: str) -> tuple[str, str, str | None]:
    path, _, query = given.partition("?versionId=")
    name, _, key = unquote(path).lstrip("/").partition("/")
    if not name or not key:
        raise AwsError("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
    return name, key, query or None


OPERATIONS = {"CopyObject": copy}
